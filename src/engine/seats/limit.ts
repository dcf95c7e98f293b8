/**
 * How many seats an organization may use. `finite` (0 is a real limit), `unlimited`, or `unknown`:
 * growth is refused, nobody is evicted. The three are never mixed up with null or undefined.
 */
export type SeatLimit =
  | { readonly kind: 'finite'; readonly seats: number }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'unknown' }

export const unlimited: SeatLimit = { kind: 'unlimited' }
export const unknown: SeatLimit = { kind: 'unknown' }

/** A limit of so many seats, a whole number from 0. */
export function finite(seats: number): SeatLimit {
  return { kind: 'finite', seats }
}

/**
 * Reads a limit from an untrusted source, once: a whole number from 0, or `"unlimited"`. Anything
 * else, be it negative, fractional, NaN, infinite, empty or absent, is `unknown`; never a default.
 *
 * @example
 * ```ts
 * seatLimit(10)     // { kind: 'finite', seats: 10 }
 * seatLimit(NaN)    // { kind: 'unknown' }
 * ```
 */
export function seatLimit(value: unknown): SeatLimit {
  if (value === 'unlimited') return unlimited
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return finite(value)
  return unknown
}

/** A limit as clients see it: a number, `"unlimited"` or `"unknown"`. */
export type SeatLimitView = number | 'unlimited' | 'unknown'

export function limitView(limit: SeatLimit): SeatLimitView {
  return limit.kind === 'finite' ? limit.seats : limit.kind
}

/** Whether two limits are one: as many seats, or the same kind. */
export function isSameLimit(a: SeatLimit, b: SeatLimit): boolean {
  return limitView(a) === limitView(b)
}
