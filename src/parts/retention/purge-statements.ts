import { and, eq, lte, sql } from 'drizzle-orm'
import type { ConfiguredSinksContext } from '../../engine/audit/consumers.ts'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import {
  auditEvents,
  auditPersonal,
  auditPurges,
  auditRetention,
  sinkAttempts,
  sinkDeadLetters,
} from '../../database/schema.ts'
import { claimants, settledThrough } from './purge-beginning.ts'
import { carrySeats } from './carried-seats.ts'
import { horizonOf } from '../../engine/audit/trail-horizon.ts'
import type { Purge } from './purge-plan.ts'

/** The parameters of a run. */
export interface Run {
  readonly organizationId: string
  readonly startedAt: Date
  /** Whether more can be purged at once. */
  readonly more: boolean
}

/**
 * Builds the statements of a run: the horizon moves, and the events up to it are deleted in the same
 * batch. The record of the run comes first, because the triggers only allow deleting what it covers.
 */
export function purgeStatements(
  seatgate: DatabaseContext & ConfiguredSinksContext,
  purge: Purge,
  run: Run
): Statement[] {
  const { db } = seatgate
  const { organizationId, startedAt, more } = run
  const { lastSequence } = purge
  const here = eq(auditEvents.organizationId, organizationId)
  return [
    ...guards(seatgate, purge, run),
    ...carrySeats(seatgate, organizationId, lastSequence),
    record(seatgate, purge, run),
    db
      .delete(auditPersonal)
      .where(
        and(
          eq(auditPersonal.organizationId, organizationId),
          sql`${auditPersonal.digest} in ${digests(organizationId, lastSequence)}`
        )
      ),
    db
      .delete(sinkDeadLetters)
      .where(
        and(
          eq(sinkDeadLetters.organizationId, organizationId),
          lte(sinkDeadLetters.sequence, lastSequence)
        )
      ),
    db.delete(auditEvents).where(and(here, lte(auditEvents.sequence, lastSequence))),
    // After the events: the rows of remaining events stay.
    db
      .delete(sinkAttempts)
      .where(
        and(
          eq(sinkAttempts.organizationId, organizationId),
          lte(sinkAttempts.lastSequence, lastSequence)
        )
      ),
    ...(more
      ? [
          db
            .update(auditRetention)
            .set({ dueAt: startedAt })
            .where(eq(auditRetention.organizationId, organizationId)),
        ]
      : []),
  ]
}

// The conditions of the plan: no other run was faster, no hold was placed, and no replay is in progress.
function guards(
  seatgate: DatabaseContext & ConfiguredSinksContext,
  { firstSequence, lastSequence, forced }: Purge,
  { organizationId }: Run
): Statement[] {
  const { db } = seatgate
  const ids = claimants(seatgate).flatMap(({ id, required }) => (required ? [id] : []))
  const behind = sql`exists (select 1 from json_each(${JSON.stringify(ids)})
    where ${settledThrough(organizationId)} < ${lastSequence})`
  const held = sql`exists (select 1 from seatgate_audit_retention
    where organization_id = ${organizationId} and held_at is not null)`
  return [
    guard(db, 'stale', sql`${horizonOf(organizationId)} = ${firstSequence - 1} and not ${held}`),
    ...(forced ? [] : [guard(db, 'stale', sql`not ${behind}`)]),
  ]
}

function record(
  { db }: DatabaseContext,
  { firstSequence, lastSequence, forced }: Purge,
  { organizationId, startedAt }: Run
): Statement {
  const going = sql`organization_id = ${organizationId} and sequence <= ${lastSequence}`
  const before = (column: 'lifecycle' | 'seat_limit') => sql`(select ${sql.raw(column)}
    from seatgate_audit_purges where organization_id = ${organizationId}
    order by last_sequence desc limit 1)`
  return db.insert(auditPurges).select(
    sql`select ${organizationId}, ${firstSequence}, ${lastSequence},
      (select hash from seatgate_audit_nodes where organization_id = ${organizationId}
        and level = 0 and position = ${lastSequence - 1}),
      (select max(size) from seatgate_audit_checkpoints where organization_id = ${organizationId}),
      (select count(*) from seatgate_audit_personal where organization_id = ${organizationId}
        and digest in ${digests(organizationId, lastSequence)}),
      (select count(*) from seatgate_sink_dead_letters where ${going}),
      ${forced ? 1 : 0},
      coalesce((select action from seatgate_audit_events where ${going} and action in
        ('organization.create', 'organization.delete', 'organization.restore')
        order by sequence desc limit 1), ${before('lifecycle')}),
      coalesce((select metadata -> '$.limit' from seatgate_audit_events where ${going}
        and action = 'seat.limit_changed' order by sequence desc limit 1), ${before('seat_limit')}),
      ${startedAt.getTime()}, null`
  )
}

// The events of one batch share their personal part, and are adjacent: if the first remaining event has
// it too, it stays.
function digests(organizationId: string, lastSequence: number) {
  return sql`(select personal_digest from seatgate_audit_events
    where organization_id = ${organizationId} and sequence <= ${lastSequence}
    and personal_digest is not null and personal_digest is not (select personal_digest
      from seatgate_audit_events where organization_id = ${organizationId}
      and sequence = ${lastSequence + 1}))`
}
