/**
 * How far a sink has come in an organization: the row that says it, and the lease on it.
 *
 * @module
 */
import { and, asc, eq, gt, isNull, lte, sql } from 'drizzle-orm'
import { batch } from '../database/batch.ts'
import type { Database } from '../database/database.ts'
import { auditEvents, sinkCursors, sinkDeadLetters } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'
import { eventColumns, type ReadEventRow } from './event.ts'
import { clearOutbox } from './outbox.ts'
import type { Failing } from './run.ts'

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
  readonly failing: Failing
  readonly events: readonly ReadEventRow[]
  /** Events of dead letters that are to be tried once more. */
  readonly queued: readonly ReadEventRow[]
}

/** Nobody may deliver now: somebody does (`busy`), or it is not time yet. */
export interface NotLeased {
  readonly busy: boolean
}

/** An event that is given up for a sink. */
export interface DeadLetter {
  readonly sequence: number
  readonly eventId: string
  readonly action: string
  readonly reason: string
  readonly attempts: number
}

/** What became of a dead letter that was tried again; without a reason it was taken. */
export interface Redelivery {
  readonly sequence: number
  readonly reason: string | null
}

/** What became of a delivery run. `retry` null: everything up to `sequence` is settled. */
export interface Progress {
  readonly sequence: number
  readonly letters: readonly DeadLetter[]
  readonly retry: {
    readonly attempts: number
    readonly at: Date
    readonly reason: string
    readonly since: Date
  } | null
  readonly pausedReason: string | null
}

/** How many events are read at once. */
export const EVENTS_PER_READ = 100

/** How many dead letters are tried again at once. */
export const LETTERS_PER_READ = 100

/** Takes the lease, if it is free and due, and reads what comes next, in one round trip. */
export async function takeLease(
  db: Database,
  lease: Lease,
  now: Date
): Promise<Leased | NotLeased> {
  const { organizationId, sinkId, token, until } = lease
  const { cursor, events, queued } = await batch(db, {
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
        setWhere: sql`${lte(sinkCursors.leasedUntil, now)} and ${lte(sinkCursors.nextAttemptAt, now)}
          and ${isNull(sinkCursors.pausedReason)}`,
      }),
    cursor: db.select().from(sinkCursors).where(onRoute(lease)),
    events: eventsAfterCursor(db, lease),
    queued: queuedLetters(db, lease),
  })
  const [row] = cursor
  if (row === undefined) return { busy: false }
  if (row.leaseToken !== token) return { busy: row.leasedUntil > now }
  const { sequence, attempts, failingSince } = row
  return { sequence, failing: { attempts, since: failingSince }, events, queued }
}

/** Keeps the lease after a full page, and reads the next one. Null: the lease was lost. */
export async function moveOn(
  db: Database,
  lease: Lease,
  { sequence, letters }: Progress,
  now: Date
): Promise<readonly ReadEventRow[] | null> {
  const { moved, events } = await batch(db, {
    ...(letters.length > 0 && { buried: buryLetters(db, lease, letters, now) }),
    moved: db
      .update(sinkCursors)
      .set({ sequence, ...UNTROUBLED, leasedUntil: lease.until })
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
  { sequence, letters, retry, pausedReason }: Progress,
  redelivered: readonly Redelivery[]
): Promise<void> {
  const { db, now } = seatgate
  const trouble = retry && {
    attempts: retry.attempts,
    nextAttemptAt: retry.at,
    lastError: retry.reason,
    failingSince: retry.since,
  }
  await batch(db, {
    ...(letters.length > 0 && { buried: buryLetters(db, lease, letters, now()) }),
    ...(redelivered.length > 0 && { settled: settleLetters(db, lease, redelivered, now()) }),
    moved: db
      .update(sinkCursors)
      .set({
        sequence,
        ...UNTROUBLED,
        ...trouble,
        ...(pausedReason !== null && { pausedReason, lastError: pausedReason }),
        leaseToken: null,
        leasedUntil: new Date(0),
      })
      .where(whileLeased(lease)),
    finished: clearOutbox(seatgate, lease.organizationId),
  })
}

const UNTROUBLED = { attempts: 0, nextAttemptAt: new Date(0), lastError: null, failingSince: null }

// Only whoever still has the lease may say so.
function buryLetters(db: Database, lease: Lease, letters: readonly DeadLetter[], now: Date) {
  const { organizationId, sinkId } = lease
  const time = now.getTime()
  return db
    .insert(sinkDeadLetters)
    .select(
      sql`select ${organizationId}, ${sinkId}, value ->> 'sequence', value ->> 'eventId',
          value ->> 'action', 'dead', value ->> 'reason', value ->> 'attempts', ${time}, ${time}
        from json_each(${JSON.stringify(letters)}) where ${isLeased(lease)}`
    )
    .onConflictDoUpdate({
      target: [sinkDeadLetters.organizationId, sinkDeadLetters.sinkId, sinkDeadLetters.sequence],
      set: {
        state: 'dead',
        reason: sql`excluded.reason`,
        attempts: sql`${sinkDeadLetters.attempts} + excluded.attempts`,
        updatedAt: now,
      },
    })
}

function settleLetters(db: Database, lease: Lease, done: readonly Redelivery[], now: Date) {
  const answers = sql`json_each(${JSON.stringify(done)})`
  const answer = sql`(select value ->> 'reason' from ${answers}
    where value ->> 'sequence' = sink_dead_letters.sequence)`
  return db
    .update(sinkDeadLetters)
    .set({
      state: sql`iif(${answer} is null, 'delivered', 'dead')`,
      reason: sql`coalesce(${answer}, ${sinkDeadLetters.reason})`,
      attempts: sql`${sinkDeadLetters.attempts} + 1`,
      updatedAt: now,
    })
    .where(
      and(
        eq(sinkDeadLetters.organizationId, lease.organizationId),
        eq(sinkDeadLetters.sinkId, lease.sinkId),
        eq(sinkDeadLetters.state, 'queued'),
        sql`sink_dead_letters.sequence in (select value ->> 'sequence' from ${answers})`,
        isLeased(lease)
      )
    )
}

// Whoever has no lease reads no event: D1 counts what is read, and a sink that fails is asked often.
function queuedLetters(db: Database, lease: Lease) {
  const { organizationId, sinkId } = lease
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      sql`audit_events.organization_id = ${organizationId} and audit_events.sequence in (
        select sequence from sink_dead_letters where organization_id = ${organizationId}
        and sink_id = ${sinkId} and state = 'queued' and ${isLeased(lease)}
        order by sequence limit ${LETTERS_PER_READ})`
    )
    .orderBy(asc(auditEvents.sequence))
}

function eventsAfterCursor(db: Database, { organizationId, sinkId, token }: Lease) {
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(
        eq(auditEvents.organizationId, organizationId),
        gt(
          auditEvents.sequence,
          sql`(select sequence from sink_cursors where organization_id = ${organizationId}
            and sink_id = ${sinkId} and lease_token = ${token})`
        )
      )
    )
    .orderBy(asc(auditEvents.sequence))
    .limit(EVENTS_PER_READ)
}

function onRoute({ organizationId, sinkId }: Route) {
  return and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
}

function isLeased({ organizationId, sinkId, token }: Lease) {
  return sql`exists (select 1 from sink_cursors as held where held.organization_id = ${organizationId}
    and held.sink_id = ${sinkId} and held.lease_token = ${token})`
}

function whileLeased(lease: Lease) {
  return and(onRoute(lease), eq(sinkCursors.leaseToken, lease.token))
}
