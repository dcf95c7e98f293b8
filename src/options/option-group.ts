import { checkOptionNames } from '../base/names.ts'

/** The rule of an option: the words after “must”, and whether a value fits. */
export type Rule = readonly [must: string, fits: (value: unknown, option: string) => boolean]

/** The rules of all options of a type: the compiler requires one for each. */
export type Rules<T> = Readonly<Record<keyof T & string, Rule>>

/**
 * Returns a group of options, or an empty one if it is not given.
 *
 * @throws {TypeError} if it is not an object, has an unknown option, or one that breaks its rule.
 */
export function groupOf<T extends object>(name: string, group: T | undefined, rules: Rules<T>): T {
  if (group === undefined) return {} as T
  checkOptions(group, rules, name, 'optional')
  return group
}

/**
 * Checks all options of a type. Those that are left out are checked too, if they are not optional.
 *
 * @throws {TypeError} if an option is not known, or breaks its rule.
 */
export function checkOptions<T extends object>(
  options: T,
  rules: Rules<T>,
  group?: string,
  optional?: 'optional'
): void {
  checkOptionNames('createSeatgate', options, Object.keys(rules), group)
  for (const [name, [must, fits]] of Object.entries<Rule>(rules)) {
    const value: unknown = options[name as keyof T]
    if ((optional && value === undefined) || fits(value, name)) continue
    throw wrong(`${group === undefined ? name : `${group}.${name}`} must ${must}.`)
  }
}

/** Creates the error of an option, which `what` names as the host wrote it. */
export function wrong(what: string): TypeError {
  return new TypeError(`createSeatgate: ${what}`)
}

/** The rule of an option that any value may have, or that is checked with others. */
export const ANY: Rule = ['', () => true]

export const FUNCTION: Rule = [
  'be a function',
  (value) => isAbsent(value) || typeof value === 'function',
]

const isAbsent = (value: unknown) => value === null || value === undefined

/** Creates the rule of a whole number. */
export function wholeNumber(least: number, most = Infinity): Rule {
  return [
    `be a whole number from ${least}${most < Infinity ? ` to ${most}` : ''}`,
    (value) => Number.isInteger(value) && (value as number) >= least && (value as number) <= most,
  ]
}

/** Creates the rule of a part, which its factory makes. */
export function part(factory: string, argument = '{ … }'): Rule {
  return [
    `be ${factory}(${argument})`,
    (value, name) => isAbsent(value) || (value as { part?: unknown }).part === name,
  ]
}

/** Whether a value has all these methods. */
export function hasMethods(value: unknown, ...names: readonly string[]): boolean {
  return names.every(
    (name) => typeof (value as Record<string, unknown> | null)?.[name] === 'function'
  )
}

/** Whether a value is a list whose items all pass. */
export function isList(value: unknown, passes: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(passes)
}

/** Checks that the roles in a list are among all roles. */
export function checkNames(list: string, roles: readonly string[], all: readonly string[]): void {
  const stranger = roles.find((role) => !all.includes(role))
  if (stranger !== undefined) {
    throw wrong(`roles.${list} has "${stranger}", which is not in roles.all.`)
  }
}
