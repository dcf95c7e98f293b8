/**
 * The number of seats that an organization may use. `finite` (0 is a valid limit), `unlimited`, or
 * `unknown`: growth is refused and no member is removed. Null and undefined are never used for them.
 */
export type SeatLimit =
  | { readonly kind: 'finite'; readonly seats: number }
  | { readonly kind: 'unlimited' }
  | { readonly kind: 'unknown' }

export const unlimited: SeatLimit = { kind: 'unlimited' }
export const unknown: SeatLimit = { kind: 'unknown' }

/** Creates a limit of a number of seats, a whole number from 0. */
export function finite(seats: number): SeatLimit {
  return { kind: 'finite', seats }
}

/**
 * Parses a limit from an untrusted source: a whole number from 0, or `"unlimited"`. Any other value
 * (negative, fractional, NaN, infinite, empty or absent) is `unknown`, never a default.
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

/** A limit in responses: a number, `"unlimited"` or `"unknown"`. */
export type SeatLimitView = number | 'unlimited' | 'unknown'

export function limitView(limit: SeatLimit): SeatLimitView {
  return limit.kind === 'finite' ? limit.seats : limit.kind
}

/** Whether two limits are equal. */
export function isSameLimit(a: SeatLimit, b: SeatLimit): boolean {
  return limitView(a) === limitView(b)
}

/** The seats in use, and the limit with its version (0: no entitlement). */
export interface SeatCount {
  readonly limit: SeatLimit
  readonly version: number
  readonly held: number
  readonly reserved: number
}

/** A {@link SeatCount} in responses. `available` is never negative. */
export interface SeatUsage {
  readonly limit: SeatLimitView
  readonly held: number
  readonly reserved: number
  readonly available: SeatLimitView
  readonly overLimit: boolean
  readonly version: number
  /** The seats of each type of `roles.seatTypes`, which are in no other number; left out without types. */
  readonly types?: Readonly<Record<string, SeatTypeUsage>>
}

/** The seats of one type in responses. */
export type SeatTypeUsage = Omit<SeatUsage, 'types'>

export function usageView({ limit, version, held, reserved }: SeatCount): SeatTypeUsage {
  const used = held + reserved
  return {
    limit: limitView(limit),
    held,
    reserved,
    available: limit.kind === 'finite' ? Math.max(0, limit.seats - used) : limit.kind,
    overLimit: limit.kind === 'finite' && used > limit.seats,
    version,
  }
}
