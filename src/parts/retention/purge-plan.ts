/**
 * Decides what to purge from the rows that were read: pure, without a clock or a database.
 *
 * @module
 */
import { keptSince, type RetentionWindow } from './retention-windows.ts'
import { and, asc, eq, sql } from 'drizzle-orm'
import { sealedSize, type ConfiguredConsumersContext } from '../../engine/audit/consumers.ts'
import type { RowsOf } from '../../database/batch.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { auditCarriedSeats } from '../../database/schema/log-tables.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { horizonOf } from '../../engine/audit/trail-extent.ts'

/** The beginning of a trail, and the progress of its consumers. */
export interface Beginning {
  /** The horizon. */
  readonly horizon: number
  /** The sequence up to which the latest checkpoint covers it. */
  readonly sealed: number
  readonly held: boolean
  readonly sinks: readonly {
    readonly id: string
    readonly required: boolean
    /** The sequence up to which this sink has settled every event. */
    readonly settled: number
  }[]
  /** The first remaining events, in sequence. */
  readonly events: readonly {
    readonly sequence: number
    readonly action: string
    readonly insertedAt: Date
  }[]
}

/** The result of a plan. */
export interface Purge {
  readonly firstSequence: number
  /** The last sequence to purge; less than the first one if there is no event to purge. */
  readonly lastSequence: number
  /** Whether it passes a sink that it would otherwise wait for. */
  readonly forced: boolean
  /** Sinks that have not settled all purged events. */
  readonly unsettled: readonly string[]
  /** The reasons that no more was purged: `legal_hold`, `checkpoint`, or the ids of sinks. */
  readonly waitsFor: readonly string[]
}

/** A request for a run. */
export interface PurgeRequest {
  /** Whether to pass sinks that have not settled every event. */
  readonly force: boolean
  /** Events from this time on are kept, regardless of the windows. */
  readonly olderThan: Date | null
  /** The last sequence that may be purged. */
  readonly through: number
}

/**
 * Plans a purge: the first events that are all strictly older than their window, as far as a checkpoint
 * covers them and every required sink has settled them. The records of earlier runs alone do not justify
 * a run: it would leave a record of its own.
 */
export function planPurge(
  windows: readonly RetentionWindow[],
  organizationId: string,
  { horizon, sealed, held, sinks, events }: Beginning,
  { force, olderThan, through: most }: PurgeRequest,
  now: Date
): Purge {
  const isKept = ({ action, insertedAt }: Beginning['events'][number]) => {
    const since = keptSince(windows, organizationId, action, now)
    if (since === null || insertedAt >= since) return true
    return olderThan !== null && insertedAt >= olderThan
  }
  const firstKept = events.findIndex(isKept)
  const past = firstKept < 0 ? events : events.slice(0, firstKept)
  const due = past.at(-1)?.sequence ?? horizon
  const limits = [
    ...(held ? [{ name: 'legal_hold', through: horizon }] : []),
    { name: 'checkpoint', through: sealed },
    ...sinks
      .filter(({ required }) => required && !force)
      .map(({ id, settled }) => ({ name: id, through: settled })),
  ]
  const through = Math.max(horizon, Math.min(due, most, ...limits.map((limit) => limit.through)))
  const worthIt = past.some(
    ({ sequence, action }) => sequence <= through && action !== 'audit.purge_run'
  )
  const behind = worthIt ? sinks.filter(({ settled }) => settled < through) : []
  return {
    firstSequence: horizon + 1,
    lastSequence: worthIt ? through : horizon,
    forced: behind.some(({ required }) => required),
    unsettled: behind.map(({ id }) => id),
    waitsFor: limits.flatMap((limit) => (limit.through < due ? [limit.name] : [])),
  }
}

/** How many events one run purges at most. */
export const EVENTS_PER_RUN = 1000

/**
 * The consumers with a cursor, including those that are missing for now. The log is not among them: a
 * purge is limited to its last checkpoint.
 */
export function claimants({ consumers, absentConsumers }: ConfiguredConsumersContext) {
  return [...consumers, ...absentConsumers].flatMap(({ id, required, progress }) =>
    progress === 'cursor' ? [{ id, required }] : []
  )
}

/** Builds the queries that a purge is decided on, for one round trip. */
export function beginningQueries(
  context: DatabaseContext & ConfiguredConsumersContext,
  organizationId: string
) {
  const { db } = context
  const ids = claimants(context).map(({ id }) => id)
  return {
    covered: db
      .select({
        horizon: horizonOf(organizationId).as('horizon'),
        sealed: sealedSize(organizationId).as('sealed'),
        held: sql<number>`exists (select 1 from seatgate_audit_retention
          where organization_id = ${organizationId} and held_at is not null)`.as('held'),
      })
      .from(sql`(select 1)`),
    settled: db
      .select({
        id: sql<string>`value`.as('id'),
        through: settledThrough(organizationId).as('through'),
      })
      .from(sql`json_each(${JSON.stringify(ids)})`),
    events: db
      .select({
        sequence: auditEvents.sequence,
        action: auditEvents.action,
        insertedAt: auditEvents.insertedAt,
      })
      .from(auditEvents)
      .where(eq(auditEvents.organizationId, organizationId))
      .orderBy(asc(auditEvents.sequence))
      .limit(EVENTS_PER_RUN),
  }
}

/** Reads the rows of {@link beginningQueries}. */
export function beginningOf(
  context: ConfiguredConsumersContext,
  rows: RowsOf<ReturnType<typeof beginningQueries>>
): Beginning {
  const { horizon = 0, sealed = 0, held = 0 } = rows.covered[0] ?? {}
  const settled = new Map(rows.settled.map(({ id, through }) => [id, through]))
  return {
    horizon,
    sealed,
    held: held === 1,
    sinks: claimants(context).map((sink) => ({ ...sink, settled: settled.get(sink.id) ?? 0 })),
    events: rows.events,
  }
}

/**
 * Builds the sequence up to which the sink `value` has settled every event. A queued dead letter is not
 * settled.
 */
export function settledThrough(organizationId: string) {
  const cursor = sql`coalesce((select sequence from seatgate_sink_cursors
    where organization_id = ${organizationId} and sink_id = value), 0)`
  return sql<number>`min(${cursor}, coalesce((select min(sequence) - 1 from seatgate_sink_dead_letters
    where organization_id = ${organizationId} and sink_id = value and state = 'queued'), ${cursor}))`
}

/**
 * Keeps the state of seats that purged events recorded, so that the seats at every later instant can
 * still be computed. Changes only the seats of these events: a seat id is never reused, so a release here
 * is final. An assigned seat no longer belongs to an invitation.
 */
export function carrySeats(
  { db }: DatabaseContext,
  organizationId: string,
  lastSequence: number
): Statement[] {
  const going = sql`from seatgate_audit_events where organization_id = ${organizationId}
    and sequence <= ${lastSequence}`
  const here = eq(auditCarriedSeats.organizationId, organizationId)
  const resent = sql`${going} and action = 'organization.invitation.resent'`
  const promise = sql`(select json_extract(metadata, '$.expires_at') ${resent}
    and target_id = seatgate_audit_carried_seats.invitation_id order by sequence desc limit 1)`
  return [
    db
      .insert(auditCarriedSeats)
      .select(
        sql`select ${organizationId}, seat_id, invitation_id, expires_at
          from (select target_id as seat_id,
            json_extract(metadata, '$.invitation_id') as invitation_id,
            json_extract(metadata, '$.expires_at') as expires_at, max(sequence)
            ${going} and action in ('seat.reserved', 'seat.assigned') group by target_id)
          where true`
      )
      .onConflictDoUpdate({
        target: [auditCarriedSeats.organizationId, auditCarriedSeats.seatId],
        set: {
          invitationId: sql`excluded.invitation_id`,
          expiresAt: sql`excluded.expires_at`,
        },
      }),
    db
      .delete(auditCarriedSeats)
      .where(
        and(
          here,
          sql`${auditCarriedSeats.seatId} in (select target_id ${going} and action = 'seat.released')`
        )
      ),
    db
      .update(auditCarriedSeats)
      .set({ expiresAt: promise })
      .where(and(here, sql`${auditCarriedSeats.invitationId} in (select target_id ${resent})`)),
  ]
}
