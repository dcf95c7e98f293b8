import * as v from 'valibot'
import { Instant as Time } from '../../../base/instant.ts'
import type { BillingInterval, RemoteSubscription } from '../billing-provider.ts'
import { ProviderError } from '../provider-error.ts'
import type { ProviderEvent } from '../webhook-request.ts'

const MaybeTime = v.nullish(Time, null)

const Subscription = v.object({
  id: v.string(),
  customer_id: v.string(),
  product_id: v.string(),
  status: v.string(),
  recurring_interval: v.nullish(v.string(), null),
  seats: v.nullish(v.number(), null),
  created_at: Time,
  current_period_end: MaybeTime,
  trial_end: MaybeTime,
  cancel_at_period_end: v.boolean(),
  ends_at: MaybeTime,
  ended_at: MaybeTime,
  paused_at: MaybeTime,
  resumes_at: MaybeTime,
})

/**
 * Translates a subscription. Polar has one product for each: its only item.
 *
 * @throws {ProviderError} `unexpected_answer` if the object is not a subscription.
 */
export function subscriptionOf(provider: string, object: unknown): RemoteSubscription {
  const parsed = v.safeParse(Subscription, object)
  if (!parsed.success) throw new ProviderError('permanent', 'unexpected_answer')
  const found = parsed.output
  const interval = found.recurring_interval as BillingInterval | null
  return {
    provider,
    subscriptionId: found.id,
    customerId: found.customer_id,
    status: found.status,
    items: [{ id: found.id, priceId: found.product_id, quantity: found.seats ?? 1, interval }],
    createdAt: found.created_at,
    currentPeriodEnd: found.current_period_end,
    trialEnd: found.trial_end,
    cancelAt: found.cancel_at_period_end ? (found.ends_at ?? found.current_period_end) : null,
    endedAt: found.ended_at,
    paused: found.status === 'paused' || found.paused_at !== null,
    pausedUntil: found.resumes_at,
  }
}

const Event = v.object({
  type: v.pipe(v.string(), v.minLength(1), v.maxLength(200)),
  timestamp: v.optional(Time),
  data: v.object({
    id: v.optional(v.string()),
    customer_id: v.nullish(v.string(), null),
    subscription_id: v.nullish(v.string(), null),
  }),
})

/** Returns the event of a verified webhook; null if the text is not an event. */
export function eventOf({ id, text }: { readonly id: string; readonly text: string }) {
  const parsed = v.safeParse(Event, parsedJson(text))
  if (!parsed.success) return null
  const { type, timestamp, data } = parsed.output
  const isSubscription = type.startsWith('subscription.')
  const event: ProviderEvent = {
    id,
    type,
    providerTime: timestamp ?? null,
    subscriptionId: isSubscription ? (data.id ?? null) : data.subscription_id,
    customerId: data.customer_id,
    mode: 'live',
    account: '',
  }
  return event
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
