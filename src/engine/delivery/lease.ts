/**
 * The right to deliver one organization's events to one sink.
 *
 * @module
 */
import { and, eq, gt, isNull, lte, sql, type SQL } from 'drizzle-orm'
import { sinkCursors } from '../../database/schema.ts'
import { LONGEST_WAIT_SECONDS } from '../../base/backoff.ts'

/** One sink in one organization. */
export interface Route {
  readonly organizationId: string
  readonly sinkId: string
}

/** The right to deliver, until it ends. */
export interface Lease extends Route {
  readonly token: string
  readonly until: Date
}

// Five times the duration of a lease, because clocks may differ by some minutes. A lease that ends later
// was taken by a clock that ran ahead, or before the clock was set back.
const LONGEST_LEASE_MS = 5 * 60_000

/** Whether a lease is free: it has ended, or ends later than a valid lease can. */
export function isFree(now: Date): SQL<number> {
  const { leasedUntil } = sinkCursors
  const lastEnd = new Date(now.getTime() + LONGEST_LEASE_MS)
  return sql<number>`(${lte(leasedUntil, now)} or ${gt(leasedUntil, lastEnd)})`
}

/** Whether a cursor may be taken: its lease is free, its sink is due and not paused. */
export function isReady(now: Date): SQL {
  const { nextAttemptAt, pausedReason } = sinkCursors
  // No wait is longer: a time further ahead was written before the clock was set back.
  const longest = new Date(now.getTime() + LONGEST_WAIT_SECONDS * 1000)
  const due = sql`(${lte(nextAttemptAt, now)} or ${gt(nextAttemptAt, longest)})`
  return sql`${isFree(now)} and ${due} and ${isNull(pausedReason)}`
}

/** Builds the condition on the row of the cursor. */
export function onRoute({ organizationId, sinkId }: Route) {
  return and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
}

/** Whether the lease is still held: only its holder may write the outcome of an event. */
export function isLeased({ organizationId, sinkId, token }: Lease) {
  return sql`exists (select 1 from seatgate_sink_cursors as held where held.organization_id = ${organizationId}
    and held.sink_id = ${sinkId} and held.lease_token = ${token})`
}
