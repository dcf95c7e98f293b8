/**
 * The seam between Seatgate and a billing provider. An adapter translates and decides about no seat.
 *
 * @module
 */
import type { PriceInterval } from '../../engine/seats/plans.ts'
import type { ProviderSubscription } from '../../engine/seats/subscription-state.ts'
import type { ReceivedWebhook, WebhookRequest } from './webhook-request.ts'

/**
 * How a change of quantity or plan is billed: `create` adds the difference to the next invoice,
 * `always_invoice` invoices it at once. The third choice does not bill it.
 */
export type Proration = 'create' | 'none' | 'always_invoice'

/** How often a price recurs. */
export type BillingInterval = PriceInterval

/** One choice for every interval, or a choice for each interval that prices have. */
export type ProrationChoice = Proration | Readonly<Partial<Record<BillingInterval, Proration>>>

/** An item of a subscription at the provider. */
export interface RemoteItem {
  readonly id: string
  readonly priceId: string
  /** The quantity; 0 if the item has no quantity, such as one that is metered. */
  readonly quantity: number
  readonly interval: BillingInterval | null
}

/** A subscription as the provider has it now, in our words. */
export interface RemoteSubscription extends Omit<ProviderSubscription, 'providerTime'> {
  readonly customerId: string
  readonly items: readonly RemoteItem[]
  readonly createdAt: Date
}

/** Identifies a call, so that a repeat has no second effect. */
export interface ProviderCall {
  /** Printable ASCII, at most 255 characters. */
  readonly idempotencyKey: string
}

/** The owner of a new customer. */
export interface NewCustomer {
  readonly organizationId: string
  readonly name: string
}

/** A checkout to open. */
export interface Checkout {
  readonly organizationId: string
  readonly customerId: string
  readonly items: readonly CheckoutItem[]
  /** Where the browser goes after a payment. */
  readonly successUrl: string
  /** Where the browser goes if the user leaves. */
  readonly cancelUrl: string
}

export interface CheckoutItem {
  readonly priceId: string
  /** A whole number from 1; null if the price has no quantity. */
  readonly quantity: number | null
}

/** A change of the items of a subscription. */
export interface ItemChange {
  readonly subscriptionId: string
  /** The price of the item now. The item is found by it at the provider. */
  readonly priceId: string
  /** The price of the item after the change. Default: the same. */
  readonly toPriceId?: string
  /** A whole number from 1. */
  readonly quantity: number
  /** How it is billed. Default: the adapter's choice for the interval. */
  readonly proration?: Proration
}

/** A new subscription, or a change, to preview. */
export type PreviewOf =
  | ItemChange
  | { readonly customerId: string; readonly items: readonly CheckoutItem[] }

/** A line of a preview, in minor units of its currency. */
export interface PreviewLine {
  readonly description: string
  readonly amount: number
  readonly quantity: number | null
}

/** The amount that is due, with tax, in minor units. */
export interface Preview {
  /** Null if the provider cannot compute it beforehand. */
  readonly amountDue: number | null
  readonly currency: string | null
  readonly lines: readonly PreviewLine[]
}

/**
 * A billing provider. Each method makes the calls that it needs and throws {@link ProviderError}. They are
 * never called inside a batch or while a seat is claimed.
 */
export interface BillingProvider {
  /** Names it in routes and tables: `/billing/webhooks/stripe`. */
  readonly name: string
  /** The proration choice for an interval; null without a choice. */
  prorationFor(interval: BillingInterval): Proration | null
  /** Checks the signature of a webhook and returns the event that it is about. Makes no call. */
  receive(request: WebhookRequest): Promise<ReceivedWebhook>
  /** Returns the current state of a subscription; null if the provider does not have it. */
  fetchSubscription(subscriptionId: string): Promise<RemoteSubscription | null>
  /** Returns every subscription of a customer that has not ended: all that can still charge. */
  listSubscriptions(customerId: string): Promise<readonly RemoteSubscription[]>
  /** Creates a customer and returns its id. */
  createCustomer(customer: NewCustomer, call: ProviderCall): Promise<string>
  /** Returns the address of a checkout. */
  checkout(checkout: Checkout, call: ProviderCall): Promise<string>
  /** Returns the address of the customer's own pages. */
  portal(customerId: string, returnUrl: string): Promise<string>
  /** Returns the cost of a change without making it. */
  preview(of: PreviewOf): Promise<Preview>
  /** Sets the quantity of an item; does not call if it has this quantity already. */
  setQuantity(change: ItemChange, call: ProviderCall): Promise<RemoteSubscription>
  /** Moves an item to another price, with a quantity. */
  changePlan(change: ItemChange, call: ProviderCall): Promise<RemoteSubscription>
  /** Cancels at the end of the period, or at once. A subscription that has ended stays ended. */
  cancel(
    cancellation: { readonly subscriptionId: string; readonly atPeriodEnd: boolean },
    call: ProviderCall
  ): Promise<RemoteSubscription | null>
  /** Undoes a scheduled cancellation. */
  resume(subscriptionId: string, call: ProviderCall): Promise<RemoteSubscription>
}
