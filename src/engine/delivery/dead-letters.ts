/**
 * Dead letters, as the forwarder writes them: events that were given up for a sink.
 *
 * @module
 */
import { and, asc, eq, sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { sinkDeadLetters } from '../../database/schema/forwarding-tables.ts'
import { eventColumns } from '../audit/event-view.ts'
import { isLeased, type Lease } from './attempt.ts'

/** An event that is given up for a sink. */
export interface DeadLetter {
  readonly sequence: number
  readonly eventId: string
  readonly action: string
  readonly reason: string
  readonly attempts: number
}

/** The outcome of a dead letter that was tried again; without a reason it was delivered. */
export interface Redelivery {
  readonly sequence: number
  readonly reason: string | null
}

/** How many dead letters are tried again at a time. */
export const LETTERS_PER_READ = 100

/** Builds the statements that write dead letters. */
export function buryLetters(db: Database, lease: Lease, letters: readonly DeadLetter[], now: Date) {
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

/** Builds the statements that write the outcome of dead letters that were tried again. */
export function settleLetters(db: Database, lease: Lease, done: readonly Redelivery[], now: Date) {
  const answers = sql`json_each(${JSON.stringify(done)})`
  const answer = sql`(select value ->> 'reason' from ${answers}
    where value ->> 'sequence' = seatgate_sink_dead_letters.sequence)`
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
        sql`seatgate_sink_dead_letters.sequence in (select value ->> 'sequence' from ${answers})`,
        isLeased(lease)
      )
    )
}

/** Ends queued dead letters whose event was purged. */
export function skipLetters(db: Database, lease: Lease, now: Date) {
  const { organizationId, sinkId } = lease
  return db
    .update(sinkDeadLetters)
    .set({ state: 'dead', reason: 'event_missing', updatedAt: now })
    .where(
      sql`organization_id = ${organizationId} and sink_id = ${sinkId} and state = 'queued'
        and not exists (select 1 from seatgate_audit_events as event
          where event.organization_id = ${organizationId}
          and event.sequence = seatgate_sink_dead_letters.sequence)
        and ${isLeased(lease)}`
    )
}

/** Selects the events of queued dead letters. */
export function queuedLetters(db: Database, lease: Lease) {
  const { organizationId, sinkId } = lease
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      sql`seatgate_audit_events.organization_id = ${organizationId} and seatgate_audit_events.sequence in (
        select sequence from seatgate_sink_dead_letters where organization_id = ${organizationId}
        and sink_id = ${sinkId} and state = 'queued' order by sequence limit ${LETTERS_PER_READ})
        and ${isLeased(lease)}`
    )
    .orderBy(asc(auditEvents.sequence))
}
