import { checkOptionNames, namesOf } from '../../../base/names.ts'
import {
  checkedName,
  checkedPositive,
  checkedProration,
  checkedQuantity,
  itemOf,
  prorationOf,
  type AdapterOptions,
} from '../adapter-options.ts'
import type {
  BillingProvider,
  Checkout,
  ItemChange,
  NewCustomer,
  Proration,
  RemoteSubscription,
} from '../billing-provider.ts'
import { ProviderError } from '../provider-error.ts'
import { checkStandardWebhook } from '../standard-webhooks.ts'
import { checkedSecrets, TOLERANCE_SECONDS, type ReceivedWebhook } from '../webhook-request.ts'
import { polarApi, type PolarApi } from './polar-api.ts'
import { eventOf, subscriptionOf } from './polar-objects.ts'

/** Options of {@link polar}. */
export interface PolarOptions extends AdapterOptions {
  /** An organization access token for customers, subscriptions, checkouts and customer sessions. */
  readonly accessToken: string
  /** Where the API is. Default `https://api.polar.sh`. */
  readonly apiUrl?: string
}

const OPTIONS = namesOf<PolarOptions>({
  name: true,
  accessToken: true,
  apiUrl: true,
  webhookSecret: true,
  proration: true,
  toleranceSeconds: true,
  timeoutSeconds: true,
  fetch: true,
})

// Polar has no change that is in force and not billed: such a change waits for the next period.
const PRORATIONS = {
  create: 'prorate',
  none: 'next_period',
  always_invoice: 'invoice',
} as const satisfies Record<Proration, string>

/**
 * Creates the adapter for Polar: checkout, the customer portal, seat-based subscriptions and their
 * webhooks, which follow Standard Webhooks. The price of a plan is the id of a product.
 *
 * Polar cannot preview a change: `preview` returns no amount. A change that is not billed is in
 * force from the next period on.
 *
 * @throws {TypeError} if an option is wrong, or `proration` is not chosen. The message names it.
 *
 * @example
 * ```ts
 * import { polar } from 'seatgate/polar'
 *
 * const provider = polar({
 *   accessToken: env.POLAR_ACCESS_TOKEN,
 *   webhookSecret: env.POLAR_WEBHOOK_SECRET,
 *   proration: 'always_invoice',
 * })
 * ```
 */
export function polar(options: PolarOptions): BillingProvider {
  checkOptionNames('polar', options, OPTIONS)
  const name = checkedName('polar', options.name ?? 'polar')
  const prorationFor = checkedProration('polar', options.proration)
  const secrets = checkedSecrets('polar', options.webhookSecret)
  const tolerance = checkedPositive(
    'polar',
    'toleranceSeconds',
    options.toleranceSeconds ?? TOLERANCE_SECONDS
  )
  const api = polarApi(name, options)
  return {
    name,
    prorationFor,
    receive: async (request): Promise<ReceivedWebhook> => {
      const checked = await checkStandardWebhook(request, secrets, tolerance)
      if (!checked.verified) return checked
      const event = eventOf(checked)
      return event === null ? { verified: false, reason: 'body' } : { verified: true, event }
    },
    fetchSubscription: (id) => fetchSubscription(api, id),
    listSubscriptions: (customerId) => listSubscriptions(api, customerId),
    createCustomer: (customer) => createCustomer(api, customer),
    checkout: (checkout) => openCheckout(api, checkout),
    portal: async (customerId, returnUrl) => {
      const session = await api.post('/v1/customer-sessions/', {
        customer_id: customerId,
        return_url: returnUrl,
      })
      return textIn(session, 'customer_portal_url')
    },
    preview: async () => ({ amountDue: null, currency: null, lines: [] }),
    setQuantity: (change) => changeItem(api, prorationFor, change),
    changePlan: (change) => changeItem(api, prorationFor, change),
    cancel: async ({ subscriptionId, atPeriodEnd }) => {
      const current = await fetchSubscription(api, subscriptionId)
      if (current === null || current.endedAt !== null) return current
      if (atPeriodEnd && current.cancelAt !== null) return current
      const change = atPeriodEnd ? { cancel_at_period_end: true } : { revoke: true }
      return patch(api, subscriptionId, change)
    },
    resume: (id) => patch(api, id, { cancel_at_period_end: false }),
  }
}

async function fetchSubscription(api: PolarApi, id: string): Promise<RemoteSubscription | null> {
  const found = await api.get(`/v1/subscriptions/${encodeURIComponent(id)}`)
  return found === null ? null : subscriptionOf(api.name, found)
}

async function listSubscriptions(api: PolarApi, customerId: string) {
  const subscriptions: RemoteSubscription[] = []
  for (let page = 1; ; page++) {
    const query = new URLSearchParams({ customer_id: customerId, limit: '100', page: String(page) })
    const found = await api.get(`/v1/subscriptions/?${query.toString()}`)
    const { items, pagination } = (found ?? {}) as {
      items?: unknown[]
      pagination?: { max_page?: number }
    }
    subscriptions.push(...(items ?? []).map((item) => subscriptionOf(api.name, item)))
    if (page >= (pagination?.max_page ?? 1)) break
  }
  return subscriptions.filter(({ endedAt }) => endedAt === null)
}

// Polar has no idempotency keys. An external id is unique, so that a repeat finds the first customer.
async function createCustomer(api: PolarApi, { organizationId, name }: NewCustomer) {
  const place = `/v1/customers/external/${encodeURIComponent(organizationId)}`
  const found = await api.get(place)
  if (found !== null) return textIn(found, 'id')
  const customer = { type: 'team', external_id: organizationId, name }
  try {
    return textIn(await api.post('/v1/customers/', customer), 'id')
  } catch (error) {
    const created = await api.get(place)
    if (created === null) throw error
    return textIn(created, 'id')
  }
}

async function openCheckout(api: PolarApi, { items, ...checkout }: Checkout): Promise<string> {
  const [item, ...others] = items
  if (item === undefined || others.length > 0) {
    throw new ProviderError('permanent', 'one_product_only')
  }
  const opened = await api.post('/v1/checkouts/', {
    products: [item.priceId],
    customer_id: checkout.customerId,
    success_url: checkout.successUrl,
    return_url: checkout.cancelUrl,
    ...(item.quantity !== null && { seats: checkedQuantity(item.quantity) }),
  })
  return textIn(opened, 'url')
}

// A product and a number of seats are two changes; the product first, which keeps the seats.
async function changeItem(
  api: PolarApi,
  prorationFor: BillingProvider['prorationFor'],
  change: ItemChange
): Promise<RemoteSubscription> {
  const quantity = checkedQuantity(change.quantity)
  let current = await fetchSubscription(api, change.subscriptionId)
  if (current === null) throw new ProviderError('permanent', 'subscription_missing')
  const item = itemOf(current, change)
  const proration_behavior = PRORATIONS[prorationOf(prorationFor, item, change)]
  const product = change.toPriceId ?? item.priceId
  if (product !== item.priceId) {
    current = await patch(api, current.subscriptionId, { product_id: product, proration_behavior })
  }
  const seats = current.items[0]?.quantity
  return seats === quantity
    ? current
    : patch(api, current.subscriptionId, { seats: quantity, proration_behavior })
}

async function patch(api: PolarApi, id: string, change: object): Promise<RemoteSubscription> {
  return subscriptionOf(
    api.name,
    await api.patch(`/v1/subscriptions/${encodeURIComponent(id)}`, change)
  )
}

function textIn(object: unknown, name: string): string {
  const value = (object as Record<string, unknown> | null)?.[name]
  if (typeof value === 'string' && value !== '') return value
  throw new ProviderError('permanent', 'unexpected_answer')
}
