import { Stripe } from 'stripe'
import type { BillingProvider } from '../billing-provider.ts'
import { isWithinTolerance, type ProviderEvent, type WebhookRequest } from '../webhook-request.ts'
import { idOf, instant } from './stripe-subscription.ts'

/** Verifies webhooks with Stripe's own package, which compares with Web Crypto. */
export function stripeWebhooks(options: {
  readonly secrets: readonly string[]
  readonly toleranceSeconds: number
}): BillingProvider['receive'] {
  const { secrets, toleranceSeconds } = options
  const crypto = Stripe.createSubtleCryptoProvider()
  return async (request) => {
    const header = request.headers.get('stripe-signature') ?? ''
    for (const secret of secrets) {
      const event = await construct(request, header, secret)
      if (event === 'signature') continue
      if (event === 'body') return { verified: false, reason: 'body' }
      // Stripe's package has no limit for times in the future.
      if (!isWithinTolerance(timeIn(header), request.now, toleranceSeconds)) {
        return { verified: false, reason: 'time' }
      }
      const reference = referenceOf(event)
      return reference === null
        ? { verified: false, reason: 'body' }
        : { verified: true, event: reference }
    }
    return { verified: false, reason: 'signature' }
  }

  async function construct({ body }: WebhookRequest, header: string, secret: string) {
    try {
      // Without its own tolerance, which `timeIn` replaces for both directions.
      return await Stripe.webhooks.constructEventAsync(body, header, secret, 0, crypto)
    } catch (error) {
      return error instanceof Stripe.errors.StripeSignatureVerificationError ? 'signature' : 'body'
    }
  }
}

// As Stripe's package reads it: the last one counts.
function timeIn(header: string): number {
  const times = header.split(',').flatMap((part) => (part.startsWith('t=') ? [part.slice(2)] : []))
  return Number.parseInt(times.at(-1) ?? '', 10)
}

function referenceOf(event: Stripe.Event): ProviderEvent | null {
  if (typeof event !== 'object' || event === null) return null
  const { id, type, created, livemode, account } = event
  const isEvent =
    typeof id === 'string' && typeof type === 'string' && Number.isSafeInteger(created)
  const object: unknown = event.data?.object
  if (!isEvent || typeof object !== 'object' || object === null) return null
  return {
    id,
    type,
    providerTime: instant(created),
    mode: livemode ? 'live' : 'test',
    account: account ?? '',
    ...subjectOf(object),
  }
}

/** The objects of events: a subscription, an invoice or a checkout, with what they have in common. */
interface Subject {
  readonly object?: string
  readonly id?: string
  readonly customer?: string | { readonly id: string } | null
  readonly subscription?: string | { readonly id: string } | null
  readonly parent?: {
    readonly subscription_details?: {
      readonly subscription?: string | { readonly id: string }
    } | null
  } | null
}

function subjectOf({ object, id, customer, subscription, parent }: Subject) {
  const named = object === 'subscription' ? id : subscription
  const about = named ?? parent?.subscription_details?.subscription ?? null
  return {
    subscriptionId: about === null ? null : idOf(about),
    customerId: customer ? idOf(customer) : null,
  }
}
