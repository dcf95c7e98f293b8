/**
 * Addresses of the provider's pages, and previews.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import {
  invalid,
  type AccessRefusal,
  type InputRefusal,
  type SeatsToFree,
} from '../../base/result.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { OperationOptions } from '../../engine/changes/operation.ts'
import type { EntitledSeats } from '../../engine/seats/entitlement.ts'
import type { Plan } from '../../engine/seats/plans.ts'
import { LARGEST_QUANTITY } from './adapter-options.ts'
import type { Preview } from './billing-provider.ts'
import { clientOperation } from './client-operation.ts'
import { callKey, ensureCustomer } from './customers.ts'
import type { ConnectionContext } from './connection.ts'
import {
  customerAt,
  findBilling,
  refusalOfProvider,
  seatsToFree,
  type BillingFound,
} from './subscription-access.ts'

const MESSAGE = `Must be a whole number from 1 to ${LARGEST_QUANTITY}.`

/** A number of seats to buy. */
export const Seats = v.pipe(
  v.number(MESSAGE),
  v.integer(MESSAGE),
  v.minValue(1, MESSAGE),
  v.maxValue(LARGEST_QUANTITY, MESSAGE)
)

const CheckoutInput = v.object({ plan: v.string(), seats: v.nullish(Seats) }, 'Must be an object.')
const PreviewInput = v.object(
  { plan: v.nullish(v.string()), seats: v.nullish(Seats) },
  'Must be an object.'
)

/** The input of {@link openCheckout}. */
export interface CheckoutInput {
  readonly plan: string
  /** The seats to buy, for a plan by the seat. Default: as many as are in use. */
  readonly seats?: number | null | undefined
}

/** The input of {@link previewChange}. Default: the present plan and number of seats. */
export interface PreviewInput {
  readonly plan?: string | null | undefined
  readonly seats?: number | null | undefined
}

/** An address for the browser. */
export interface Address {
  readonly url: string
}

/** A provider that fails: it refuses, or cannot answer now. */
export type ProviderRefusal = 'provider_refused' | 'provider_unavailable'

/** Why {@link openCheckout} refuses. */
export type OpenCheckoutRefusal =
  | AccessRefusal
  | InputRefusal
  | ProviderRefusal
  | 'already_subscribed'
  | 'seats_in_use'

/**
 * Opens a checkout of the provider `{ plan, seats? }`, for those who administer the organization. The
 * customer is created first. An organization that has a subscription which can still charge gets no
 * second one.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `already_subscribed`, `seats_in_use`, `provider_refused`,
 * `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const opened = await openCheckout(context, scope, { plan: 'team', seats: 10 })
 * if (opened.ok) return c.redirect(opened.value.url)
 * ```
 */
export function openCheckout(
  context: ConnectionContext,
  scope: OrganizationScope,
  input: CheckoutInput,
  options: OperationOptions = {}
): Promise<Result<Address, OpenCheckoutRefusal>> {
  return observed(context, 'organization.billing.open_checkout', async (context) => {
    const found = await findBilling(context, scope)
    if (!found.ok) return found
    const parsed = parseInput(CheckoutInput, input)
    if (!parsed.ok) return parsed
    const client = clientOperation(context, options)
    if (!client.ok) return client
    const { organization, subscription } = found.value
    if (subscription !== null) return refused({ code: 'already_subscribed' })
    const wanted = wantedOf(context, found.value, parsed.value)
    if (!wanted.ok) return wanted
    const { plan, seats, priceId } = wanted.value
    const mustFree = seatsToFree(found.value, planSeats(plan, seats))
    if (mustFree.seats > 0) return refused({ code: 'seats_in_use', mustFree })
    const { connection, now } = context
    try {
      const customerId = await ensureCustomer(context, connection.provider, organization)
      // Two clicks are one checkout: within some minutes the key is the same.
      const moment = client.value ?? Math.floor(now().getTime() / SAME_CHECKOUT_MS)
      const returnUrl = connection.returnUrl({ organizationId: organization.id })
      const key = ['checkout', organization.id, priceId, seats, moment, returnUrl]
      const url = await connection.provider.checkout(
        {
          organizationId: organization.id,
          customerId,
          items: [{ priceId, quantity: plan.perSeat ? seats : 1 }],
          successUrl: returnUrl,
          cancelUrl: returnUrl,
        },
        { idempotencyKey: await callKey(key) }
      )
      return ok({ url })
    } catch (error) {
      return refusalOfProvider(context, organization.id, error)
    }
  })
}

const SAME_CHECKOUT_MS = 10 * 60 * 1000

/**
 * Opens the customer's own pages at the provider: invoices, cards, cancellation.
 *
 * Refusals: `AccessRefusal`, `no_subscription`, `provider_refused`, `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const opened = await openPortal({ ...seatgate, connection }, scope)
 * if (opened.ok) return c.redirect(opened.value.url)
 * ```
 */
export function openPortal(
  context: ConnectionContext,
  scope: OrganizationScope,
  { unreadableId }: Pick<OperationOptions, 'unreadableId'> = {}
): Promise<Result<Address, AccessRefusal | ProviderRefusal | 'no_subscription'>> {
  return observed(context, 'organization.billing.open_portal', async (context) => {
    const found = await findBilling(context, scope)
    if (!found.ok) return found
    if (unreadableId) return unreadableId.refuse()
    const { organization, subscription } = found.value
    const { providers, returnUrl } = context.connection
    // The pages are where the subscription is; without one where the organization was a customer.
    const names = subscription === null ? [...providers.keys()] : [subscription.provider]
    const [customer] = names.flatMap((name) => customerAt(found.value, name) ?? [])
    const provider = providers.get(customer?.provider ?? '')
    if (!customer || !provider) return refused({ code: 'no_subscription' })
    try {
      const back = returnUrl({ organizationId: organization.id })
      return ok({ url: await provider.portal(customer.customerId, back) })
    } catch (error) {
      return refusalOfProvider(context, organization.id, error)
    }
  })
}

/** The cost of a change, and the seats that have to be free before it. */
export interface PreviewView extends Preview {
  readonly mustFree: SeatsToFree
}

/**
 * Previews a change of plan or seats `{ plan?, seats? }`: the amount that is due, with tax, in minor
 * units, and how many seats have to be free first. Makes no change.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `provider_refused`, `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const preview = await previewChange({ ...seatgate, connection }, scope, { seats: 25 })
 * ```
 */
export function previewChange(
  context: ConnectionContext,
  scope: OrganizationScope,
  input: PreviewInput
): Promise<Result<PreviewView, AccessRefusal | InputRefusal | ProviderRefusal>> {
  return observed(context, 'organization.billing.preview', async (context) => {
    const found = await findBilling(context, scope)
    if (!found.ok) return found
    const parsed = parseInput(PreviewInput, input)
    if (!parsed.ok) return parsed
    const wanted = wantedOf(context, found.value, parsed.value)
    if (!wanted.ok) return wanted
    const { plan, seats, priceId } = wanted.value
    const { organization, subscription, entitled } = found.value
    const mustFree = seatsToFree(found.value, planSeats(plan, seats))
    const quantity = plan.perSeat ? seats : 1
    const { connection } = context
    const provider = connection.providers.get(subscription?.provider ?? '') ?? connection.provider
    try {
      const current = subscription?.plan ? context.billing?.plans.get(subscription.plan) : undefined
      if (subscription === null || current === undefined) {
        // Without a customer there is no amount that is due: taxes depend on the customer.
        const customer = customerAt(found.value, provider.name)
        if (customer === null) return ok({ ...NO_AMOUNT, mustFree })
        const items = [{ priceId, quantity }]
        return ok({
          ...(await provider.preview({ customerId: customer.customerId, items })),
          mustFree,
        })
      }
      const { subscriptionId } = subscription
      const remote = await provider.fetchSubscription(subscriptionId)
      const item = remote?.items.find((one) => current.prices.includes(one.priceId))
      if (item === undefined) return ok({ ...NO_AMOUNT, mustFree })
      const isSame = entitled.plan?.name === plan.name
      const change = {
        subscriptionId,
        priceId: item.priceId,
        quantity,
        ...(!isSame && { toPriceId: priceId }),
      }
      return ok({ ...(await provider.preview(change)), mustFree })
    } catch (error) {
      return refusalOfProvider(context, organization.id, error)
    }
  })
}

const NO_AMOUNT: Preview = { amountDue: null, currency: null, lines: [] }

interface Wanted {
  readonly plan: Plan
  readonly seats: number
  readonly priceId: string
}

function wantedOf(
  { billing, connection }: ConnectionContext,
  { used, subscription, entitled }: BillingFound,
  input: PreviewInput
): Result<Wanted, 'validation_error'> {
  const name = input.plan ?? subscription?.plan ?? ''
  const plan = billing?.plans.get(name)
  const priceId = plan?.prices[0]
  if (plan === undefined || priceId === undefined) {
    return refused(invalid({ plan: ['Must be a plan that can be bought.'] }))
  }
  if (!plan.perSeat && (input.seats ?? 1) !== 1) {
    return refused(invalid({ seats: ['This plan does not charge per seat.'] }))
  }
  // The seats in use now count, also while an update is on its way.
  // With `true_up` it is the seats in use that are paid for.
  const isCounted = connection.quantity === 'true_up'
  const included = plan.included === 'unlimited' ? used : plan.included
  const least = isCounted ? Math.max(1, used) : Math.max(1, used - included - entitled.seats.addOns)
  const present = subscription?.plan === plan.name && !isCounted ? subscription.quantity : least
  return ok({ plan, priceId, seats: input.seats ?? Math.max(least, present) })
}

/** Returns the seats that a plan would give with a bought quantity. */
export function planSeats(plan: Plan, seats: number, addOns = 0): EntitledSeats {
  const purchased = plan.perSeat ? seats : 0
  return { included: plan.included, purchased, addOns, cap: plan.cap }
}
