/**
 * Seats are sold with Stripe: three are free, and each further one is a unit of the subscription.
 *
 * @module
 */
import { env, waitUntil } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { billing, createSeatgate, d1Seats } from 'seatgate'
import { connectBilling, expandSeats, sweepBilling } from 'seatgate/billing'
import { billingWebhooks, paymentRoutes, seatgateRouter, type Authenticate } from 'seatgate/hono'
import { stripe } from 'seatgate/stripe'
import { sweepHandler } from 'seatgate/worker'

const seatgate = createSeatgate({
  database: drizzle(env.DB),
  seats: d1Seats(),
  sessions: 'none',
  identity: { stepUp: () => false },
  billing: billing({
    plans: { team: { included: 3, perSeat: true, prices: [env.STRIPE_PRICE], graceDays: 7 } },
    baseSeats: 3,
  }),
  runtime: { waitUntil },
})

const connection = connectBilling({
  providers: [
    stripe({
      // A key that begins with `sk_test_` makes no real payment.
      apiKey: env.STRIPE_API_KEY,
      webhookSecret: env.STRIPE_WEBHOOK_SECRET,
      proration: 'always_invoice',
    }),
  ],
  // A member for whom there is no seat is added after one has been bought.
  quantity: 'auto_expand',
  returnUrl: ({ organizationId }) => `${env.PUBLIC_URL}/organizations/${organizationId}/billing`,
})

// Replace this function and `stepUp`: this one trusts a header that any client can set.
const authenticate: Authenticate = (c) => {
  const userId = c.req.header('x-user-id')
  return userId ? { userId } : null
}

const app = new Hono()
  .route('/', seatgateRouter(expandSeats(seatgate, connection), { authenticate }))
  .route('/', paymentRoutes(seatgate, connection, { authenticate }))
  .route('/', billingWebhooks(seatgate, connection))

const sweep = sweepHandler(seatgate)

export default {
  fetch: app.fetch,
  async scheduled() {
    await sweep()
    await sweepBilling({ ...seatgate, connection })
  },
}
