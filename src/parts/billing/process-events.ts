/**
 * Works off the inbox. Each run takes all due events of one subscription, reads its state from the
 * provider, and applies that: an event is a reason to look, never the state.
 *
 * @module
 */
import { and, eq } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import {
  billingCustomers,
  type BillingCustomerRow,
  type BillingInboxRow,
} from '../../database/schema/billing-inbox-tables.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { subscriptions } from '../../database/schema/billing-tables.ts'
import type { BillingProvider, RemoteSubscription } from './billing-provider.ts'
import { isCustomer } from './customers.ts'
import { applyState } from './apply-state.ts'
import { endDeletedSubscription, endSecondSubscription } from './end-subscriptions.ts'
import { MOST_ATTEMPTS, type ConnectionContext } from './connection.ts'
import { handOver, runHandlers } from './run-handlers.ts'
import {
  buryEvents,
  claimEvents,
  finishEvents,
  parkEvents,
  retryEvents,
  type InboxSubject,
} from './inbox.ts'
import { codeOf, ProviderError } from './provider-error.ts'

const PARKED_SECONDS = 3600
const REREADS = 5

/**
 * Applies the due events of a subscription. A failure is recorded and tried again later.
 *
 * @example
 * ```ts
 * await processEvents({ ...seatgate, connection }, subject)
 * ```
 */
export async function processEvents(
  context: ConnectionContext,
  subject: InboxSubject
): Promise<void> {
  const { db, now, report, connection } = context
  const { events } = await batch(db, { events: claimEvents(db, subject, now()) })
  if (events.length === 0) return
  try {
    const provider = connection.providers.get(subject.provider)
    if (provider === undefined) throw new ProviderError('permanent', 'unknown_provider')
    const outcome = await apply(context, provider, subject, events)
    if (outcome === 'parked') return
    const work = handOver(db, connection, events, outcome.organizationId, now())
    await batch(db, {
      ...Object.fromEntries(work.entries()),
      done: finishEvents(db, events, now()),
    })
    await runHandlers(context)
  } catch (error) {
    report({ event: 'billing_event_failed', error })
    const attempts = Math.max(...events.map((event) => event.attempts))
    const isDead = attempts >= MOST_ATTEMPTS
    if (isDead) report({ event: 'billing_event_dead', error })
    const next = isDead
      ? buryEvents(db, events, codeOf(error), now())
      : retryEvents(context, events, error)
    await batch(db, { next })
  }
}

/**
 * Compares the subscriptions of an organization with its provider: those that are recorded, and those
 * that the provider has. It finds what no event has brought.
 *
 * @example
 * ```ts
 * await reconcileCustomer({ ...seatgate, connection }, customer)
 * ```
 */
export async function reconcileCustomer(
  context: ConnectionContext,
  { provider: name, organizationId, customerId }: BillingCustomerRow
): Promise<void> {
  const { db, connection, now } = context
  const { known } = await batch(db, {
    known: db
      .select({ subscriptionId: subscriptions.subscriptionId })
      .from(subscriptions)
      .where(
        and(eq(subscriptions.organizationId, organizationId), eq(subscriptions.provider, name))
      ),
    checked: db
      .update(billingCustomers)
      .set({ checkedAt: now() })
      .where(isCustomer(organizationId, name)),
  })
  const provider = connection.providers.get(name)
  if (provider === undefined) return
  const found = await provider.listSubscriptions(customerId)
  const ids = new Set([...known, ...found].map(({ subscriptionId }) => subscriptionId))
  for (const subscriptionId of ids) {
    await apply(context, provider, { provider: name, subscriptionId }, [])
  }
}

async function apply(
  context: ConnectionContext,
  provider: BillingProvider,
  { subscriptionId }: InboxSubject,
  events: readonly BillingInboxRow[]
): Promise<{ readonly organizationId: string | null } | 'parked'> {
  const { db, connection, report, now } = context
  const newest = newestTime(events)
  for (let attempt = 1; attempt <= REREADS; attempt++) {
    // The record is read before the state: a state is applied only to the record that it is newer than.
    const { record } = await batch(db, {
      record: db
        .select({
          version: subscriptions.version,
          providerTime: subscriptions.providerTime,
          organizationId: subscriptions.organizationId,
        })
        .from(subscriptions)
        .where(
          and(
            eq(subscriptions.provider, provider.name),
            eq(subscriptions.subscriptionId, subscriptionId)
          )
        ),
    })
    const [existing] = record
    const watermark = existing?.providerTime ?? null
    if (watermark !== null && newest !== null && newest < watermark) {
      return { organizationId: existing?.organizationId ?? null }
    }

    const subscription = await provider.fetchSubscription(subscriptionId)
    if (subscription === null) throw new ProviderError('permanent', 'subscription_missing')
    const owner = await ownerOf(context, subscription)
    if (owner === null && events.length === 0) return 'parked'
    if (owner === null) return park(context, events, subscription.customerId)
    const { organizationId } = owner
    if (owner.isDeleted) {
      await endDeletedSubscription(context, provider, organizationId, subscription)
      return { organizationId }
    }
    if (await endSecondSubscription(context, provider, organizationId, subscription)) {
      return { organizationId }
    }
    const applied = await applyState(context, {
      organizationId,
      subscription,
      providerTime: newest,
      readVersion: existing?.version ?? 0,
    })
    if (applied.ok) return { organizationId }
    const { code } = applied.error
    if (code !== 'operation_in_progress' && code !== 'organization_not_found') {
      throw new ProviderError('transient', code)
    }
  }
  report({
    event: 'billing_event_contended',
    error: `${connection.quantity} ${now().toISOString()}`,
  })
  throw new ProviderError('transient', 'operation_in_progress')
}

// The stored customer decides to which organization a subscription belongs, never its metadata.
async function ownerOf(
  { db }: ConnectionContext,
  { provider, customerId }: RemoteSubscription
): Promise<{ readonly organizationId: string; readonly isDeleted: boolean } | null> {
  const { owners } = await batch(db, {
    owners: db
      .select({
        organizationId: billingCustomers.organizationId,
        deletedAt: organizations.deletedAt,
      })
      .from(billingCustomers)
      .innerJoin(organizations, eq(organizations.id, billingCustomers.organizationId))
      .where(
        and(eq(billingCustomers.provider, provider), eq(billingCustomers.customerId, customerId))
      ),
  })
  const [owner] = owners
  return owner
    ? { organizationId: owner.organizationId, isDeleted: owner.deletedAt !== null }
    : null
}

async function park(
  { db, now, report, connection }: ConnectionContext,
  events: readonly BillingInboxRow[],
  customerId: string
): Promise<'parked'> {
  const time = now()
  const oldest = Math.min(...events.map(({ receivedAt }) => receivedAt.getTime()))
  if (time.getTime() - oldest >= connection.parkedHours * 3_600_000) {
    report({ event: 'billing_customer_unknown', error: customerId })
    await batch(db, { dead: buryEvents(db, events, 'unknown_customer', time) })
  } else {
    const until = new Date(time.getTime() + PARKED_SECONDS * 1000)
    await batch(db, { parked: parkEvents(db, events, customerId, until) })
  }
  return 'parked'
}

function newestTime(events: readonly BillingInboxRow[]): Date | null {
  const times = events.flatMap(({ providerTime }) => providerTime ?? [])
  return times.length === 0 ? null : new Date(Math.max(...times.map((time) => time.getTime())))
}
