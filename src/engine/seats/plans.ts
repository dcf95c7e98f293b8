/**
 * The configured plans: which seats a subscription brings. Pure decisions on the host's configuration.
 *
 * @module
 */
import { checkOptionNames, namesOf } from '../../base/names.ts'
import { NO_SEATS, type EntitledSeats, type SeatAmount } from './entitlement.ts'
import { seatLimit } from './limit.ts'
import {
  grantOf,
  isOutdated,
  isTrialing,
  pastDueFrom,
  statusFrom,
  type ProviderSubscription,
  type SubscriptionRecord,
} from './subscription-state.ts'

/**
 * The treatment of an organization that uses more seats than its limit. `block_change`: a decrease that
 * someone asks for is refused, one from outside stops growth. `allow_with_grace`: everything stays until
 * the grace ends, then `suspend_excess` follows. `suspend_excess`: members are suspended, the newest
 * first and never an owner, until the organization fits; they return when seats do.
 */
export type OverLimitPolicy = 'block_change' | 'allow_with_grace' | 'suspend_excess'

export const OVER_LIMIT_POLICIES: readonly OverLimitPolicy[] = [
  'block_change',
  'allow_with_grace',
  'suspend_excess',
]

/** How often a price recurs. */
export type PriceInterval = 'day' | 'week' | 'month' | 'year'

export const PRICE_INTERVALS: readonly PriceInterval[] = ['day', 'week', 'month', 'year']

/** A plan as the host configures it. */
export interface PlanOptions {
  /** The seats that come with the plan, or `"unlimited"`. Default 0. */
  readonly included?: SeatAmount
  /** Whether the bought quantity is a number of seats. Default false: the plan is flat. */
  readonly perSeat?: boolean
  /** The provider's ids of the prices of this plan. A price is in one plan only. Default: empty. */
  readonly prices?: readonly string[]
  /**
   * The interval of each price, by its id: needed if the proration choice differs by interval. Default:
   * empty.
   */
  readonly intervals?: Readonly<Record<string, PriceInterval>>
  /** The seats that one unit of an add-on brings, by the id of its price. Default: empty. */
  readonly addOns?: Readonly<Record<string, number>>
  /** The hard cap. Default: no cap. */
  readonly cap?: number
  /** The cap during a trial. Default: that of the plan. */
  readonly trialCap?: number
  /**
   * The seats of each type of `roles.seatTypes`, or `"unlimited"`. Default: the `defaultLimit` of the type.
   * Seats of a type are not bought, and `whenOver` is not about them.
   */
  readonly seatTypes?: Readonly<Record<string, SeatAmount>>
  /** For how many days a past due subscription grants its seats. Default 0. */
  readonly graceDays?: number
  /** The treatment of an organization above its limit. Default `"block_change"`. */
  readonly whenOver?: OverLimitPolicy
  /** The days of the grace of `allow_with_grace`. Default 14. */
  readonly overGraceDays?: number
  /** The features of the plan, for the host to read. Default: empty. */
  readonly features?: readonly string[]
}

const OPTIONS = /* @__PURE__ */ namesOf<PlanOptions>({
  included: true,
  perSeat: true,
  prices: true,
  intervals: true,
  addOns: true,
  cap: true,
  trialCap: true,
  seatTypes: true,
  graceDays: true,
  whenOver: true,
  overGraceDays: true,
  features: true,
})

/** A checked plan. */
export interface Plan {
  readonly name: string
  readonly included: SeatAmount
  readonly perSeat: boolean
  readonly prices: readonly string[]
  readonly intervals: ReadonlyMap<string, PriceInterval>
  readonly addOns: ReadonlyMap<string, number>
  readonly cap: number | null
  readonly trialCap: number | null
  readonly typeLimits: ReadonlyMap<string, SeatAmount>
  readonly graceDays: number
  readonly whenOver: OverLimitPolicy
  readonly overGraceDays: number
  readonly features: readonly string[]
}

/** The checked plans, by name. */
export type Plans = ReadonlyMap<string, Plan>

/**
 * Checks the plans of a configuration.
 *
 * @throws {TypeError} if a name of an option is unknown, a number is wrong, or a price is in two plans or
 *   twice in one.
 */
export function checkedPlans(where: string, options: Readonly<Record<string, PlanOptions>>): Plans {
  const plans = new Map(
    Object.entries(options).map(([name, plan]) => [
      name,
      checkedPlan(`${where}: ${name}`, name, plan),
    ])
  )
  const owners = new Map<string, string>()
  for (const { name, prices, addOns } of plans.values()) {
    for (const price of [...prices, ...addOns.keys()]) {
      const other = owners.get(price)
      if (other !== undefined && (other !== name || prices.includes(price))) {
        throw new TypeError(`${where}: the price "${price}" is in ${other} and in ${name}.`)
      }
      owners.set(price, name)
    }
  }
  return plans
}

function checkedPlan(where: string, name: string, options: PlanOptions): Plan {
  checkOptionNames(where, options, OPTIONS)
  const { included = 0, perSeat = false, prices = [], addOns = {}, features = [] } = options
  const { whenOver = 'block_change' } = options
  if (seatLimit(included).kind === 'unknown') {
    throw new TypeError(`${where}.included must be "unlimited" or a whole number from 0.`)
  }
  if (typeof perSeat !== 'boolean') throw new TypeError(`${where}.perSeat must be true or false.`)
  if (!OVER_LIMIT_POLICIES.includes(whenOver)) {
    throw new TypeError(`${where}.whenOver must be one of ${OVER_LIMIT_POLICIES.join(', ')}.`)
  }
  checkTexts(`${where}.prices`, prices)
  checkTexts(`${where}.features`, features)
  const intervals = Object.entries(options.intervals ?? {})
  for (const [price, interval] of intervals) {
    if (prices.includes(price) && PRICE_INTERVALS.includes(interval)) continue
    throw new TypeError(
      `${where}.intervals.${price} must be of a price of the plan, and one of ${PRICE_INTERVALS.join(', ')}.`
    )
  }
  const typeLimits = Object.entries(options.seatTypes ?? {})
  for (const [type, seats] of typeLimits) {
    if (seatLimit(seats).kind !== 'unknown') continue
    throw new TypeError(`${where}.seatTypes.${type} must be "unlimited" or a whole number from 0.`)
  }
  for (const [price, seats] of Object.entries(addOns)) whole(`${where}.addOns.${price}`, seats)
  return {
    name,
    included,
    perSeat,
    prices,
    intervals: new Map(intervals),
    addOns: new Map(Object.entries(addOns)),
    cap: options.cap === undefined ? null : whole(`${where}.cap`, options.cap),
    trialCap: options.trialCap === undefined ? null : whole(`${where}.trialCap`, options.trialCap),
    typeLimits: new Map(typeLimits),
    graceDays: whole(`${where}.graceDays`, options.graceDays ?? 0),
    whenOver,
    overGraceDays: whole(`${where}.overGraceDays`, options.overGraceDays ?? 14),
    features: [...new Set(features)].sort(),
  }
}

function whole(name: string, value: number): number {
  if (Number.isSafeInteger(value) && value >= 0) return value
  throw new TypeError(`${name} must be a whole number from 0.`)
}

function checkTexts(name: string, values: readonly string[]): void {
  if (Array.isArray(values) && values.every((value) => typeof value === 'string' && value !== ''))
    return
  throw new TypeError(`${name} must be a list of texts.`)
}

/** The plan, the quantity and the add-ons of the items of a subscription. */
export interface MappedItems {
  /** The plan; null if no item is of a plan. Of several the first in the configuration counts. */
  readonly plan: string | null
  readonly quantity: number
  readonly addOns: number
  /** The prices that are in no plan. They grant no seat. */
  readonly unmapped: readonly string[]
}

/** Maps the items of a subscription to a plan, in any order. */
export function mapItems(plans: Plans, items: ProviderSubscription['items']): MappedItems {
  const plan = [...plans.values()].find(({ prices }) =>
    items.some(({ priceId }) => prices.includes(priceId))
  )
  const seatsOf = new Map([...plans.values()].flatMap(({ addOns }) => [...addOns]))
  const known = new Set([...plans.values()].flatMap(({ prices }) => prices))
  const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0)
  return {
    plan: plan?.name ?? null,
    quantity: sum(
      items.flatMap(({ priceId, quantity }) => (plan?.prices.includes(priceId) ? [quantity] : []))
    ),
    addOns: sum(items.map(({ priceId, quantity }) => (seatsOf.get(priceId) ?? 0) * quantity)),
    unmapped: [
      ...new Set(
        items.flatMap(({ priceId }) =>
          known.has(priceId) || seatsOf.has(priceId) ? [] : [priceId]
        )
      ),
    ].sort(),
  }
}

/** Returns the seats that a subscription brings at an instant; 0 while it does not grant. */
export function entitledBy(plans: Plans, record: SubscriptionRecord, now: Date): EntitledSeats {
  const plan = record.plan === null ? undefined : plans.get(record.plan)
  if (plan === undefined || !grantOf(record, now).granting) return NO_SEATS
  const trialCap = isTrialing(record) ? plan.trialCap : null
  return {
    included: plan.included,
    purchased: plan.perSeat ? record.quantity : 0,
    addOns: record.addOns,
    cap: trialCap === null ? plan.cap : Math.min(trialCap, plan.cap ?? trialCap),
  }
}

/** The record of a state of the provider; null if the record in force is newer. */
export interface Projection {
  readonly record: SubscriptionRecord
  /** The prices that are in no plan, for the drift report. */
  readonly unmapped: readonly string[]
}

/**
 * Maps the provider's state of a subscription to the record to keep. Returns null for a state that is
 * older than the record. The organization is that of the record; for a new one the caller names it, by
 * the stored customer and never by the provider's metadata alone.
 */
export function projectSubscription(
  plans: Plans,
  state: ProviderSubscription,
  existing: SubscriptionRecord | null,
  { organizationId, now }: { readonly organizationId: string; readonly now: Date }
): Projection | null {
  if (isOutdated(existing, state)) return null
  const { items, status: text, ...fields } = state
  const { unmapped, ...mapped } = mapItems(plans, items)
  const status = statusFrom(text)
  const graceDays = mapped.plan === null ? 0 : (plans.get(mapped.plan)?.graceDays ?? 0)
  const at = state.providerTime !== null && state.providerTime < now ? state.providerTime : now
  return {
    unmapped,
    record: {
      ...fields,
      ...mapped,
      ...pastDueFrom(existing, status, at, graceDays),
      organizationId: existing?.organizationId ?? organizationId,
      status,
      providerTime: state.providerTime ?? existing?.providerTime ?? null,
      version: (existing?.version ?? 0) + 1,
      syncedAt: now,
    },
  }
}
