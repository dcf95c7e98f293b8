/**
 * The inbox: one row for each event of a provider. The primary key makes a repeat a repeat, also of two
 * that arrive at once: only one of them inserts a row, and each learns which.
 *
 * @module
 */
import { and, asc, eq, inArray, lte, sql, type SQL } from 'drizzle-orm'
import { backoffSeconds } from '../../base/async.ts'
import type { Runtime } from '../../base/runtime.ts'
import { libraryEvent, SYSTEM } from '../../engine/audit/event.ts'
import { BILLING_ACTIONS } from '../../engine/audit/part-actions.ts'
import { buildBatch } from '../../engine/changes/prepare-change.ts'
import { conclude } from '../../engine/changes/conclude.ts'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { billingInbox, type BillingInboxRow } from '../../database/schema/billing-inbox-tables.ts'
import type { ConnectionContext } from './connection.ts'
import { handOver } from './run-handlers.ts'
import { codeOf, ProviderError } from './provider-error.ts'
import type { ProviderEvent } from './webhook-request.ts'

/** How long a run has an event to itself. */
const LEASE_SECONDS = 60

/** Names the events of one subscription. */
export interface InboxSubject {
  readonly provider: string
  readonly subscriptionId: string
}

/**
 * Records an event in one batch: its row, which is the work too, and its entry in the trail of the platform,
 * or neither. Returns false if it was recorded before; then no row is written. An event that is about no
 * subscription is recorded and done.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function recordEvent(
  context: ConnectionContext,
  provider: string,
  event: ProviderEvent
): Promise<boolean> {
  const { db, now, connection } = context
  const at = now()
  const { id: eventId, ...fields } = event
  const isWork = event.subscriptionId !== null
  const row = {
    ...fields,
    provider,
    eventId,
    status: isWork ? ('received' as const) : ('succeeded' as const),
    dueAt: isWork ? at : null,
    receivedAt: at,
    finishedAt: isWork ? null : at,
  }
  const { account, mode } = event
  const recorded = db
    .insert(billingInbox)
    .values(row)
    .onConflictDoNothing()
    .returning({ eventId: billingInbox.eventId })
  const receipt = libraryEvent(
    BILLING_ACTIONS,
    SYSTEM,
    'organization.billing.webhook_receive',
    eventId,
    {
      provider,
      account,
      mode,
    }
  )
  const prepared = await buildBatch(
    context,
    { caller: { type: 'system' }, now: at },
    {
      value: null,
      statements: [recorded, ...(isWork ? [] : handOver(db, connection, [row], null, at))],
      // The same key for a repeat: it is the same entry.
      events: [{ ...receipt, idempotencyKey: JSON.stringify([provider, account, mode, eventId]) }],
    }
  )
  const done = await conclude(context, prepared)
  if (!done.committed) throw new ProviderError('transient', done.code)
  return Array.isArray(done.answers[0]) && done.answers[0].length > 0
}

/** Builds the statement that takes all due events of a subscription for one run. */
export function claimEvents(db: Database, subject: InboxSubject, now: Date) {
  return db
    .update(billingInbox)
    .set({ dueAt: later(now, LEASE_SECONDS), attempts: sql`${billingInbox.attempts} + 1` })
    .where(and(ofSubject(subject), lte(billingInbox.dueAt, now)))
    .returning()
}

/** Returns the subscriptions that have due events, those that wait longest first. */
export async function dueSubjects(db: Database, now: Date, most: number): Promise<InboxSubject[]> {
  const { due } = await batch(db, {
    due: db
      .select({ provider: billingInbox.provider, subscriptionId: billingInbox.subscriptionId })
      .from(billingInbox)
      .where(lte(billingInbox.dueAt, now))
      .orderBy(asc(billingInbox.dueAt))
      .limit(most),
  })
  const subjects = due.flatMap(({ provider, subscriptionId }) =>
    subscriptionId === null ? [] : [{ provider, subscriptionId }]
  )
  return [...new Map(subjects.map((one) => [JSON.stringify(one), one])).values()]
}

/** Builds the statement that marks claimed events as applied. */
export function finishEvents(db: Database, events: readonly BillingInboxRow[], now: Date) {
  return db
    .update(billingInbox)
    .set({ status: 'succeeded', dueAt: null, finishedAt: now, lastError: null })
    .where(claimed(events))
}

/** Builds the statement that lets events wait until their customer is known. */
export function parkEvents(
  db: Database,
  events: readonly BillingInboxRow[],
  customerId: string,
  dueAt: Date
) {
  return db
    .update(billingInbox)
    .set({ status: 'parked', customerId, dueAt, lastError: 'unknown_customer' })
    .where(claimed(events))
}

/** Builds the statement that makes parked events of a customer due. */
export function unparkEvents(
  db: Database,
  { provider, customerId }: { readonly provider: string; readonly customerId: string },
  now: Date
): Statement {
  const parked = and(
    isOf(provider),
    eq(billingInbox.customerId, customerId),
    eq(billingInbox.status, 'parked'),
    sql`${billingInbox.dueAt} is not null`
  )
  return db.update(billingInbox).set({ dueAt: now }).where(parked)
}

/** Builds the statement that gives events up. */
export function buryEvents(
  db: Database,
  events: readonly BillingInboxRow[],
  reason: string,
  now: Date
) {
  return db
    .update(billingInbox)
    .set({ status: 'dead', dueAt: null, finishedAt: now, lastError: reason })
    .where(claimed(events))
}

/** Builds the statement that tries events again later, as long as the provider asks. */
export function retryEvents(
  { db, now, random }: DatabaseContext & Pick<Runtime, 'now' | 'random'>,
  events: readonly BillingInboxRow[],
  error: unknown
) {
  const attempts = Math.max(...events.map((event) => event.attempts))
  const asked = error instanceof ProviderError ? (error.retryAfterSeconds ?? 0) : 0
  const seconds = Math.max(backoffSeconds(attempts, random), asked)
  return db
    .update(billingInbox)
    .set({ status: 'failed', dueAt: later(now(), seconds), lastError: codeOf(error) })
    .where(claimed(events))
}

function ofSubject({ provider, subscriptionId }: InboxSubject): SQL | undefined {
  return and(
    isOf(provider),
    eq(billingInbox.subscriptionId, subscriptionId),
    sql`${billingInbox.dueAt} is not null`
  )
}

// The plus keeps SQLite from the primary key, by which it would read all events of the provider.
function isOf(provider: string): SQL {
  return sql`+${billingInbox.provider} = ${provider}`
}

// Only as long as this run has them: another one may have taken them after the lease.
function claimed(events: readonly BillingInboxRow[]): SQL | undefined {
  const [first] = events
  const ids = JSON.stringify(events.map(({ eventId }) => eventId))
  return and(
    eq(billingInbox.provider, first?.provider ?? ''),
    inArray(billingInbox.eventId, sql`(select value from json_each(${ids}))`),
    sql`${billingInbox.dueAt} = ${first?.dueAt?.getTime() ?? 0}`
  )
}

function later(now: Date, seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000)
}
