import { asc, eq, sql } from 'drizzle-orm'
import { sealedSize, type ConfiguredSinksContext } from '../../engine/audit/consumers.ts'
import type { RowsOf } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema.ts'
import { horizonOf } from '../../engine/audit/trail-horizon.ts'
import type { Beginning } from './purge-plan.ts'

/** How many events one run purges at most. */
export const EVENTS_PER_RUN = 1000

/** The consumers that must have settled every event, including sinks that are missing for now. */
export function claimants({ sinks, missingSinks }: ConfiguredSinksContext) {
  return [...sinks, ...missingSinks].map(({ id, internal = false, required = true }) => {
    return { id, required: internal || required }
  })
}

/** Builds the queries that a purge is decided on, for one round trip. */
export function beginningQueries(
  seatgate: DatabaseContext & ConfiguredSinksContext,
  organizationId: string
) {
  const { db } = seatgate
  const ids = claimants(seatgate).map(({ id }) => id)
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
  seatgate: ConfiguredSinksContext,
  rows: RowsOf<ReturnType<typeof beginningQueries>>
): Beginning {
  const { horizon = 0, sealed = 0, held = 0 } = rows.covered[0] ?? {}
  const settled = new Map(rows.settled.map(({ id, through }) => [id, through]))
  return {
    horizon,
    sealed,
    held: held === 1,
    sinks: claimants(seatgate).map((sink) => ({ ...sink, settled: settled.get(sink.id) ?? 0 })),
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
