/**
 * How far a sink has come in an organization: the row that says it, and the lease on it.
 *
 * @module
 */
import { and, asc, eq, gt, lte, sql } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import type { Database } from '../database/database.ts'
import { auditEvents, sinkCursors } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'
import { eventColumns, type ReadEventRow } from './event.ts'
import { clearOutbox } from './outbox.ts'

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

/** Where delivery stands when the lease is taken. */
export interface Leased {
  readonly sequence: number
  readonly attempts: number
  readonly events: readonly ReadEventRow[]
}

/** Nobody may deliver now: somebody does (`busy`), or it is not time yet. */
export interface NotLeased {
  readonly busy: boolean
}

/** What became of a delivery run. `retry` null: everything up to `sequence` was taken. */
export interface Progress {
  readonly sequence: number
  readonly retry: { readonly attempts: number; readonly at: Date; readonly reason: string } | null
}

/** How many events are read at once. */
export const EVENTS_PER_READ = 100

/** Takes the lease, if it is free and due, and reads what comes next, in one round trip. */
export async function takeLease(
  db: Database,
  lease: Lease,
  now: Date
): Promise<Leased | NotLeased> {
  const { organizationId, sinkId, token, until } = lease
  const { cursor, events } = await batch(db, {
    taken: db
      .insert(sinkCursors)
      .values({
        organizationId,
        sinkId,
        nextAttemptAt: new Date(0),
        leaseToken: token,
        leasedUntil: until,
      })
      .onConflictDoUpdate({
        target: [sinkCursors.organizationId, sinkCursors.sinkId],
        set: { leaseToken: token, leasedUntil: until },
        setWhere: sql`${lte(sinkCursors.leasedUntil, now)} and ${lte(sinkCursors.nextAttemptAt, now)}`,
      }),
    cursor: db.select().from(sinkCursors).where(onRoute(lease)),
    events: eventsAfterCursor(db, lease),
  })
  const [row] = cursor
  if (row === undefined) return { busy: false }
  if (row.leaseToken !== token) return { busy: row.leasedUntil > now }
  return { sequence: row.sequence, attempts: row.attempts, events }
}

/** Keeps the lease after a full page, and reads the next one. Null: the lease was lost. */
export async function moveOn(
  db: Database,
  lease: Lease,
  sequence: number
): Promise<readonly ReadEventRow[] | null> {
  const { moved, events } = await batch(db, {
    moved: db
      .update(sinkCursors)
      .set({ sequence, attempts: 0, lastError: null, leasedUntil: lease.until })
      .where(whileLeased(lease))
      .returning({ sequence: sinkCursors.sequence }),
    events: eventsAfterCursor(db, lease),
  })
  return moved.length > 0 ? events : null
}

/**
 * Gives the lease back and, where every sink has come to the end, takes the organization out of the
 * outbox. A lease that was lost to somebody else changes nothing.
 */
export async function giveBack(
  seatgate: Seatgate,
  lease: Lease,
  { sequence, retry }: Progress
): Promise<void> {
  const { db } = seatgate
  await batch(db, {
    moved: db
      .update(sinkCursors)
      .set({
        sequence,
        attempts: retry?.attempts ?? 0,
        nextAttemptAt: retry?.at ?? new Date(0),
        lastError: retry?.reason ?? null,
        leaseToken: null,
        leasedUntil: new Date(0),
      })
      .where(whileLeased(lease)),
    finished: clearOutbox(seatgate, lease.organizationId),
  })
}

function eventsAfterCursor(db: Database, route: Route) {
  const { organizationId, sinkId } = route
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.organizationId, organizationId),
        gt(
          auditEvents.sequence,
          sql`(select sequence from sink_cursors
            where organization_id = ${organizationId} and sink_id = ${sinkId})`
        )
      )
    )
    .orderBy(asc(auditEvents.sequence))
    .limit(EVENTS_PER_READ)
}

function onRoute({ organizationId, sinkId }: Route) {
  return and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
}

function whileLeased(lease: Lease) {
  return and(onRoute(lease), eq(sinkCursors.leaseToken, lease.token))
}
