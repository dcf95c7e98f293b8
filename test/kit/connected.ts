import { Stripe } from 'stripe'
import { StripeStandIn, type StripeEvent } from '../../host/billing/stand-in.ts'
import { billingWebhooks, paymentRoutes } from '../../src/hono/index.ts'
import { billing, seatUsage, type Report } from '../../src/index.ts'
import {
  connectBilling,
  putCustomer,
  type ConnectionContext,
  type ConnectionOptions,
} from '../../src/parts/billing/index.ts'
import { stripe, type StripeOptions } from '../../src/parts/billing/stripe/index.ts'
import {
  add,
  unwrap,
  createKit,
  newOrganization,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from './kit.ts'

export { devBilling, PLANS } from '../../host/billing/dev-billing.ts'

export const WEBHOOK_SECRET = 'whsec_of_the_test_endpoint'
const API_KEY = 'sk_test_of_the_stand_in'
const START = Date.parse('2026-03-01T00:00:00Z')

/** A kit that is connected to a stand-in for Stripe, with one clock. */
export interface Connected {
  readonly kit: Kit
  readonly context: ConnectionContext
  readonly standIn: StripeStandIn
  readonly reports: Report[]
  advance(seconds: number): void
  /** Sends an event as Stripe does. Returns the status of the response. */
  deliver(
    event: StripeEvent,
    options?: { readonly body?: string; readonly secret?: string }
  ): Promise<number>
  /** Delivers what the stand-in has to tell, and waits until it is applied. */
  deliverAll(): Promise<void>
  /** An organization that has a customer. */
  customer(): Promise<TestOrganization & { readonly customerId: string }>
  /** An organization with seats that are bought. */
  subscribed(
    seats: number,
    price?: string
  ): Promise<TestOrganization & { readonly customerId: string; readonly subscriptionId: string }>
  limit(organization: TestOrganization): Promise<unknown>
  /** Adds a member, for sure. */
  join(organization: TestOrganization): Promise<string>
  /** A request of somebody to the routes of an organization. */
  ask(
    userId: string,
    method: string,
    path: string,
    body?: unknown,
    headers?: Readonly<Record<string, string>>
  ): Promise<Response>
}

export function connected({
  connection: options = {},
  stripe: stripeOptions = {},
  taxPercent = 0,
  ...kitOptions
}: KitOptions & {
  readonly connection?: Partial<ConnectionOptions>
  readonly stripe?: Partial<StripeOptions>
  readonly taxPercent?: number
} = {}): Connected {
  let time = START
  const reports: Report[] = []
  const now = () => new Date(time)
  const kit = createKit({
    provider: 'd1',
    now,
    report: (report) => reports.push(report),
    billing: billing({
      plans: {
        team: { perSeat: true, prices: ['price_team'], graceDays: 3 },
        flat: { included: 10, prices: ['price_flat'] },
        open: { included: 'unlimited', perSeat: true, prices: ['price_open'] },
      },
      baseSeats: 3,
    }),
    ...kitOptions,
  })
  const standIn = new StripeStandIn({
    apiKey: API_KEY,
    taxPercent,
    prices: {
      price_team: { unitAmount: 1000, interval: 'month' },
      price_open: { unitAmount: 500, interval: 'month' },
      price_flat: { unitAmount: 4900, interval: 'month' },
    },
    now: () => time,
    newId: () => crypto.randomUUID(),
  })
  const connection = connectBilling({
    providers: [
      stripe({
        apiKey: API_KEY,
        webhookSecret: WEBHOOK_SECRET,
        proration: 'always_invoice',
        fetch: standIn.fetch,
        ...stripeOptions,
      }),
    ],
    returnUrl: ({ organizationId }) => `https://app.example.com/${organizationId}`,
    ...options,
  })
  const context = { ...kit.seatgate, connection }
  const webhooks = billingWebhooks(kit.seatgate, connection)
  const routes = paymentRoutes(kit.seatgate, connection, {
    authenticate: async (c) => ({ userId: c.req.header('x-user') ?? '' }),
  })

  async function deliver(
    event: StripeEvent,
    { body = JSON.stringify(event), secret = WEBHOOK_SECRET } = {}
  ) {
    const header = await Stripe.webhooks.generateTestHeaderStringAsync({
      payload: JSON.stringify(event),
      secret,
      timestamp: Math.floor(time / 1000),
      cryptoProvider: Stripe.createSubtleCryptoProvider(),
    })
    const headers = { 'stripe-signature': header, 'content-type': 'application/json' }
    const { status } = await webhooks.request('/billing/webhooks/stripe', {
      method: 'POST',
      headers,
      body,
    })
    return status
  }

  async function customer() {
    const organization = await newOrganization(kit)
    const customerId = await connection.provider.createCustomer(
      { organizationId: organization.id, name: 'Test' },
      { idempotencyKey: crypto.randomUUID() }
    )
    await putCustomer(context, 'stripe', organization.id, customerId)
    return { ...organization, customerId }
  }

  const test: Connected = {
    kit,
    context,
    standIn,
    reports,
    deliver,
    advance: (seconds) => (time += seconds * 1000),
    async deliverAll() {
      for (const event of standIn.takeEvents()) {
        const status = await deliver(event)
        if (status !== 200) throw new Error(`A webhook was unwrap ${status}.`)
        await kit.settled()
      }
    },
    customer,
    async subscribed(seats, price = 'price_team') {
      const organization = await customer()
      const lines = [{ price, quantity: seats }]
      const { id } = standIn.subscribe(organization.customerId, lines)
      await test.deliverAll()
      return { ...organization, subscriptionId: id }
    },
    async join(organization) {
      const { userId } = unwrap(await add(kit, organization)).membership
      await kit.settled()
      return userId
    },
    async limit(organization) {
      return unwrap(await seatUsage(kit.seatgate, organization.as(organization.owner))).limit
    },
    ask: (userId, method, path, body, headers = {}) =>
      Promise.resolve(
        routes.request(path, {
          method,
          headers: {
            'x-user': userId,
            ...headers,
            ...(body !== undefined && { 'content-type': 'application/json' }),
          },
          ...(body !== undefined && { body: JSON.stringify(body) }),
        })
      ),
  }
  return test
}
