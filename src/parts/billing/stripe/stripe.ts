import { Stripe } from 'stripe'
import { within } from '../../../base/async.ts'
import { checkOptionNames, namesOf } from '../../../base/names.ts'
import {
  checkedName,
  checkedPositive,
  checkedProration,
  checkedQuantity,
  checkedText,
  itemOf,
  type AdapterOptions,
} from '../adapter-options.ts'
import type {
  BillingProvider,
  CheckoutItem,
  ItemChange,
  ProviderCall,
  RemoteSubscription,
} from '../billing-provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkedSecrets, TOLERANCE_SECONDS } from '../webhook-request.ts'
import { classified } from './stripe-error.ts'
import { previewInvoice } from './stripe-preview.ts'
import { prorationBehavior, type StripeApi } from './stripe-proration.ts'
import { subscriptionOf } from './stripe-subscription.ts'
import { stripeWebhooks } from './stripe-webhooks.ts'

/** Options of {@link stripe}. */
export interface StripeOptions extends AdapterOptions {
  /** The secret key, or a restricted key for customers, subscriptions, checkout, portal and invoices. */
  readonly apiKey: string
  /** Where the API is. Default `https://api.stripe.com`. */
  readonly apiUrl?: string
}

const OPTIONS = namesOf<StripeOptions>({
  name: true,
  apiKey: true,
  apiUrl: true,
  webhookSecret: true,
  proration: true,
  toleranceSeconds: true,
  timeoutSeconds: true,
  fetch: true,
})

// The version that the types and the tests are for. An account's own version does not matter.
const API_VERSION = '2026-10-28.endive'

/**
 * Creates the adapter for Stripe: Checkout, the customer portal, subscriptions and their webhooks.
 *
 * Subscribe the endpoint `/billing/webhooks/stripe` to `customer.subscription.*`, `invoice.paid`,
 * `invoice.payment_failed` and `checkout.session.completed`. State is always read from the API, so that
 * the version of the endpoint and the order of events do not matter.
 *
 * @throws {TypeError} if an option is wrong, or `proration` is not chosen. The message names it.
 *
 * @example
 * ```ts
 * import { stripe } from 'seatgate/stripe'
 *
 * const provider = stripe({
 *   apiKey: env.STRIPE_API_KEY,
 *   webhookSecret: env.STRIPE_WEBHOOK_SECRET,
 *   proration: { month: 'create', year: 'always_invoice' },
 * })
 * ```
 */
export function stripe(options: StripeOptions): BillingProvider {
  checkOptionNames('stripe', options, OPTIONS)
  const name = checkedName('stripe', options.name ?? 'stripe')
  const prorationFor = checkedProration('stripe', options.proration)
  const client = clientOf(options)
  const api = { client, name, prorationFor }
  return {
    name,
    prorationFor,
    receive: stripeWebhooks({
      secrets: checkedSecrets('stripe', options.webhookSecret),
      toleranceSeconds: checkedPositive(
        'stripe',
        'toleranceSeconds',
        options.toleranceSeconds ?? TOLERANCE_SECONDS
      ),
    }),
    fetchSubscription: (id) => classified(() => fetchSubscription(api, id)),
    listSubscriptions: (customerId) => classified(() => listSubscriptions(api, customerId)),
    createCustomer: async ({ organizationId, name }, call) => {
      const metadata = { seatgate_organization: organizationId }
      const customer = { name, metadata }
      const { id } = await classified(() => client.customers.create(customer, call))
      return id
    },
    checkout: async (checkout, call) => {
      const session = await classified(() =>
        client.checkout.sessions.create(
          {
            mode: 'subscription',
            customer: checkout.customerId,
            client_reference_id: checkout.organizationId,
            line_items: checkout.items.map(lineItem),
            success_url: checkout.successUrl,
            cancel_url: checkout.cancelUrl,
          },
          call
        )
      )
      return addressOf(session.url)
    },
    portal: async (customer, returnUrl) => {
      const session = await classified(() =>
        client.billingPortal.sessions.create({ customer, return_url: returnUrl })
      )
      return addressOf(session.url)
    },
    preview: (of) => classified(() => previewInvoice(api, of)),
    setQuantity: (change, call) => classified(() => changeItem(api, change, call)),
    changePlan: (change, call) => classified(() => changeItem(api, change, call)),
    cancel: (cancellation, call) => classified(() => cancel(api, cancellation, call)),
    resume: (id, call) =>
      classified(async () => {
        const resumed = { cancel_at_period_end: false }
        return subscriptionOf(api, await client.subscriptions.update(id, resumed, call))
      }),
  }
}

function clientOf({ apiKey, apiUrl, fetch: send = fetch, timeoutSeconds = 10 }: StripeOptions) {
  const url = new URL(apiUrl ?? 'https://api.stripe.com')
  const isPlain = url.protocol === 'http:'
  const seconds = checkedPositive('stripe', 'timeoutSeconds', timeoutSeconds)
  // Called without `this`, which `fetch` demands in Workers.
  const httpClient = Stripe.createFetchHttpClient((...request) => within(seconds, send(...request)))
  return new Stripe(checkedText('stripe', 'apiKey', apiKey), {
    apiVersion: API_VERSION,
    httpClient,
    host: url.hostname,
    protocol: isPlain ? 'http' : 'https',
    port: url.port || (isPlain ? 80 : 443),
    // A repeat is up to the job that made the call, so that its outcome is on record.
    maxNetworkRetries: 0,
    timeout: seconds * 1000,
    telemetry: false,
  })
}

async function fetchSubscription(api: StripeApi, id: string) {
  try {
    return await subscriptionOf(api, await api.client.subscriptions.retrieve(id))
  } catch (error) {
    if (isMissing(error)) return null
    throw error
  }
}

async function listSubscriptions(api: StripeApi, customer: string) {
  const every = { customer, status: 'all', limit: 100 } as const
  const found: RemoteSubscription[] = []
  // All that has not ended, not only the active ones: each of them can still charge.
  for await (const one of api.client.subscriptions.list(every)) {
    const subscription = await subscriptionOf(api, one)
    if (subscription.endedAt === null) found.push(subscription)
  }
  return found
}

async function changeItem(
  api: StripeApi,
  change: ItemChange,
  call: ProviderCall
): Promise<RemoteSubscription> {
  const { client } = api
  const quantity = checkedQuantity(change.quantity)
  const current = await fetchSubscription(api, change.subscriptionId)
  if (current === null) throw new ProviderError('permanent', 'subscription_missing')
  const item = itemOf(current, change)
  const priceId = change.toPriceId ?? item.priceId
  if (item.quantity === quantity && item.priceId === priceId) return current
  const grows = quantity > item.quantity
  const changed = await client.subscriptions.update(
    current.subscriptionId,
    {
      items: [{ id: item.id, quantity, ...(priceId !== item.priceId && { price: priceId }) }],
      proration_behavior: prorationBehavior(api, current, change),
      // Seats that are not paid for are not granted: a declined card leaves the quantity as it is.
      ...(grows && { payment_behavior: 'error_if_incomplete' }),
    },
    call
  )
  return subscriptionOf(api, changed)
}

async function cancel(
  api: StripeApi,
  {
    subscriptionId,
    atPeriodEnd,
  }: { readonly subscriptionId: string; readonly atPeriodEnd: boolean },
  call: ProviderCall
): Promise<RemoteSubscription | null> {
  const { client } = api
  const current = await fetchSubscription(api, subscriptionId)
  if (current === null || current.endedAt !== null) return current
  if (atPeriodEnd && current.cancelAt !== null) return current
  const ended = atPeriodEnd
    ? await client.subscriptions.update(subscriptionId, { cancel_at_period_end: true }, call)
    : await client.subscriptions.cancel(subscriptionId, {}, call)
  return subscriptionOf(api, ended)
}

function lineItem({ priceId, quantity }: CheckoutItem) {
  return { price: priceId, ...(quantity !== null && { quantity: checkedQuantity(quantity) }) }
}

function addressOf(url: string | null): string {
  if (url === null) throw new ProviderError('permanent', 'no_address')
  return url
}

function isMissing(error: unknown): boolean {
  return (
    error instanceof Stripe.errors.StripeInvalidRequestError && error.code === 'resource_missing'
  )
}
