/**
 * The cursor of a sink in an organization, and the lease that allows moving it.
 *
 * @module
 */
import { and, asc, eq, getTableColumns, gt, lte, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { sinkCursors } from '../../database/schema/forwarding-tables.ts'
import { eventColumns, type ReadEventRow } from '../audit/event-view.ts'
import { isFree, isReady, onRoute, recordAttempts, type Attempt, type Lease } from './attempt.ts'
import {
  buryLetters,
  queuedLetters,
  settleLetters,
  skipLetters,
  type DeadLetter,
  type Redelivery,
} from './dead-letters.ts'
import { awaiting, clearOutbox, type ConsumerContext } from '../audit/consumers.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Failing } from './deliver-page.ts'

/** The state of a delivery when the lease is taken. */
export interface Leased {
  readonly sequence: number
  readonly failing: Failing
  readonly events: readonly ReadEventRow[]
  /** Whether there may be more of them. */
  readonly more: boolean
  /** Events of dead letters that will be tried again. */
  readonly queued: readonly ReadEventRow[]
}

/** The lease is not available: another run has it (`busy`), or the sink is not due. */
export interface NotLeased {
  readonly busy: boolean
}

/** The progress of a delivery run: everything up to `sequence` is settled. */
export interface Progress {
  readonly sequence: number
  readonly letters: readonly DeadLetter[]
  /** The attempts of the run; an internal sink keeps no attempts. */
  readonly history: readonly Attempt[]
  readonly retry: {
    readonly attempts: number
    readonly at: Date
    readonly reason: string
    readonly since: Date
  } | null
  readonly pausedReason: string | null
}

/** How many events are read at a time. */
export const EVENTS_PER_READ = 100

// A sink that has failed is likely to fail again, so it gets few events.
const EVENTS_WHILE_FAILING = 10
/** Greater than every sequence. */
export const NO_END = Number.MAX_SAFE_INTEGER

/**
 * Takes the lease, if it is free and due, and reads the next events, in one round trip. Writes no row for
 * an organization that has no events.
 */
export async function takeLease(
  db: Database,
  lease: Lease,
  now: Date
): Promise<Leased | NotLeased> {
  const { organizationId, sinkId, token, until } = lease
  const { cursor, events, queued } = await batch(db, {
    taken: db
      .insert(sinkCursors)
      .select(
        sql`select ${organizationId}, ${sinkId}, 0, 0, 0, null, ${token}, ${until.getTime()}, null, null
          where exists (select 1 from seatgate_audit_events where organization_id = ${organizationId})`
      )
      .onConflictDoUpdate({
        target: [sinkCursors.organizationId, sinkCursors.sinkId],
        set: { leaseToken: token, leasedUntil: until },
        setWhere: isReady(now),
      }),
    cursor: db
      .select({ ...getTableColumns(sinkCursors), free: isFree(now).as('free') })
      .from(sinkCursors)
      .where(onRoute(lease)),
    events: eventsAfterCursor(db, lease),
    queued: queuedLetters(db, lease),
  })
  const [row] = cursor
  if (row === undefined) return { busy: false }
  if (row.leaseToken !== token) return { busy: row.free === 0 }
  const { sequence, attempts, failingSince } = row
  const most = attempts > 0 ? EVENTS_WHILE_FAILING : EVENTS_PER_READ
  const more = events.length === most
  return { sequence, failing: { attempts, since: failingSince }, events, more, queued }
}

/** Keeps the lease after a full page, and reads the next page. Returns null if the lease was lost. */
export async function moveOn(
  db: Database,
  lease: Lease,
  progress: Progress,
  now: Date
): Promise<readonly ReadEventRow[] | null> {
  const { sequence } = progress
  const { moved, events } = await batch(db, {
    ...records(db, lease, progress, [], now),
    moved: db
      .update(sinkCursors)
      .set({ sequence, ...troubleOf(null) })
      .where(whileLeased(lease))
      .returning({ sequence: sinkCursors.sequence }),
    events: eventsAfterCursor(db, lease),
  })
  return moved.length > 0 ? events : null
}

/**
 * Returns the lease and, if every sink has reached the end, removes the organization from the outbox.
 * Changes no row if the lease was lost to another run. With `restsUntil` the sink is not called before
 * that time.
 */
export async function giveBack(
  context: DatabaseContext & ConsumerContext & Pick<Runtime, 'now'>,
  lease: Lease,
  progress: Progress,
  redelivered: readonly Redelivery[],
  restsUntil: Date | null
): Promise<void> {
  const { db, now } = context
  const { sequence, retry, pausedReason } = progress
  await batch(db, {
    ...records(db, lease, progress, redelivered, now()),
    skipped: skipLetters(db, lease, now()),
    moved: db
      .update(sinkCursors)
      .set({
        sequence,
        ...troubleOf(retry),
        ...(restsUntil && { nextAttemptAt: restsUntil }),
        ...(pausedReason !== null && { pausedReason, lastError: pausedReason }),
        leaseToken: null,
        leasedUntil: new Date(0),
      })
      .where(whileLeased(lease)),
    finished: clearOutbox(context.db, lease.organizationId, awaiting(context)),
  })
}

/** Returns the columns of the next attempt; without a retry those of a sink that does not fail. */
export function troubleOf(retry: Progress['retry']) {
  const { attempts = 0, at = new Date(0), reason = null, since = null } = retry ?? {}
  return { attempts, nextAttemptAt: at, lastError: reason, failingSince: since }
}

// Placed before the cursor moves and the lease is returned, so that only the holder of the lease writes
// rows.
function records(
  db: Database,
  lease: Lease,
  { letters, history }: Progress,
  redelivered: readonly Redelivery[],
  now: Date
) {
  return {
    ...(history.length > 0 && { recorded: recordAttempts(db, lease, history) }),
    ...(letters.length > 0 && { buried: buryLetters(db, lease, letters, now) }),
    ...(redelivered.length > 0 && { settled: settleLetters(db, lease, redelivered, now) }),
  }
}

// Without the lease the query returns no rows.
function eventsAfterCursor(db: Database, { organizationId, sinkId, token }: Lease) {
  const ofLease = (what: SQL) => sql`(select ${what} from seatgate_sink_cursors
    where organization_id = ${organizationId} and sink_id = ${sinkId} and lease_token = ${token})`
  const end = sql`iif(attempts > 0, sequence + ${EVENTS_WHILE_FAILING}, ${NO_END})`
  return eventsAfter(db, organizationId, ofLease(sql`sequence`), ofLease(end))
}

/** Selects the next events of an organization after a sequence. */
export function eventsAfter(
  db: Database,
  organizationId: string,
  sequence: SQL,
  last: SQL = sql`${NO_END}`
) {
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.organizationId, organizationId),
        gt(auditEvents.sequence, sequence),
        lte(auditEvents.sequence, last)
      )
    )
    .orderBy(asc(auditEvents.sequence))
    .limit(EVENTS_PER_READ)
}

function whileLeased(lease: Lease) {
  return and(onRoute(lease), eq(sinkCursors.leaseToken, lease.token))
}
