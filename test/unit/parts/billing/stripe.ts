import { Stripe } from 'stripe'
import { StripeStandIn } from '../../../../host/billing/stand-in.ts'
import { stripe, type StripeOptions } from '../../../../src/parts/billing/stripe/index.ts'
import type { BillingProvider } from '../../../../src/parts/billing/billing-provider.ts'

export const SECRET = 'whsec_test_secret_of_the_endpoint'
export const NOW = new Date('2026-11-20T12:00:00.000Z')
const API_KEY = 'sk_test_of_the_stand_in'

const PRICES = {
  price_seat: { unitAmount: 1000, interval: 'month' },
  price_seat_yearly: { unitAmount: 9600, interval: 'year' },
  price_flat: { unitAmount: 4900, interval: 'month' },
} as const

/** The adapter, and the stand-in that it calls. */
export interface StripeTest {
  readonly standIn: StripeStandIn
  readonly provider: BillingProvider
  /** Makes a customer with a subscription. */
  subscribed(
    quantity: number,
    price?: string
  ): Promise<{ customerId: string; subscriptionId: string }>
}

export function stripeTest(options: Partial<StripeOptions> = {}): StripeTest {
  const standIn = new StripeStandIn({
    apiKey: API_KEY,
    prices: PRICES,
    taxPercent: 21,
    now: () => NOW.getTime(),
  })
  const provider = stripe({
    apiKey: API_KEY,
    webhookSecret: SECRET,
    proration: 'create',
    fetch: standIn.fetch,
    ...options,
  })
  return {
    standIn,
    provider,
    async subscribed(quantity, price = 'price_seat') {
      const customerId = await provider.createCustomer(
        { organizationId: 'acme', name: 'Acme' },
        { idempotencyKey: `customer-${standIn.state.count}` }
      )
      const { id } = standIn.subscribe(customerId, [{ price, quantity }])
      standIn.asked.length = 0
      return { customerId, subscriptionId: id }
    },
  }
}

/** Signs a text as Stripe does, with Stripe's own package. */
export async function signedByStripe(
  payload: string,
  { secret = SECRET, at = NOW }: { readonly secret?: string; readonly at?: Date } = {}
): Promise<Headers> {
  const header = await Stripe.webhooks.generateTestHeaderStringAsync({
    payload,
    secret,
    timestamp: Math.floor(at.getTime() / 1000),
    cryptoProvider: Stripe.createSubtleCryptoProvider(),
  })
  return new Headers({ 'stripe-signature': header })
}

export const bytes = (text: string) => new Uint8Array(new TextEncoder().encode(text))
