/**
 * The checks that adapters have in common: of options and inputs.
 *
 * @module
 */
import type {
  BillingInterval,
  ItemChange,
  Proration,
  ProrationChoice,
  RemoteItem,
  RemoteSubscription,
} from './billing-provider.ts'
import { PRICE_INTERVALS } from '../../engine/seats/plans.ts'
import { ProviderError } from './provider-error.ts'

/** Options that every adapter has. */
export interface AdapterOptions {
  /** Names it in routes and tables. Give each account or endpoint a name of its own. */
  readonly name?: string
  /**
   * How changes of quantity and plan are billed: one choice, or one for each interval that prices have.
   * There is no default, because each choice costs money if it is made unawares.
   */
  readonly proration: ProrationChoice
  /** The secret of the webhook endpoint; several while one replaces another. */
  readonly webhookSecret: string | readonly string[]
  /** How far a signature's time may be from now, past or future. Default 300. */
  readonly toleranceSeconds?: number
  /** How long a call may take. Default 10. */
  readonly timeoutSeconds?: number
  /** Sends requests. Default `fetch`. */
  readonly fetch?: typeof fetch
}

const PRORATIONS: readonly string[] = ['create', 'none', 'always_invoice'] satisfies Proration[]
const INTERVALS: readonly string[] = PRICE_INTERVALS

/**
 * Checks the proration choice.
 *
 * @throws {TypeError} if it is missing or wrong.
 */
export function checkedProration(
  where: string,
  choice: ProrationChoice
): (interval: BillingInterval) => Proration | null {
  if (typeof choice === 'string' && PRORATIONS.includes(choice)) return () => choice
  const entries = typeof choice === 'object' && choice !== null ? Object.entries(choice) : []
  const isFine = entries.every(
    ([interval, proration]) => INTERVALS.includes(interval) && PRORATIONS.includes(proration)
  )
  if (entries.length === 0 || !isFine) {
    throw new TypeError(
      `${where}: proration must be chosen: "create", "none" or "always_invoice", or one of them for ` +
        `each interval, such as { month: "create", year: "always_invoice" }. There is no default.`
    )
  }
  const choices = new Map(entries)
  return (interval) => choices.get(interval) ?? null
}

/** @throws {TypeError} if the name cannot stand in a path. */
export function checkedName(where: string, name: string): string {
  if (/^[a-z][a-z0-9-]{0,31}$/.test(name)) return name
  throw new TypeError(`${where}: name must be lower-case letters, digits and hyphens.`)
}

/** @throws {TypeError} if it is not a number of seconds above 0. */
export function checkedPositive(where: string, name: string, seconds: number): number {
  if (Number.isFinite(seconds) && seconds > 0) return seconds
  throw new TypeError(`${where}: ${name} must be a number of seconds above 0.`)
}

/** @throws {TypeError} if it is not text. */
export function checkedText(where: string, name: string, text: unknown): string {
  if (typeof text === 'string' && text !== '' && !/\s/.test(text)) return text
  throw new TypeError(`${where}: ${name} must be set.`)
}

/**
 * Checks a quantity: providers take a whole number from 1. The last seat goes by cancelling.
 *
 * @throws {ProviderError} `invalid_quantity`.
 */
export function checkedQuantity(quantity: number): number {
  if (Number.isSafeInteger(quantity) && quantity >= 1 && quantity <= LARGEST_QUANTITY) {
    return quantity
  }
  throw new ProviderError('permanent', 'invalid_quantity')
}

/** The largest quantity that is sent. */
export const LARGEST_QUANTITY = 999_999

/**
 * Finds the item of a change in the provider's own state, not by an id that is stored here.
 *
 * @throws {ProviderError} `seat_item_missing` if the subscription has no item of this price.
 */
export function itemOf(subscription: RemoteSubscription, { priceId }: ItemChange): RemoteItem {
  const item = subscription.items.find((one) => one.priceId === priceId)
  if (item === undefined) throw new ProviderError('permanent', 'seat_item_missing')
  return item
}

/**
 * Returns how a change is billed.
 *
 * @throws {ProviderError} `proration_not_chosen` if there is no choice for the item's interval.
 */
export function prorationOf(
  prorationFor: (interval: BillingInterval) => Proration | null,
  { interval }: RemoteItem,
  { proration }: ItemChange
): Proration {
  const choice = proration ?? (interval && prorationFor(interval))
  if (choice !== null && PRORATIONS.includes(choice)) return choice
  throw new ProviderError('permanent', 'proration_not_chosen')
}

/**
 * Checks an amount of money: whole minor units.
 *
 * @throws {ProviderError} `invalid_amount`.
 */
export function checkedAmount(amount: unknown): number {
  if (typeof amount === 'number' && Number.isSafeInteger(amount)) return amount
  throw new ProviderError('permanent', 'invalid_amount')
}
