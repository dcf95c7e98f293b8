import type { Stripe } from 'stripe'
import type { StripeApi } from './stripe-proration.ts'
import type { BillingInterval, RemoteItem, RemoteSubscription } from '../billing-provider.ts'

/** Translates a subscription; reads further pages of its items, if there are any. */
export async function subscriptionOf(
  { client, name }: Pick<StripeApi, 'client' | 'name'>,
  subscription: Stripe.Subscription
): Promise<RemoteSubscription> {
  const { id, items, status, trial_end, cancel_at, ended_at, created } = subscription
  const pause = subscription.pause_collection
  const all = items.has_more ? await allItems(client, id) : items.data
  const ends = all.map((item) => item.current_period_end)
  return {
    provider: name,
    subscriptionId: id,
    customerId: idOf(subscription.customer),
    status,
    items: all.map(itemOf),
    createdAt: instant(created),
    // The period is one of each item. They differ only with mixed intervals.
    currentPeriodEnd: ends.length === 0 ? null : instant(Math.max(...ends)),
    trialEnd: instantOrNull(trial_end),
    cancelAt: instantOrNull(cancel_at),
    endedAt: instantOrNull(ended_at),
    paused: pause !== null || status === 'paused',
    pausedUntil: instantOrNull(pause?.resumes_at ?? null),
  }
}

async function allItems(client: Stripe, subscription: string): Promise<Stripe.SubscriptionItem[]> {
  const items: Stripe.SubscriptionItem[] = []
  for await (const item of client.subscriptionItems.list({ subscription, limit: 100 })) {
    items.push(item)
  }
  return items
}

function itemOf({ id, price, quantity }: Stripe.SubscriptionItem): RemoteItem {
  const interval = price.recurring?.interval ?? null
  return {
    id,
    priceId: price.id,
    quantity: quantity ?? 0,
    interval: interval as BillingInterval,
  }
}

/** Returns the id of an object that may be expanded. */
export function idOf(object: string | { readonly id: string }): string {
  return typeof object === 'string' ? object : object.id
}

/** Translates seconds. */
export function instant(seconds: number): Date {
  return new Date(seconds * 1000)
}

function instantOrNull(seconds: number | null | undefined): Date | null {
  return seconds === null || seconds === undefined ? null : instant(seconds)
}
