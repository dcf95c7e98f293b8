/**
 * From what an organization has to how many seats it may use. Pure decisions, without storage or clock.
 *
 * @module
 */
import { finite, seatLimit, unknown, unlimited, type SeatLimit } from './limit.ts'

/** A number of seats, a whole number from 0, or `"unlimited"`. */
export type SeatAmount = number | 'unlimited'

/** The numbers that a seat limit is made of. They are never merged before {@link entitledLimit}. */
export interface EntitledSeats {
  /** The seats that come with the plan, at any quantity. */
  readonly included: SeatAmount
  /** The seats that were bought; 0 if the quantity of the plan is not a number of seats. */
  readonly purchased: number
  /** The seats of all add-ons together. */
  readonly addOns: number
  /** The hard cap; null without one. */
  readonly cap: number | null
}

/** An entitlement without a seat. */
export const NO_SEATS: EntitledSeats = { included: 0, purchased: 0, addOns: 0, cap: null }

/**
 * Returns the limit: the smaller of the cap and the sum of included, purchased and added seats. A number
 * that is negative, fractional, NaN, infinite or too large makes the limit `unknown`, never a number.
 *
 * @example
 * ```ts
 * entitledLimit({ included: 5, purchased: 0, addOns: 0, cap: null }) // { kind: 'finite', seats: 5 }
 * ```
 */
export function entitledLimit({ included, purchased, addOns, cap }: EntitledSeats): SeatLimit {
  const amounts = [included, purchased, addOns, cap ?? 0]
  if (amounts.some((amount) => seatLimit(amount).kind === 'unknown')) return unknown
  if (included === 'unlimited') return cap === null ? unlimited : finite(cap)
  const sum = included + purchased + addOns
  if (!Number.isSafeInteger(sum)) return unknown
  return finite(cap === null ? sum : Math.min(cap, sum))
}

/**
 * Merges the entitlements of several subscriptions, in any order with the same result: the largest
 * included number counts, purchased seats and add-ons add up, and the largest cap counts. One
 * entitlement without a cap means no cap.
 */
export function mergeEntitled(all: readonly EntitledSeats[]): EntitledSeats {
  const [first, ...others] = all
  if (first === undefined) return NO_SEATS
  return others.reduce<EntitledSeats>(
    (merged, next) => ({
      included: largest(merged.included, next.included),
      purchased: merged.purchased + next.purchased,
      addOns: merged.addOns + next.addOns,
      cap: merged.cap === null || next.cap === null ? null : Math.max(merged.cap, next.cap),
    }),
    first
  )
}

/** Returns the larger of two amounts. */
export function largest(a: SeatAmount, b: SeatAmount): SeatAmount {
  return a === 'unlimited' || b === 'unlimited' ? 'unlimited' : Math.max(a, b)
}

/**
 * The numbers that an operator sets by hand in place of those of the subscriptions: a contract without a
 * provider, or a grant. Null leaves a number as it is.
 */
export interface EntitlementOverride {
  readonly included: SeatAmount | null
  readonly purchased: number | null
  readonly addOns: number | null
  /** A cap; `"unlimited"` lifts the cap of the plan. */
  readonly cap: SeatAmount | null
  /** The instant from which it applies; null: since it was set. */
  readonly from: Date | null
  /** The instant from which it no longer applies; null: it has no end. */
  readonly until: Date | null
  readonly reason: string | null
  readonly actorId: string | null
  readonly setAt: Date
  /** The numbers that apply until `from`; null without them. */
  readonly before: EntitlementOverride | null
}

/**
 * Returns the override that applies at an instant, or the one that applies before it; null if neither does.
 * An override applies at the instant of its start, and no longer at that of its end.
 */
export function overrideAt(
  override: EntitlementOverride | null,
  now: Date
): EntitlementOverride | null {
  if (override === null) return null
  const { from, until, before } = override
  if (from !== null && now < from) return overrideAt(before, now)
  return until === null || now < until ? override : null
}

/** Whether the start of an override is still to come. */
export function isAhead(override: Pick<EntitlementOverride, 'from'> | null, now: Date): boolean {
  return override !== null && override.from !== null && now < override.from
}

/** Returns the numbers of `seats` with those of the override in their place. */
export function overridden(
  seats: EntitledSeats,
  override: Pick<EntitlementOverride, 'included' | 'purchased' | 'addOns' | 'cap'>
): EntitledSeats {
  return {
    included: override.included ?? seats.included,
    purchased: override.purchased ?? seats.purchased,
    addOns: override.addOns ?? seats.addOns,
    cap: override.cap === null ? seats.cap : override.cap === 'unlimited' ? null : override.cap,
  }
}

/** A number of an entitlement in responses. */
export type SeatAmountView = SeatAmount | 'unknown'

/** Returns a number unchanged, and NaN as `unknown`: JSON has no NaN. */
export function known<T extends SeatAmount>(amount: T): T | 'unknown' {
  return Number.isNaN(amount) ? 'unknown' : amount
}
