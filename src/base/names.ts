/**
 * Names of options. An unknown one is refused with the nearest known name: it would have no effect.
 *
 * @module
 */

/**
 * The names of a type's properties. The compiler checks that the list is complete and has no other name.
 *
 * @example
 * ```ts
 * const NAMES = namesOf<LedgerSeatsOptions>({ reservationSeconds: true, deadlineSeconds: true })
 * ```
 */
export function namesOf<T extends object>(
  names: Readonly<Record<keyof T & string, true>>
): readonly string[] {
  return Object.keys(names)
}

/** The options of a factory without options. */
export type NoOptions = Readonly<Record<string, never>>

/**
 * Checks the names of options, or of those in a group of them.
 *
 * @throws {TypeError} naming the first option that is not known, and the nearest that is.
 */
export function checkOptionNames(
  where: string,
  options: unknown,
  known: readonly string[],
  group?: string
): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new TypeError(`${where}: ${group ?? 'options'} must be an object.`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const inGroup = (name: string) => (group === undefined ? name : `${group}.${name}`)
  const close = nearest(unknown, known)
  const advice = close === null ? 'There are no options.' : `Did you mean "${inGroup(close)}"?`
  throw new TypeError(`${where}: there is no option "${inGroup(unknown)}". ${advice}`)
}

/** Returns the known name with the smallest edit distance; null if the list is empty. */
export function nearest(name: string, known: readonly string[]): string | null {
  const changes = (other: string) => changesBetween(name.toLowerCase(), other.toLowerCase())
  return known.toSorted((a, b) => changes(a) - changes(b))[0] ?? null
}

/** Returns the Levenshtein distance. */
function changesBetween(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [row, letter] of Array.from(from).entries()) {
    const current = [row + 1]
    for (const [column, other] of Array.from(to).entries()) {
      const replaced = (previous[column] ?? 0) + (letter === other ? 0 : 1)
      current.push(Math.min(replaced, (previous[column + 1] ?? 0) + 1, (current[column] ?? 0) + 1))
    }
    previous = current
  }
  return previous.at(-1) ?? 0
}
