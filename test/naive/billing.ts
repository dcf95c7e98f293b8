import { StripeStandIn, type StripeEvent, type Subscription } from '../../host/billing/stand-in.ts'
import type { BillingProduct, Paying } from '../museum/billing-cases.ts'

const KEY = 'sk_test_of_the_naive'
const BASE = 3

interface Organization {
  readonly paying: Paying
  readonly members: Map<string, 'active' | 'suspended'>
  itemId: string
  status: string
  quantity: number
  perSeat: boolean
  due: number
  canceled: boolean
  deleted: boolean
  emails: number
}

/**
 * Billing as it is written in an afternoon: the webhook's payload is the state, each change is sent, and the
 * local row decides. Every method is plausible, and each has a bug that a product has shipped.
 */
export function openNaiveBilling(): BillingProduct {
  let time = Date.parse('2026-03-01T00:00:00Z')
  let between: (() => Promise<void>) | null = null
  const standIn = new StripeStandIn({
    apiKey: KEY,
    taxPercent: 19,
    prices: {
      price_team: { unitAmount: 1000, interval: 'month' },
      price_open: { unitAmount: 500, interval: 'month' },
      price_flat: { unitAmount: 4900, interval: 'month' },
    },
    now: () => time,
  })
  const organizations = new Map<string, Organization>()
  const of = ({ id }: Paying) => {
    const organization = organizations.get(id)
    if (organization === undefined) throw new Error('There is no such organization.')
    return organization
  }

  async function call(method: string, path: string, form: Record<string, string> = {}) {
    const body = new URLSearchParams(form)
    const response = await standIn.fetch(`https://api.stripe.com${path}`, {
      method,
      headers: { authorization: `Bearer ${KEY}` },
      ...(method === 'POST' && { body }),
    })
    if (!response.ok) throw new Error(`status ${response.status}`)
    return response.json()
  }

  // MUSEUM-32: the stored id, and a failure is swallowed. MUSEUM-36, MUSEUM-39: sent in any case.
  async function send({ itemId, paying, quantity }: Organization) {
    try {
      await call('POST', `/v1/subscriptions/${paying.subscriptionId}`, {
        'items[0][id]': itemId,
        'items[0][quantity]': String(Math.max(1, quantity)),
        proration_behavior: 'always_invoice',
      })
    } catch {
      // Logged, once there is a logger.
    }
  }

  // MUSEUM-35: any plan. MUSEUM-34, MUSEUM-38: a member is a member, and each departure is one less.
  async function moved(organization: Organization, by: number) {
    organization.quantity += by
    // MUSEUM-31: what is stored follows a day later.
    organization.due = time + 60_000
    await send(organization)
  }

  const limitOf = ({ status, perSeat, canceled, paying }: Organization): number => {
    if (!perSeat) return Infinity
    if (canceled || status === 'unpaid') return BASE
    return standIn.state.subscriptions[paying.subscriptionId]?.items.data[0]?.quantity ?? BASE
  }

  return {
    standIn,
    advance: (seconds) => (time += seconds * 1000),
    afterAnswer: (run) => (between = run),
    async open(seats, price = 'price_team') {
      const id = crypto.randomUUID()
      const customer = (await call('POST', '/v1/customers', { name: 'Test' })) as { id: string }
      const made = standIn.subscribe(customer.id, [{ price, quantity: seats }])
      standIn.takeEvents()
      const paying = { id, customerId: customer.id, subscriptionId: made.id }
      organizations.set(id, {
        paying,
        members: new Map([['owner', 'active']]),
        itemId: made.items.data[0]?.id ?? '',
        status: 'active',
        quantity: seats,
        perSeat: price === 'price_team',
        due: 0,
        canceled: false,
        deleted: false,
        emails: 0,
      })
      return paying
    },
    async join(at) {
      const organization = of(at)
      if (organization.members.size >= limitOf(organization)) return null
      const userId = crypto.randomUUID()
      organization.members.set(userId, 'active')
      await moved(organization, 1)
      return userId
    },
    // MUSEUM-46: only the other door asks for the state.
    invite: async () => true,
    async leave(at, userId) {
      of(at).members.delete(userId)
      await moved(of(at), -1)
    },
    async suspend(at, userId) {
      of(at).members.set(userId, 'suspended')
      await moved(of(at), -1)
    },
    async deliver({ data: { object }, type }: StripeEvent) {
      const { id, customer, status, ended_at } = object as Subscription
      const organization = [...organizations.values()].find(
        ({ paying }) => paying.customerId === customer
      )
      if (organization === undefined || id !== organization.paying.subscriptionId) return
      // MUSEUM-43: a mail for each event. MUSEUM-40: the payload is the state.
      if (status === 'active' && type !== 'customer.subscription.created') organization.emails += 1
      organization.status = status
      if (ended_at !== null) organization.canceled = true
      await send(organization)
    },
    async tick() {
      for (const organization of organizations.values()) {
        const { paying, deleted } = organization
        if (deleted) continue
        // MUSEUM-42: read, and written later.
        const found = standIn.state.subscriptions[paying.subscriptionId]
        const status = found?.status ?? 'none'
        const run = between
        between = null
        await run?.()
        organization.status = status
      }
    },
    // MUSEUM-31: the stored number, which a sync is to bring later.
    async previewed(at) {
      const { quantity, due, members } = of(at)
      return due > time && quantity === members.size ? 1 : members.size
    },
    async amount(at, seats) {
      // MUSEUM-33: the lines of the first page, before tax.
      const preview = (await call('POST', '/v1/invoices/create_preview', {
        subscription: at.subscriptionId,
        'subscription_details[items][0][id]': of(at).itemId,
        'subscription_details[items][0][quantity]': String(seats),
        'subscription_details[proration_behavior]': 'always_invoice',
      })) as { lines: { data: readonly { amount: number }[] } }
      return preview.lines.data.reduce((sum, { amount }) => sum + amount, 0)
    },
    // MUSEUM-37: Stripe has a default for everything.
    startsWithoutYearlyChoice: () => true,
    async cancelAtPeriodEnd(at) {
      await call('POST', `/v1/subscriptions/${at.subscriptionId}`, { cancel_at_period_end: 'true' })
      // MUSEUM-47: canceled is canceled.
      of(at).canceled = true
    },
    async remove(at) {
      const organization = of(at)
      organization.deleted = true
      // MUSEUM-44: an error is nobody's. MUSEUM-45: those that are active.
      if (standIn.state.subscriptions[at.subscriptionId]?.status !== 'active') return
      try {
        await call('DELETE', `/v1/subscriptions/${at.subscriptionId}`)
      } catch {
        // The deletion must not fail.
      }
    },
    status: async (at) => of(at).status,
    limit: async (at) => {
      const limit = limitOf(of(at))
      return limit === Infinity ? 'unlimited' : limit
    },
    recoveries: async (at) => of(at).emails,
    outcomes: async () => [],
    failures: () => 0,
    // MUSEUM-48: the row is still there.
    subscribers: async (at) => (organizations.has(at.id) ? 1 : 0),
  }
}
