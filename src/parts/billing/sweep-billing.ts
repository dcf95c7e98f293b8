import { and, asc, eq, isNotNull, lte, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import {
  billingCustomers,
  billingHandlers,
  billingInbox,
} from '../../database/schema/billing-inbox-tables.ts'
import { compareSeats } from './compare-seats.ts'
import type { ConnectionContext } from './connection.ts'
import { sweepDeletedOrganizations } from './end-subscriptions.ts'
import { sweepUsers } from './cancel-user.ts'
import { isHandled, runHandlers, withoutEvent } from './run-handlers.ts'
import { dueSubjects } from './inbox.ts'
import { processEvents, reconcileCustomer } from './process-events.ts'
import { sweepQuantities } from './sync-quantity.ts'

const MOST_SUBJECTS = 40
const MOST_ENDED = 10
const MOST_CHECKED = 5
const CHECK_MS = 6 * 60 * 60 * 1000
const DAY_MS = 24 * 60 * 60 * 1000

/**
 * Works off what a crash or a failure of a provider has left: events, quantities and cancellations, and
 * deletes old events. Call it from the cron handler, beside the sweep of the library. A failure of one
 * task does not stop the others.
 *
 * @example
 * ```ts
 * async scheduled() {
 *   await sweep()
 *   await sweepBilling({ ...seatgate, connection })
 * }
 * ```
 */
export async function sweepBilling(context: ConnectionContext): Promise<void> {
  const { report } = context
  for (const task of [sweepEvents, runHandlers, sweepQuantities, sweepEnded, reconcile, prune]) {
    try {
      await task(context)
    } catch (error) {
      report({ event: 'billing_sweep_failed', error })
    }
  }
}

async function sweepEvents(context: ConnectionContext): Promise<void> {
  const subjects = await dueSubjects(context.db, context.now(), MOST_SUBJECTS)
  for (const subject of subjects) await processEvents(context, subject)
}

async function sweepEnded(context: ConnectionContext): Promise<void> {
  await sweepDeletedOrganizations(context, MOST_ENDED)
  await sweepUsers(context, MOST_ENDED)
}

// Finds what no event has brought: each customer is compared with its provider from time to time.
async function reconcile(context: ConnectionContext): Promise<void> {
  const { db, now, report } = context
  const { old } = await batch(db, {
    old: db
      .select()
      .from(billingCustomers)
      .where(lte(billingCustomers.checkedAt, new Date(now().getTime() - CHECK_MS)))
      .orderBy(asc(billingCustomers.checkedAt))
      .limit(MOST_CHECKED),
  })
  for (const customer of old) {
    try {
      await reconcileCustomer(context, customer)
      await reportMismatch(context, customer.organizationId)
    } catch (error) {
      report({ event: 'billing_check_failed', organizationId: customer.organizationId, error })
    }
  }
}

async function reportMismatch(context: ConnectionContext, organizationId: string): Promise<void> {
  const caller = { type: 'system' } as const
  const compared = await compareSeats(context, { caller, organization: organizationId })
  if (!compared.ok || compared.value.mismatches.length === 0) return
  context.report({ event: 'seats_differ', organizationId, error: compared.value })
}

// Events that wait, or are not applied yet, are kept in any case.
async function prune({ db, now, connection }: ConnectionContext): Promise<void> {
  const before = (days: number) => new Date(now().getTime() - days * DAY_MS)
  const kept = [
    ['succeeded', connection.keepAppliedDays],
    ['dead', connection.keepDeadDays],
  ] as const
  for (const [status, days] of kept) {
    if (days === null) continue
    const old = and(
      eq(billingInbox.status, status),
      isNotNull(billingInbox.finishedAt),
      lte(billingInbox.finishedAt, before(days)),
      isHandled()
    )
    await batch(db, { pruned: db.delete(billingInbox).where(sql`${old}`) })
  }
  // The rows of handlers end with their event, which is kept at least so long.
  const shortest = Math.min(...kept.map(([, days]) => days ?? Infinity))
  if (shortest === Infinity) return
  const done = and(
    isNotNull(billingHandlers.finishedAt),
    lte(billingHandlers.finishedAt, before(shortest)),
    withoutEvent()
  )
  await batch(db, { handled: db.delete(billingHandlers).where(done) })
}
