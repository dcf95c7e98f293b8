import * as v from 'valibot'
import { parseInput } from './input.ts'
import { knownParameters } from './names.ts'
import { wholeNumber } from './number-input.ts'
import type { InputRefusal, PageRefusal } from './refusal.ts'
import { ok, refused, type Result } from './result.ts'

/** One page of a list, and the cursor of the next one; `null` on the last. */
export interface Page<T> {
  readonly data: readonly T[]
  readonly nextCursor: string | null
}

/** How a page is asked for: `limit` 1 to 200 (default 50), `cursor` from the page before. */
export interface PageInput {
  readonly limit?: number | string | undefined
  readonly cursor?: string | undefined
}

const DEFAULT_LIMIT = 50
const MAXIMUM_LIMIT = 200

/** What a list takes that has no pages and no filters: nothing, and whatever else is refused. */
export type NoParameters = Readonly<Record<string, never>>

/** A place in a keyset: the values that the list is ordered by. */
export type Position = readonly (string | number)[]

/**
 * The position in a list that has the newest first: when the entry came to be, its id, and the
 * list's name, so that no list takes another's cursor.
 */
export function newestFirst<const Name extends string>(list: Name) {
  return v.strictTuple([v.pipe(v.number(), v.safeInteger()), v.string(), v.literal(list)])
}

/** Where a page starts, and how many entries it may have. */
export interface PageRequest<P extends Position> {
  readonly limit: number
  readonly after: P | null
}

/**
 * Checks a page request. A limit outside 1 to 200 and a parameter that is neither of a page nor one of
 * `beside` are a `validation_error`; a cursor that this library did not make for this list is
 * `invalid_cursor`.
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

/** Reads how many entries a page may have. */
export function parseLimit(
  value: PageInput['limit'],
  largest = MAXIMUM_LIMIT
): Result<number, InputRefusal> {
  const limit = v.optional(wholeNumber({ min: 1, max: largest }), DEFAULT_LIMIT)
  const parsed = parseInput(v.object({ limit }), { limit: value })
  return parsed.ok ? ok(parsed.value.limit) : parsed
}

/**
 * Cuts a page out of rows that were read with a limit one higher than asked for: the surplus row
 * says that there is a next page.
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

function encode(position: Position): string {
  return btoa(JSON.stringify(position)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(atob(cursor.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    return undefined
  }
}
