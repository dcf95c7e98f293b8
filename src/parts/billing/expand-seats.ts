import { and, lt, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { billingCustomers } from '../../database/schema/billing-inbox-tables.ts'
import { applyLimit, type LimitContext } from '../../engine/changes/apply-limit.ts'
import type { RefusalOf } from '../../base/result.ts'
import { isImpersonated } from '../../engine/access/principal.ts'
import { planEntitlement } from '../../engine/model/entitle.ts'
import { entitlementQueries, subscriptionFrom } from '../../engine/seats/entitlement-rows.ts'
import type { SeatLimit } from '../../engine/seats/limit.ts'
import {
  canCharge,
  grantOf,
  type SubscriptionRecord,
} from '../../engine/seats/subscription-state.ts'
import { applyState } from './apply-state.ts'
import type { BillingProvider, RemoteItem } from './billing-provider.ts'
import { callKey, isCustomer } from './customers.ts'
import type { BillingConnection, ConnectionContext } from './connection.ts'
import { ProviderError } from './provider-error.ts'

// Of several callers at once each needs a seat of its own.
const MOST_BOUGHT = 10

// After a refusal, such as that of a card, the provider is asked again after this time.
const ONE_CALL_MS = 10 * 60_000

/**
 * Returns the configuration with which operations buy the missing seat: one that is refused for want of a
 * seat raises the quantity at the provider first, and runs again after that. If the provider refuses or
 * does not answer, no member is added and the refusal has `expansion`. With a free seat no call is made.
 * Only seats of the default type are bought. The library itself, such as its sweeps, buys no seat, and
 * neither does an operator who acts as a user. Use it for the routes, the console and your own calls. With
 * another mode than `auto_expand` it is the configuration itself.
 *
 * @example
 * ```ts
 * const expanding = expandSeats(seatgate, connection)
 * app.route('/', seatgateRouter(expanding, { authenticate }))
 * ```
 */
export function expandSeats<S extends LimitContext>(
  seatgate: S,
  connection: BillingConnection
): S & Pick<LimitContext, 'buySeat'> {
  if (connection.quantity !== 'auto_expand') return seatgate
  const { billing } = seatgate
  return {
    ...seatgate,
    async buySeat(context, { caller, plan, progress }, refusal) {
      const [claim] = plan.claims ?? []
      const isMissing =
        refusal.code === 'seat_limit_reached' &&
        refusal.seatType === undefined &&
        caller.type !== 'system' &&
        !isImpersonated(caller)
      if (!isMissing || claim === undefined) return refusal
      if (progress.bought === MOST_BOUGHT) return { code: 'operation_in_progress' }
      progress.bought += 1
      const own = { ...context, billing, connection }
      return buySeat(own, claim.organizationId, refusal, progress.bought)
    },
  }
}

type SeatLimitReached = RefusalOf<'seat_limit_reached'>

async function buySeat(
  context: ConnectionContext,
  organizationId: string,
  full: SeatLimitReached,
  tries: number
): Promise<SeatLimitReached | null> {
  const { seats, seatContext, report } = context
  // The free seats are for the users who wait.
  if (full.used < full.limit) return full
  const counted = await seats.usage(seatContext, organizationId)
  if (!counted.ok) return full
  const { limit, held, reserved } = counted.value
  // Another caller may have bought a seat, or freed one. The second time only the limit counts.
  const used = tries === 1 ? held + reserved : Math.max(held + reserved, full.used)
  if (limit.kind !== 'finite' || used < limit.seats) return null
  try {
    return (await raise(context, organizationId, used + 1)) ? null : full
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    report({ event: 'billing_expand_failed', organizationId, error })
    const isRefused = error.kind === 'permanent'
    return { ...full, expansion: isRefused ? 'provider_refused' : 'provider_unavailable' }
  }
}

/** Raises the limit to `needed` by the quantity. False if the quantity does not decide the limit. */
async function raise(
  context: ConnectionContext,
  organizationId: string,
  needed: number
): Promise<boolean> {
  const { db, now, billing, connection } = context
  const time = now()
  const rows = await batch(db, entitlementQueries(db, organizationId))
  const limitWith = (subscription?: SubscriptionRecord) =>
    planEntitlement(context, organizationId, rows, subscription ? { subscription } : {}, time)
      .entitlement
  const present = limitWith()
  // The seat provider does not know the limit yet.
  if (fits(present.limit, needed)) return (await applyLimit(context, present)).ok
  const record = rows.subscriptions
    .map(subscriptionFrom)
    .find(
      (one) =>
        canCharge(one) && grantOf(one, time).granting && connection.providers.has(one.provider)
    )
  const plan = billing?.plans.get(record?.plan ?? '')
  const provider = connection.providers.get(record?.provider ?? '')
  if (!record || !plan?.perSeat || !provider || present.limit.kind !== 'finite') return false
  const wanted = record.quantity + needed - present.limit.seats
  // Not for a cap, nor for numbers that an operator has set.
  if (!fits(limitWith({ ...record, quantity: wanted }).limit, needed)) return false
  await buy(context, provider, record, plan.prices, wanted)
  return true
}

function fits(limit: SeatLimit, needed: number): boolean {
  return limit.kind === 'unlimited' || (limit.kind === 'finite' && limit.seats >= needed)
}

// The item is found at the provider. It may have more seats already than are recorded.
async function buy(
  context: ConnectionContext,
  provider: BillingProvider,
  { organizationId, subscriptionId, version }: SubscriptionRecord,
  prices: readonly string[],
  wanted: number
): Promise<void> {
  const current = await provider.fetchSubscription(subscriptionId)
  const item: RemoteItem | undefined = current?.items.find(({ priceId }) =>
    prices.includes(priceId)
  )
  if (item === undefined) throw new ProviderError('permanent', 'seat_item_missing')
  const quantity = Math.max(item.quantity, wanted)
  const period = Math.floor(context.now().getTime() / ONE_CALL_MS)
  const subscription = await provider.setQuantity(
    { subscriptionId, priceId: item.priceId, quantity },
    { idempotencyKey: await callKey(['expand', subscriptionId, version, quantity, period]) }
  )
  // If this is overtaken, another caller or a webhook has brought a newer state.
  await applyState(context, {
    organizationId,
    subscription,
    providerTime: null,
    readVersion: version,
  })
  await keepRequest(context, organizationId, provider.name, quantity)
}

// A smaller number that was asked for before, and is not sent yet, would take the seat away again.
async function keepRequest(
  { db }: ConnectionContext,
  organizationId: string,
  provider: string,
  seats: number
): Promise<void> {
  const smaller = and(isCustomer(organizationId, provider), lt(billingCustomers.seats, seats))
  await batch(db, {
    kept: db
      .update(billingCustomers)
      .set({ seats, changes: sql`${billingCustomers.changes} + 1` })
      .where(smaller),
  })
}
