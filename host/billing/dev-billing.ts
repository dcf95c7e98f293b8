/**
 * The provider of development: the stand-in, its state in a table of its own, and a route that does what
 * customers, cards and time do at a real one. It sends signed webhooks like the real one.
 *
 * @module
 */
import { Hono } from 'hono'
import { Stripe } from 'stripe'
import * as v from 'valibot'
import { billingWebhooks, problemResponse } from '../../src/hono/index.ts'
import type { Seatgate } from '../../src/index.ts'
import {
  connectBilling,
  putCustomer,
  reconcileCustomer,
  type BillingConnection,
} from '../../src/parts/billing/index.ts'
import { stripe } from '../../src/parts/billing/stripe/index.ts'
import {
  DEV_WEBHOOK_SECRET,
  StripeStandIn,
  type StandInState,
  type Subscription,
} from './stand-in.ts'

const API_KEY = 'sk_test_of_the_stand_in'
const DAY_MS = 24 * 60 * 60 * 1000

/** The plans of development. */
export const PLANS = {
  free: { included: 3, prices: ['price_free'] },
  team: { perSeat: true, prices: ['price_team'], graceDays: 7 },
  flat: { included: 10, prices: ['price_flat'] },
}

const PRICES = {
  price_free: { unitAmount: 0, interval: 'month' },
  price_team: { unitAmount: 1000, interval: 'month' },
  price_flat: { unitAmount: 4900, interval: 'month' },
} as const

const Seats = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(999_999))
const Input = v.variant('event', [
  v.object({
    event: v.literal('checkout_completed'),
    plan: v.optional(v.picklist(['free', 'team', 'flat']), 'team'),
    seats: v.optional(Seats, 1),
  }),
  v.object({ event: v.literal('quantity'), seats: Seats }),
  v.object({ event: v.picklist(['payment_failed', 'payment_succeeded', 'canceled']) }),
  v.object({
    event: v.literal('advance'),
    days: v.pipe(v.number(), v.minValue(0), v.maxValue(3650)),
  }),
])
type Event = v.InferOutput<typeof Input>

/** The provider of development, and its clock. */
export interface DevBilling {
  readonly connection: BillingConnection
  readonly now: () => Date
  /** Reads how far the clock is ahead; call it before anything that uses `now`. */
  ready(): Promise<void>
  /** The route `POST /dev/billing/:org`. */
  routes(seatgate: Seatgate): Hono
}

export function devBilling(database: D1Database, publicUrl: string): DevBilling {
  let ahead = 0
  let isReady = false
  const now = () => new Date(Date.now() + ahead)

  // The state is one row, so that it outlives the process as the organizations do.
  async function opened(): Promise<StripeStandIn> {
    await database.exec(
      'CREATE TABLE IF NOT EXISTS dev_billing (id INTEGER PRIMARY KEY, state TEXT NOT NULL)'
    )
    const row = await database
      .prepare('SELECT state FROM dev_billing WHERE id = 1')
      .first<{ state: string }>()
    const state = row ? (JSON.parse(row.state) as StandInState) : undefined
    const standIn = new StripeStandIn({ apiKey: API_KEY, prices: PRICES, ...(state && { state }) })
    ahead = standIn.state.ahead
    return standIn
  }
  const save = (standIn: StripeStandIn) =>
    database
      .prepare(
        'INSERT INTO dev_billing (id, state) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET state = ?1'
      )
      .bind(JSON.stringify(standIn.state))
      .run()

  const connection = connectBilling({
    providers: [
      stripe({
        apiKey: API_KEY,
        webhookSecret: DEV_WEBHOOK_SECRET,
        proration: 'always_invoice',
        async fetch(input, init) {
          const standIn = await opened()
          const response = await standIn.fetch(input, init)
          await save(standIn)
          return response
        },
      }),
    ],
    returnUrl: ({ organizationId }) => `${publicUrl}/?organization=${organizationId}`,
  })

  return {
    connection,
    now,
    async ready() {
      if (isReady) return
      await opened()
      isReady = true
    },
    routes(seatgate) {
      // Applied before the response, so that whoever asks next finds it.
      const context = { ...seatgate, waitUntil: null, connection }
      const webhooks = billingWebhooks(context, connection)
      return new Hono().post('/dev/billing/:org', async (c) => {
        const parsed = v.safeParse(Input, await c.req.json().catch(() => null))
        if (!parsed.success) {
          return problemResponse({ code: 'validation_error', errors: { event: ['Is not known.'] } })
        }
        const org = c.req.param('org')
        const organization = await database
          .prepare(
            'SELECT id, name FROM seatgate_organizations WHERE (id = lower(?1) OR slug = lower(?1)) AND deleted_at IS NULL'
          )
          .bind(org)
          .first<{ id: string; name: string }>()
        if (organization === null) return problemResponse({ code: 'organization_not_found' })
        const { id, name } = organization
        const created = await connection.provider.createCustomer(
          { organizationId: id, name },
          // The name belongs to the key: another name under the same key is refused.
          { idempotencyKey: `dev-customer-${id}-${name}` }
        )
        const customer = await putCustomer(context, 'stripe', id, created)
        const standIn = await opened()
        act(standIn, customer.customerId, parsed.output)
        ahead = standIn.state.ahead
        const events = standIn.takeEvents()
        await save(standIn)
        for (const event of events) {
          const body = JSON.stringify(event)
          const signature = await Stripe.webhooks.generateTestHeaderStringAsync({
            payload: body,
            secret: DEV_WEBHOOK_SECRET,
            timestamp: Math.floor(now().getTime() / 1000),
            cryptoProvider: Stripe.createSubtleCryptoProvider(),
          })
          const headers = { 'stripe-signature': signature }
          await webhooks.request('/billing/webhooks/stripe', { method: 'POST', headers, body })
        }
        if (parsed.output.event === 'advance') await reconcileCustomer(context, customer)
        return c.json({ event: parsed.output.event, webhooks: events.length }, 202)
      })
    },
  }
}

function act(standIn: StripeStandIn, customer: string, event: Event): void {
  if (event.event === 'advance') {
    standIn.state.ahead += event.days * DAY_MS
    return
  }
  const own = Object.values(standIn.state.subscriptions).find(
    (one) => one.customer === customer && one.ended_at === null
  )
  if (event.event === 'checkout_completed') {
    const { plan, seats } = event
    const lines = [{ price: PLANS[plan].prices[0] ?? '', quantity: plan === 'team' ? seats : 1 }]
    const open = Object.values(standIn.state.sessions).findLast(
      (one) => one.customer === customer && one.status === 'open'
    )
    if (own === undefined && open !== undefined) standIn.completeCheckout(open.id)
    else if (own === undefined) standIn.subscribe(customer, lines)
    else {
      standIn.change(own.id, ({ items }) => {
        const [item] = items.data
        if (item && lines[0])
          Object.assign(item, { quantity: lines[0].quantity, price: standIn.price(lines[0].price) })
      })
    }
    return
  }
  if (own === undefined) return
  standIn.change(own.id, (one) => change(one, event, standIn.time))
}

function change(one: Subscription, event: Event, time: number): void {
  const [item] = one.items.data
  if (event.event === 'quantity' && item) item.quantity = event.seats
  if (event.event === 'payment_failed') one.status = 'past_due'
  if (event.event === 'payment_succeeded') one.status = 'active'
  if (event.event === 'canceled')
    Object.assign(one, { status: 'canceled', ended_at: time, canceled_at: time })
}
