/**
 * Names of options and parameters. An unknown one is refused with the nearest known name, so that a
 * misspelt option is not ignored silently.
 *
 * @module
 */
import type * as v from 'valibot'
import { parseInput } from './input.ts'
import { invalid, ok, refused, type InputRefusal, type Result } from './result.ts'

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

/** The options of a factory that has none. */
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

/**
 * Refuses unknown parameters of a read. Ignoring a misspelt filter would return all rows as if they had
 * passed it.
 */
export function knownParameters(
  input: unknown,
  known: readonly string[]
): Result<null, InputRefusal> {
  if (typeof input !== 'object' || input === null) {
    return refused(invalid({ query: ['Must be an object.'] }))
  }
  const unknown = Object.keys(input).filter((name) => !known.includes(name))
  if (unknown.length === 0) return ok(null)
  const errors = unknown.map((name) => [name, [unknownParameter(known)]] as const)
  return refused(invalid(Object.fromEntries(errors)))
}

/** Checks the parameters of a read: those of a schema and no others. */
export function parseQuery<S extends v.GenericSchema & { readonly entries: v.ObjectEntries }>(
  schema: S,
  input: unknown
): Result<v.InferOutput<S>, InputRefusal> {
  const known = knownParameters(input, Object.keys(schema.entries))
  return known.ok ? parseInput(schema, input) : known
}

function unknownParameter(known: readonly string[]): string {
  if (known.length === 0) return 'Unknown parameter; there are no parameters here.'
  return `Unknown parameter. Allowed: ${[...known].sort().join(', ')}.`
}

/** Returns the known name with the smallest edit distance; null if the list is empty. */
export function nearest(name: string, known: readonly string[]): string | null {
  const [first] = known
    .map((other) => ({ other, changes: changesBetween(name.toLowerCase(), other.toLowerCase()) }))
    .sort((a, b) => a.changes - b.changes)
  return first?.other ?? null
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
