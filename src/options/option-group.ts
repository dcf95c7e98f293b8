import { checkOptionNames } from '../base/names.ts'

/**
 * Returns a group of options, or an empty one if it is not given.
 *
 * @throws {TypeError} if it is not an object, or has an unknown option.
 */
export function groupOf<T extends object>(
  name: string,
  group: T | undefined,
  known: readonly string[]
): T {
  if (group === undefined) return {} as T
  checkOptionNames('createSeatgate', group, known, name)
  return group
}

/** Creates the error of an option, which `what` names as the host wrote it. */
export function wrong(what: string): TypeError {
  return new TypeError(`createSeatgate: ${what}`)
}

/** Checks functions by their names; null and undefined are skipped. */
export function checkFunctions(group: string, functions: object): void {
  for (const [name, value] of Object.entries(functions)) {
    if (value !== undefined && value !== null && typeof value !== 'function') {
      throw wrong(`${group}.${name} must be a function.`)
    }
  }
}

/** Checks that the roles in a list are among all roles. */
export function checkNames(list: string, roles: readonly string[], all: readonly string[]): void {
  const stranger = roles.find((role) => !all.includes(role))
  if (stranger !== undefined) {
    throw wrong(`roles.${list} has "${stranger}", which is not in roles.all.`)
  }
}
