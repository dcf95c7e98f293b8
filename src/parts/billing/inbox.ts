/**
 * The inbox: one row for each event of a provider. The primary key makes a repeat a repeat, also of two
 * that arrive at once: only one of them inserts a row, and each learns which.
 *
 * @module
 */
import { and, asc, eq, inArray, lte, sql, type SQL } from 'drizzle-orm'
import { backoffSeconds } from '../../base/async.ts'
import type { Runtime } from '../../base/runtime.ts'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { billingInbox, type BillingInboxRow } from '../../database/schema/billing-inbox-tables.ts'
import { ProviderError } from './provider-error.ts'
import type { ProviderEvent } from './webhook-request.ts'

/** An event is given up after so many attempts. */
export const MOST_ATTEMPTS = 25

/** How long a run has an event to itself. */
const LEASE_SECONDS = 60

/** Names the events of one subscription. */
export interface InboxSubject {
  readonly provider: string
  readonly subscriptionId: string
}

/**
 * Records an event: one statement. Returns false if it was recorded before. An event that is about no
 * subscription is recorded and done.
 */
export async function recordEvent(
  { db, now }: DatabaseContext & Pick<Runtime, 'now'>,
  provider: string,
  event: ProviderEvent
): Promise<boolean> {
  const at = now()
  const { id: eventId, ...fields } = event
  const isWork = event.subscriptionId !== null
  const { recorded } = await batch(db, {
    recorded: db
      .insert(billingInbox)
      .values({
        ...fields,
        provider,
        eventId,
        status: isWork ? 'received' : 'succeeded',
        dueAt: isWork ? at : null,
        receivedAt: at,
        finishedAt: isWork ? null : at,
      })
      .onConflictDoNothing()
      .returning({ eventId: billingInbox.eventId }),
  })
  return recorded.length > 0
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
    eq(billingInbox.provider, provider),
    eq(billingInbox.customerId, customerId),
    eq(billingInbox.status, 'parked')
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

/** Returns the code of an error, which has no data and no secret. */
export function codeOf(error: unknown): string {
  if (error instanceof ProviderError) return error.code
  return error instanceof Error ? error.name : 'Error'
}

function ofSubject({ provider, subscriptionId }: InboxSubject): SQL | undefined {
  return and(
    eq(billingInbox.provider, provider),
    eq(billingInbox.subscriptionId, subscriptionId),
    sql`${billingInbox.dueAt} is not null`
  )
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
