/**
 * Brings the quantity that is wanted to the provider: what was asked for, or the seats in use. The row of
 * the customer is the outbox; a change that comes while a run is on its way makes another run.
 *
 * @module
 */
import { and, eq, lte, sql } from 'drizzle-orm'
import { backoffSeconds } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import type { Database } from '../../database/database.ts'
import {
  billingCustomers,
  type BillingCustomerRow,
} from '../../database/schema/billing-inbox-tables.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import { billingEvent } from '../../engine/audit/part-actions.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { Sink } from '../../engine/delivery/sink.ts'
import { isPending, seatsHeld, seatsReserved } from '../../engine/seats/counts.ts'
import { inputsFrom } from '../../engine/model/entitle.ts'
import { entitledLimit } from '../../engine/seats/entitlement.ts'
import { entitledNow, type EntitlementInputs } from '../../engine/seats/entitled-now.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import {
  canCharge,
  grantOf,
  type SubscriptionRecord,
} from '../../engine/seats/subscription-state.ts'
import { ok } from '../../base/result.ts'
import type { BillingProvider, RemoteSubscription } from './billing-provider.ts'
import { planSeats } from './checkout.ts'
import { isCustomer, makeQuantityDue } from './customers.ts'
import { applyState } from './apply-state.ts'
import type { BillingConnection, ConnectionContext } from './connection.ts'
import { isOfDeleted } from './end-subscriptions.ts'
import { codeOf, ProviderError } from './provider-error.ts'

const LEASE_SECONDS = 60
const MOST_AT_ONCE = 20

/**
 * Creates the sink that notices changes of seats, for `true_up`. The trail is the outbox: each change of
 * seats reaches it at least once, after its commit. Several of them become one update.
 *
 * @example
 * ```ts
 * const sinks = [quantitySink(connection, { database })]
 * createSeatgate({ …, audit: { forwarding: forwarding({ sinks }) } })
 * ```
 */
export function quantitySink(
  { debounceSeconds }: BillingConnection,
  { database, now = () => new Date() }: { readonly database: Database; readonly now?: () => Date }
): Sink {
  return {
    id: 'billing-quantity',
    include: ['seat.assigned', 'seat.released', 'seat.reserved'],
    required: false,
    async deliver({ organizationId }) {
      const due = new Date(now().getTime() + debounceSeconds * 1000)
      await batch(database, { due: makeQuantityDue(database, organizationId, due) })
      return { outcome: 'delivered' }
    },
  }
}

/** Sends the quantities that are due. */
export async function sweepQuantities(context: ConnectionContext): Promise<void> {
  const { db, now } = context
  const { due } = await batch(db, {
    due: db
      .select()
      .from(billingCustomers)
      .where(and(lte(billingCustomers.dueAt, now()), sql`not ${isOfDeleted()}`))
      .limit(MOST_AT_ONCE),
  })
  for (const { organizationId, provider } of due) {
    await syncQuantity(context, provider, organizationId)
  }
}

/** Sends the quantity of an organization, if it is due. A failure is recorded and tried again later. */
export async function syncQuantity(
  context: ConnectionContext,
  provider: string,
  organizationId: string
): Promise<void> {
  const { db, now } = context
  const time = now()
  const place = isCustomer(organizationId, provider)
  const { override, subscriptions } = entitlementQueries(db, organizationId)
  const { claimed, used, ...rows } = await batch(db, {
    claimed: db
      .update(billingCustomers)
      .set({
        dueAt: new Date(time.getTime() + LEASE_SECONDS * 1000),
        attempts: sql`${billingCustomers.attempts} + 1`,
      })
      .where(and(place, lte(billingCustomers.dueAt, time)))
      .returning(),
    used: db
      .select({
        used: sql<number>`${seatsHeld(organizationId)} + ${seatsReserved(organizationId, time)}`.as(
          'used'
        ),
        // An invitation that expires writes no event.
        nextExpiry: sql<number | null>`(select min(expires_at) from seatgate_invitations
          where organization_id = ${organizationId} and ${isPending(time)})`.as('next_expiry'),
      })
      .from(sql`(select 1)`),
    override,
    subscriptions,
  })
  const [customer] = claimed
  if (customer === undefined) return
  const inputs = inputsFrom(rows)
  try {
    const remote = context.connection.providers.get(provider)
    if (remote === undefined) throw new ProviderError('permanent', 'unknown_provider')
    const inUse = used[0]?.used ?? 0
    const seats = wantedSeats(context, customer, inUse)
    const record = changedBy(customer, inputs, time)
    if (seats === null || record === null) {
      // A request that was accepted ends in an outcome on record.
      if (customer.seats !== null) throw new ProviderError('permanent', 'no_subscription')
      await settle(context, customer, null)
      return
    }
    const isTooFew =
      customer.seats !== null && !fits(context, record, inputs, { seats, inUse, time })
    const changed = await send(context, remote, customer, record.subscriptionId, seats, isTooFew)
    const { quantity, shrink } = context.connection
    const shrinks = quantity === 'true_up' && shrink
    const nextDue = shrinks ? (used[0]?.nextExpiry ?? null) : null
    // The call of an earlier run may reach the provider after this one, with the number before.
    const isAlone = customer.seats === null || customer.attempts === 1
    await (isAlone ? settle(context, customer, null, nextDue) : lookAgain(context, customer))
    if (changed === null) return
    await applyState(context, {
      organizationId,
      subscription: changed.after,
      providerTime: null,
      readVersion: record.version,
    })
    await recordInTrail(context, organizationId, [
      billingEvent(organizationId, 'organization.billing.seats_update', {
        provider,
        subscription_id: record.subscriptionId,
        seats: changed.quantity,
        old_seats: changed.before,
      }),
    ])
  } catch (error) {
    await fail(context, customer, error)
  }
}

// A number that was asked for stands; otherwise the seats in use, for those who pay for these.
function wantedSeats(
  { connection }: ConnectionContext,
  { seats }: BillingCustomerRow,
  used: number
): number | null {
  if (seats !== null) return seats
  return connection.quantity === 'true_up' ? Math.max(1, used) : null
}

// A request is for a subscription that can still charge; the seats in use are those of one that grants them.
function changedBy(
  { provider, seats }: BillingCustomerRow,
  { subscriptions: records }: EntitlementInputs,
  now: Date
): SubscriptionRecord | null {
  const own = records.filter((record) => record.provider === provider)
  const granting = own.find((record) => grantOf(record, now).granting)
  return granting ?? (seats === null ? null : own.find(canCharge)) ?? null
}

// By the numbers that the request was decided on. Members may have come in since.
function fits(
  context: ConnectionContext,
  record: SubscriptionRecord,
  inputs: EntitlementInputs,
  { seats, inUse, time }: { readonly seats: number; readonly inUse: number; readonly time: Date }
): boolean {
  const plan = context.billing?.plans.get(record.plan ?? '')
  if (plan === undefined) return true
  const { addOns } = entitledNow(context, inputs, time).seats
  const limit = entitledLimit(planSeats(plan, seats, addOns))
  return limit.kind !== 'finite' || inUse <= limit.seats
}

interface Sent {
  readonly before: number
  readonly quantity: number
  readonly after: RemoteSubscription
}

// The item is found at the provider by the prices of the plan, not by a stored id.
async function send(
  { billing, connection }: ConnectionContext,
  provider: BillingProvider,
  { changes, proration, seats }: BillingCustomerRow,
  subscriptionId: string,
  wanted: number,
  isTooFew: boolean
): Promise<Sent | null> {
  const current = await provider.fetchSubscription(subscriptionId)
  if (current === null) throw new ProviderError('permanent', 'subscription_missing')
  const plans = [...(billing?.plans.values() ?? [])]
  const item = current.items.find(({ priceId }) =>
    plans.some(({ perSeat, prices }) => perSeat && prices.includes(priceId))
  )
  if (item === undefined) {
    // A flat plan has no seats to change; without any item of a plan something is wrong.
    const isFlat = current.items.some(({ priceId }) =>
      plans.some(({ prices }) => prices.includes(priceId))
    )
    if (isFlat) return null
    throw new ProviderError('permanent', 'seat_item_missing')
  }
  // Only a number that was asked for lowers the quantity, unless the host lets it shrink.
  const isFloor = seats === null && !connection.shrink
  const quantity = isFloor ? Math.max(item.quantity, wanted) : wanted
  if (item.quantity === quantity) return null
  if (isTooFew && quantity < item.quantity) throw new ProviderError('permanent', 'seats_in_use')
  const after = await provider.setQuantity(
    { subscriptionId, priceId: item.priceId, quantity, ...(proration && { proration }) },
    { idempotencyKey: `seatgate-seats-${subscriptionId}-${changes}-${quantity}` }
  )
  return { before: item.quantity, quantity, after }
}

// Only if no change has come in between: that one is due by itself, and its call has another key. At `nextDue`
// seats become free.
async function settle(
  { db, now }: ConnectionContext,
  { organizationId, provider, changes }: BillingCustomerRow,
  lastError: string | null,
  nextDue: number | null = null
): Promise<void> {
  const same = sql`${billingCustomers.changes} = ${changes}`
  await batch(db, {
    settled: db
      .update(billingCustomers)
      .set({
        dueAt: sql`case when ${same} then ${nextDue} else ${now().getTime()} end`,
        seats: sql`case when ${same} then null else ${billingCustomers.seats} end`,
        proration: sql`case when ${same} then null else ${billingCustomers.proration} end`,
        changes: sql`case when ${same} then ${changes} else ${billingCustomers.changes} + 1 end`,
        attempts: 0,
        lastError,
      })
      .where(isCustomer(organizationId, provider)),
  })
}

// Keeps the number until no earlier run can be on its way any more.
async function lookAgain(
  { db, now }: ConnectionContext,
  { organizationId, provider, changes }: BillingCustomerRow
): Promise<void> {
  const dueAt = new Date(now().getTime() + LEASE_SECONDS * 1000)
  await batch(db, {
    kept: db
      .update(billingCustomers)
      .set({ dueAt, changes: changes + 1, attempts: 0, lastError: null })
      .where(and(isCustomer(organizationId, provider), eq(billingCustomers.changes, changes))),
  })
}

async function fail(
  context: ConnectionContext,
  customer: BillingCustomerRow,
  error: unknown
): Promise<void> {
  const { db, now, random, report } = context
  const { organizationId, provider, attempts, seats } = customer
  report({ event: 'billing_quantity_failed', organizationId, error })
  const isFinal = error instanceof ProviderError && error.kind === 'permanent'
  if (isFinal) {
    await settle(context, customer, codeOf(error))
    await recordInTrail(context, organizationId, [
      billingEvent(organizationId, 'organization.billing.seats_refuse', {
        provider,
        seats: seats ?? 0,
        code: codeOf(error),
      }),
    ])
    return
  }
  const asked = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) : 0
  const seconds = Math.max(backoffSeconds(attempts, random), asked)
  await batch(db, {
    later: db
      .update(billingCustomers)
      .set({ dueAt: new Date(now().getTime() + seconds * 1000), lastError: codeOf(error) })
      .where(isCustomer(organizationId, provider)),
  })
}

async function recordInTrail(
  context: ConnectionContext,
  organizationId: string,
  events: readonly EventDraft[]
): Promise<void> {
  await perform(
    context,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'billing.outcome',
      input: null,
      grows: false,
      queries: {},
      plan: () => ok({ value: null, statements: [guardLive(context, organizationId)], events }),
    }
  )
}
