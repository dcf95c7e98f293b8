import { limitView, seatLimit, type SeatLimit } from './limit.ts'
import { NO_SEATS, type EntitledSeats, type SeatAmount } from './entitlement.ts'
import type { OverLimitPolicy, Plans } from './plans.ts'

/** The checked configuration of billing. */
export interface BillingRules {
  readonly plans: Plans
  /** The seats of an organization without a subscription that grants any. */
  readonly baseSeats: SeatAmount
  /** The seats of an organization whose subscriptions have ended, or grant no seats any more. */
  readonly lapsedSeats: SeatAmount
  /** For how long the last known limit holds while the present one is unknown. */
  readonly unknownHours: number
  /** The treatment of organizations above their limit that have no plan. */
  readonly whenOver: OverLimitPolicy
  readonly overGraceDays: number
}

/** The context of a function that computes limits. */
export interface BillingContext {
  /** The rules; null without billing: then operators set the limits. */
  readonly billing: BillingRules | null
}

const HOUR_MS = 3_600_000
const UNKNOWN_HOURS = 72

/** Returns until when the last known limit holds. */
export function unknownEnd({ billing }: BillingContext, since: Date): Date {
  return new Date(since.getTime() + (billing?.unknownHours ?? UNKNOWN_HOURS) * HOUR_MS)
}

/** Returns the limit of an organization that has no entitlement. */
export function defaultLimitOf(billing: BillingRules | null, configured: SeatLimit): SeatLimit {
  return billing === null ? configured : seatLimit(billing.baseSeats)
}

/** Returns the seats of an organization for which no subscription grants any. */
export function baseSeatsOf(defaultLimit: SeatLimit): EntitledSeats {
  const seats = limitView(defaultLimit)
  return { ...NO_SEATS, included: seats === 'unknown' ? Number.NaN : seats }
}
