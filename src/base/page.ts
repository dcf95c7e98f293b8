import * as v from 'valibot'
import { parseInput, wholeNumber } from './input.ts'
import { knownParameters } from './parameters.ts'
import { ok, refused, type InputRefusal, type PageRefusal, type Result } from './result.ts'
import { escaped } from './shown-text.ts'

/** One page of a list with the cursor of the next page; `null` on the last page. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly nextCursor: string | null
}

/** A page request: `limit` 1 to 200 (default 50), `cursor` from the page before. */
export interface PageInput {
  readonly limit?: number | string | undefined
  readonly cursor?: string | undefined
}

const DEFAULT_LIMIT = 50
const MAXIMUM_LIMIT = 200

/** The parameters of a list without pages and filters; every parameter is refused. */
export type NoParameters = Readonly<Record<string, never>>

/** A position in a keyset: the values that the list is ordered by. */
export type Position = readonly (string | number)[]

/**
 * The position in a list that is ordered from the newest entry: when the entry was created, its id, and
 * the name of the list, so that a list refuses the cursor of another.
 */
export function newestFirst<const Name extends string>(list: Name) {
  return v.strictTuple([v.pipe(v.number(), v.safeInteger()), v.string(), v.literal(list)])
}

/** A checked page request: the position that the page starts after, and how many entries it may have. */
export interface PageRequest<P extends Position> {
  readonly limit: number
  readonly after: P | null
}

/**
 * Checks a page request. Refuses a limit outside 1 to 200 and an unknown parameter that is not one of
 * `beside` with `validation_error`, and a cursor that was not made for this list with `invalid_cursor`.
 */
export function parsePage<P extends Position>(
  input: PageInput,
  position: v.GenericSchema<unknown, P>,
  beside: readonly string[] = []
): Result<PageRequest<P>, PageRefusal> {
  const known = knownParameters(input, ['limit', 'cursor', ...beside])
  if (!known.ok) return known
  const read = parseLimit(input.limit)
  if (!read.ok) return read
  const limit = read.value
  if (input.cursor === undefined) return ok({ limit, after: null })
  const after = v.safeParse(position, decode(input.cursor))
  if (!after.success) return refused({ code: 'invalid_cursor' })
  return ok({ limit, after: after.output })
}

/** Checks how many entries a page may have. */
export function parseLimit(
  value: PageInput['limit'],
  largest = MAXIMUM_LIMIT
): Result<number, InputRefusal> {
  const limit = v.optional(wholeNumber({ min: 1, max: largest }), DEFAULT_LIMIT)
  const parsed = parseInput(v.object({ limit }), { limit: value })
  return parsed.ok ? ok(parsed.value.limit) : parsed
}

/**
 * Builds a page from rows that were read with a limit one higher than requested: the surplus row shows
 * that there is a next page.
 */
export function toPage<R, T>(
  rows: readonly R[],
  limit: number,
  view: (row: R) => T,
  position: (row: R) => Position
): Page<T> {
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  const more = rows.length > limit && last !== undefined
  return { data: shown.map(view), nextCursor: more ? encode(position(last)) : null }
}

// A user id may have any characters, and `btoa` takes those of one byte.
function encode(position: Position): string {
  const text = JSON.stringify(position).replace(/[^\0-\x7f]/g, escaped)
  return btoa(text).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    return undefined
  }
}
