/**
 * The state of a subscription, and whether it grants seats. Only this file and `subscription-filter.ts`
 * compare statuses; everything else uses these predicates.
 *
 * @module
 */

/** The statuses of a subscription. */
export const STATUSES = [
  'trialing',
  'active',
  'past_due',
  'unpaid',
  'canceled',
  'incomplete',
  'incomplete_expired',
  'paused',
] as const

export type SubscriptionStatus = (typeof STATUSES)[number]

/** Returns the status with this name. Any other text counts as `incomplete`, which grants no seat. */
export function statusFrom(text: unknown): SubscriptionStatus {
  return STATUSES.find((status) => status === text) ?? 'incomplete'
}

/** A subscription as the library keeps it: one row for each subscription of an organization. */
export interface SubscriptionRecord {
  readonly organizationId: string
  /** The provider: `stripe`, `polar`, `manual`. */
  readonly provider: string
  readonly customerId: string | null
  /** The provider's id, unique within the provider. */
  readonly subscriptionId: string
  /** The configured plan; null if no price of it is in a plan, which grants no seat. */
  readonly plan: string | null
  readonly status: SubscriptionStatus
  /** The bought quantity of the plan's price. Only a plan with `perSeat` counts it as seats. */
  readonly quantity: number
  /** The seats of its add-ons together. */
  readonly addOns: number
  readonly currentPeriodEnd: Date | null
  readonly trialEnd: Date | null
  /** When a scheduled cancellation takes effect; null without one. */
  readonly cancelAt: Date | null
  /** When it ended. A subscription with an end grants no seat in any status. */
  readonly endedAt: Date | null
  readonly paused: boolean
  /** When the provider is to end the pause; null if that is not known. */
  readonly pausedUntil: Date | null
  /** The first instant of this time past due; null while it is not past due. */
  readonly pastDueSince: Date | null
  /** Until when a past due subscription grants, this instant included; null without a grace. */
  readonly graceEnd: Date | null
  /** The provider's time of the newest state that was applied; null if the provider gives no time. */
  readonly providerTime: Date | null
  /** Grows by one with each change of the record. */
  readonly version: number
  /** When the record was last compared with the provider. */
  readonly syncedAt: Date
}

/** The state that an adapter hands over: the provider's own object in our words. */
export interface ProviderSubscription {
  readonly provider: string
  readonly customerId: string | null
  readonly subscriptionId: string
  /** The provider's text; {@link statusFrom} reads it. */
  readonly status: string
  /** Every item of the provider's object. An item that is missing here grants no seat from now on. */
  readonly items: readonly { readonly priceId: string; readonly quantity: number }[]
  readonly currentPeriodEnd: Date | null
  readonly trialEnd: Date | null
  readonly cancelAt: Date | null
  readonly endedAt: Date | null
  readonly paused: boolean
  readonly pausedUntil: Date | null
  /** The provider's time of this state; null if it is not known. */
  readonly providerTime: Date | null
}

/** The fields that decide on a state. */
export type SubscriptionState = Pick<
  SubscriptionRecord,
  'status' | 'paused' | 'trialEnd' | 'cancelAt' | 'endedAt' | 'graceEnd'
>

/** Whether it is active or in its trial. */
export function isActive({ status }: Pick<SubscriptionState, 'status'>): boolean {
  return status === 'active' || status === 'trialing'
}

/** Whether it is in its trial. */
export function isTrialing({ status }: Pick<SubscriptionState, 'status'>): boolean {
  return status === 'trialing'
}

/** Whether a payment is missing: past due or unpaid. */
export function isPastDue({ status }: Pick<SubscriptionState, 'status'>): boolean {
  return status === 'past_due' || status === 'unpaid'
}

/** Whether it has ended: canceled, never completed, or any status with an end. */
export function isCanceled({
  status,
  endedAt,
}: Pick<SubscriptionState, 'status' | 'endedAt'>): boolean {
  return status === 'canceled' || status === 'incomplete_expired' || endedAt !== null
}

/** Whether it is active until a cancellation that is scheduled. */
export function isCanceling(state: SubscriptionState, now: Date): boolean {
  return isActive(state) && !isCanceled(state) && state.cancelAt !== null && now < state.cancelAt
}

/** Whether it is paused, by its status or beside it. */
export function isPaused({
  status,
  paused,
}: Pick<SubscriptionState, 'status' | 'paused'>): boolean {
  return status === 'paused' || paused
}

/** Whether dunning may ask the provider to move it: strictly past due, and not ended. */
export function isDunningSweepable(state: SubscriptionState): boolean {
  return state.status === 'past_due' && !isCanceled(state)
}

/** Whether it can still charge the customer, and so has to be canceled with its organization. */
export function canCharge(state: Pick<SubscriptionState, 'status' | 'endedAt'>): boolean {
  return !isCanceled(state)
}

/** Why a subscription grants seats, or why it does not. */
export type GrantReason =
  | 'active'
  | 'trialing'
  | 'granted_by_grace'
  | 'none'
  | 'canceled'
  | 'paused'
  | 'trial_ended'
  | 'past_due'
  | 'grace_expired'
  | 'unpaid'
  | 'incomplete'

/** Whether a state grants seats, and why. */
export interface Grant {
  readonly granting: boolean
  readonly reason: GrantReason
}

const yes = (reason: GrantReason): Grant => ({ granting: true, reason })
const no = (reason: GrantReason): Grant => ({ granting: false, reason })

/**
 * Decides whether a subscription grants seats at an instant; the only source of this decision. A
 * scheduled cancellation and the end of a trial take effect at their instant; the grace of a past due
 * subscription includes its last one.
 */
export function grantOf(state: SubscriptionState, now: Date): Grant {
  const { status, cancelAt, trialEnd, graceEnd } = state
  if (isCanceled(state)) return no('canceled')
  if (isPaused(state)) return no('paused')
  if (cancelAt !== null && now >= cancelAt) return no('canceled')
  if (status === 'active') return yes('active')
  if (status === 'trialing') {
    return trialEnd !== null && now >= trialEnd ? no('trial_ended') : yes('trialing')
  }
  if (status === 'past_due') {
    if (graceEnd === null) return no('past_due')
    return now <= graceEnd ? yes('granted_by_grace') : no('grace_expired')
  }
  return no(status === 'unpaid' ? 'unpaid' : 'incomplete')
}

/** Returns the next instant at which {@link grantOf} may decide otherwise; null without one. */
export function nextChangeOf(state: SubscriptionState, now: Date): Date | null {
  if (!grantOf(state, now).granting) return null
  const instants = [
    state.cancelAt,
    state.status === 'trialing' ? state.trialEnd : null,
    state.status === 'past_due' && state.graceEnd !== null
      ? new Date(state.graceEnd.getTime() + 1)
      : null,
  ]
  return earliest(instants)
}

/** Returns the earliest of some instants; null without one. */
export function earliest(instants: readonly (Date | null)[]): Date | null {
  const times = instants.flatMap((instant) => (instant === null ? [] : [instant.getTime()]))
  return times.length === 0 ? null : new Date(Math.min(...times))
}

const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Returns since when a subscription is past due and until when it grants nevertheless. Both are set when
 * it becomes past due, stay while it is, are cleared when it recovers, and are set again by a relapse.
 */
export function pastDueFrom(
  existing: Pick<SubscriptionRecord, 'status' | 'pastDueSince' | 'graceEnd'> | null,
  status: SubscriptionStatus,
  at: Date,
  graceDays: number
): Pick<SubscriptionRecord, 'pastDueSince' | 'graceEnd'> {
  if (!isPastDue({ status })) return { pastDueSince: null, graceEnd: null }
  if (existing && isPastDue(existing) && existing.pastDueSince !== null) {
    const { pastDueSince, graceEnd } = existing
    return { pastDueSince, graceEnd }
  }
  const graceEnd = graceDays === 0 ? null : new Date(at.getTime() + graceDays * DAY_MS)
  return { pastDueSince: at, graceEnd }
}

/**
 * Whether a state is older than the one that was applied last, by the provider's time. A state without a
 * time, or of the same time, is not: it is applied.
 */
export function isOutdated(
  existing: Pick<SubscriptionRecord, 'providerTime'> | null,
  { providerTime }: Pick<ProviderSubscription, 'providerTime'>
): boolean {
  const watermark = existing?.providerTime ?? null
  return watermark !== null && providerTime !== null && providerTime < watermark
}
