import { type BillingContext, baseSeatsOf } from './billing-rules.ts'
import {
  entitledLimit,
  largest,
  mergeEntitled,
  isAhead,
  overridden,
  overrideAt,
  type EntitledSeats,
  type EntitlementOverride,
} from './entitlement.ts'
import { seatLimit, type SeatLimit } from './limit.ts'
import { entitledBy, type OverLimitPolicy, type Plan } from './plans.ts'
import type { SeatContext } from './provider.ts'
import type { SeatTypeContext, SeatTypeLimits } from '../../base/seat-types.ts'
import {
  earliest,
  grantOf,
  nextChangeOf,
  type Grant,
  type SubscriptionRecord,
} from './subscription-state.ts'

/** The inputs of a limit. */
export interface EntitlementInputs {
  readonly override: EntitlementOverride | null
  readonly subscriptions: readonly SubscriptionRecord[]
}

/** The limit that the inputs give at an instant, with its reasons. */
export interface EntitledNow {
  readonly seats: EntitledSeats
  readonly limit: SeatLimit
  /** The limits of the types of seats. */
  readonly typeLimits: SeatTypeLimits
  /** Whether an override is a part of it. */
  readonly byOverride: boolean
  /** The subscription that the organization is shown; null without one. */
  readonly subscription: SubscriptionRecord | null
  readonly grant: Grant
  /** The plan of that subscription; null without one. */
  readonly plan: Plan | null
  readonly policy: OverLimitPolicy
  readonly overGraceDays: number
  /** When the clock may change the limit; null if it does not. */
  readonly nextChange: Date | null
}

type Context = BillingContext & {
  readonly seatContext: Pick<SeatContext, 'defaultLimit' | 'seatTypes'>
}

/**
 * Computes the limit of an organization at an instant. Subscriptions that grant are merged; without one
 * the base applies, or the lapsed seats if there was one; an override that is in force replaces the numbers that it names. Without billing,
 * subscriptions do not count.
 */
export function entitledNow(
  { billing, seatContext }: Context,
  { override, subscriptions }: EntitlementInputs,
  now: Date
): EntitledNow {
  const plans = billing?.plans ?? new Map<string, Plan>()
  const known = billing === null ? [] : subscriptions
  const granting = known.filter(
    (record) => plans.has(record.plan ?? '') && grantOf(record, now).granting
  )
  const lapsedLimit = billing === null ? seatContext.defaultLimit : seatLimit(billing.lapsedSeats)
  const base =
    granting.length === 0
      ? baseSeatsOf(hasLapsed(known) ? lapsedLimit : seatContext.defaultLimit)
      : mergeEntitled(granting.map((record) => entitledBy(plans, record, now)))
  const inForce = overrideAt(override, now)
  const seats = inForce ? overridden(base, inForce) : base
  const subscription = granting[0] ?? newest(known)
  const plan = plans.get(subscription?.plan ?? '') ?? null
  return {
    seats,
    limit: entitledLimit(seats),
    typeLimits: limitsOfTypes(
      seatContext,
      granting.flatMap((record) => plans.get(record.plan ?? '') ?? [])
    ),
    byOverride: inForce !== null,
    subscription,
    grant: subscription ? grantOf(subscription, now) : { granting: false, reason: 'none' },
    plan,
    policy: plan?.whenOver ?? billing?.whenOver ?? 'block_change',
    overGraceDays: plan?.overGraceDays ?? billing?.overGraceDays ?? 0,
    nextChange: earliest([
      isAhead(override, now) ? (override?.from ?? null) : null,
      inForce?.until ?? null,
      ...known.map((record) => nextChangeOf(record, now)),
    ]),
  }
}

// Of several plans the largest number counts, as for included seats.
function limitsOfTypes(
  { seatTypes }: SeatTypeContext,
  plans: readonly Pick<Plan, 'typeLimits'>[]
): SeatTypeLimits {
  return Object.fromEntries(
    [...seatTypes].map(([type, { defaultLimit }]) => {
      const [first = defaultLimit, ...others] = plans.map(
        ({ typeLimits }) => typeLimits.get(type) ?? defaultLimit
      )
      return [type, others.reduce(largest, first)]
    })
  )
}

// A first payment that was never made ends no subscription.
function hasLapsed(records: readonly SubscriptionRecord[]): boolean {
  return records.some(({ status }) => status !== 'incomplete' && status !== 'incomplete_expired')
}

function newest(records: readonly SubscriptionRecord[]): SubscriptionRecord | null {
  const time = ({ providerTime, syncedAt }: SubscriptionRecord) =>
    (providerTime ?? syncedAt).getTime()
  return records.toSorted((a, b) => time(b) - time(a))[0] ?? null
}
