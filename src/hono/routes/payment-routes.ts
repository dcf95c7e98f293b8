import type { Hono } from 'hono'
import { getBilling } from '../../operations/billing/get-billing.ts'
import { checkProrations } from '../../parts/billing/check-proration.ts'
import {
  openCheckout,
  openPortal,
  previewChange,
  type CheckoutInput,
  type PreviewInput,
} from '../../parts/billing/checkout.ts'
import {
  cancelSubscription,
  requestSeats,
  resumeSubscription,
  type CancelInput,
  type SeatsInput,
} from '../../parts/billing/change-subscription.ts'
import type { BillingConnection } from '../../parts/billing/connection.ts'
import { receiveWebhook } from '../../parts/billing/receive-webhook.ts'
import type { Seatgate } from '../../seatgate.ts'
import { mountable } from '../mountable.ts'
import { answer, inOrganization, readOperation } from '../request.ts'
import type { Taking } from '../typed-response.ts'
import { readBody } from '../request-body.ts'
import { signedInRoutes, type GroupOf, type RouteOptions, type Routes } from './route-group.ts'

/**
 * Returns the routes of a billing provider for those who administer an organization: checkout, the customer's
 * pages, previews, seats, cancelling and resuming.
 *
 * @throws {TypeError} if an option is wrong, or a price of a plan has no proration choice.
 *
 * @example
 * ```ts
 * app.route('/', paymentRoutes(seatgate, connection, { authenticate }))
 * app.route('/', billingWebhooks(seatgate, connection))
 * ```
 */
export function paymentRoutes(
  seatgate: Seatgate,
  connection: BillingConnection,
  options: RouteOptions
): PaymentRoutes {
  checkProrations(seatgate.billing?.plans ?? null, connection)
  return signedInRoutes('paymentRoutes', { ...seatgate, connection }, options, addPayment)
}

/** The routes of {@link paymentRoutes}. */
export type PaymentRoutes = GroupOf<typeof addPayment>

type Paying = Seatgate & { readonly connection: BillingConnection }

const BILLING = '/organizations/:org/billing'

function addPayment(routes: Routes, seatgate: Paying) {
  return routes
    .post(`${BILLING}/checkout`, async (c: Taking<{ json: CheckoutInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await openCheckout(seatgate, inOrganization(c), input, options), 201)
    })
    .post(`${BILLING}/portal`, async (c) => {
      const { options } = await readOperation(c)
      return answer(c, await openPortal(seatgate, inOrganization(c), options), 201)
    })
    .post(`${BILLING}/preview`, async (c: Taking<{ json: PreviewInput }>) =>
      answer(c, await previewChange(seatgate, inOrganization(c), await readBody(c)))
    )
    .put(`${BILLING}/seats`, async (c: Taking<{ json: SeatsInput }>) => {
      const { input, options } = await readOperation(c)
      return answer(c, await requestSeats(seatgate, inOrganization(c), input, options), 202)
    })
    .post(`${BILLING}/cancel`, async (c: Taking<{ json: CancelInput }>) => {
      const { input, options } = await readOperation(c)
      const canceled = await cancelSubscription(seatgate, inOrganization(c), input, options)
      return answer(c, canceled.ok ? await getBilling(seatgate, inOrganization(c)) : canceled)
    })
    .post(`${BILLING}/resume`, async (c) => {
      const { options } = await readOperation(c)
      const resumed = await resumeSubscription(seatgate, inOrganization(c), options)
      return answer(c, resumed.ok ? await getBilling(seatgate, inOrganization(c)) : resumed)
    })
}

/** The largest webhook that is read, in bytes. */
const LARGEST_WEBHOOK = 512 * 1024

/**
 * Returns the route that billing providers send their webhooks to, `POST /billing/webhooks/:provider`. It reads
 * the bytes before any parser and needs no session: the signature identifies the sender. Responses do not
 * explain a refusal.
 *
 * @throws {TypeError} if a price of a plan has no proration choice.
 *
 * @example
 * ```ts
 * app.route('/', billingWebhooks(seatgate, connection))
 * ```
 */
export function billingWebhooks(
  seatgate: Seatgate,
  connection: BillingConnection
): BillingWebhooks {
  checkProrations(seatgate.billing?.plans ?? null, connection)
  return addWebhooks(mountable(), { ...seatgate, connection })
}

/** The route of {@link billingWebhooks}. */
export type BillingWebhooks = ReturnType<typeof addWebhooks>

function addWebhooks(routes: Hono, context: Paying) {
  return routes.post('/billing/webhooks/:provider', async (c) => {
    const body = await bytesOf(c.req.raw)
    if (body === null) return c.json({ received: false }, 413)
    const request = { body, headers: c.req.raw.headers, now: context.now() }
    const outcome = await receiveWebhook(context, c.req.param('provider'), request)
    const statuses = { taken: 200, refused: 400, unknown: 404, again: 500 } as const
    return c.json({ received: outcome === 'taken' }, statuses[outcome])
  })
}

async function bytesOf({ headers, body }: Request): Promise<Uint8Array<ArrayBuffer> | null> {
  if (Number(headers.get('content-length')) > LARGEST_WEBHOOK) return null
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.byteLength
    if (size > LARGEST_WEBHOOK) return null
    chunks.push(chunk)
  }
  const bytes = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.byteLength
  }
  return bytes
}
