/**
 * Reads events of a trail, and returns them in their newest form.
 *
 * @module
 */
import { and, asc, desc, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import type { AuditEvent } from './event.ts'
import { eventColumns, eventView, type ReadEventRow } from './event-view.ts'
import { UnknownSchemaVersion, upcast } from './event-versions.ts'
import { lookedUpBy, sequencesBy, type Trail, type TrailPage } from './event-lookups.ts'
import { matching, type ReadFilters } from './filters.ts'

/** Beside {@link eventColumns}: the hash that the event was sealed with, null until then. */
const sealedColumns = {
  ...eventColumns,
  leafHash: sql<string | null>`(select hash from seatgate_audit_nodes
    where seatgate_audit_nodes.organization_id = seatgate_audit_events.organization_id
    and level = 0 and position = sequence - 1)`.as('leaf_hash'),
}

/**
 * Returns an event in its newest form. An event that cannot be read is not left out.
 *
 * @throws {UnknownSchemaVersion} if its form is not known here, which is also sent as a metric.
 */
export function readEvent(context: Pick<Runtime, 'measure'>, row: ReadEventRow): AuditEvent {
  return newestForm(context, eventView(row))
}

/** Returns an event in its newest form, as {@link readEvent} does. */
export function newestForm({ measure }: Pick<Runtime, 'measure'>, event: AuditEvent): AuditEvent {
  try {
    return upcast(event)
  } catch (error) {
    if (error instanceof UnknownSchemaVersion) {
      measure({ name: 'audit.unknown_version', version: error.version })
    }
    throw error
  }
}

/** Selects the events of a trail that match. */
export function eventsIn(
  { db }: DatabaseContext,
  trail: Trail,
  filters: ReadFilters,
  page: TrailPage & {
    /** Whether to select the hashes that they were sealed with. */
    readonly sealed?: boolean
  }
) {
  const { order, after, through, limit, sealed = false } = page
  const { sequence } = auditEvents
  const behind = order === 'newest' ? lt : gt
  return db
    .select(sealed ? sealedColumns : eventColumns)
    .from(auditEvents)
    .where(
      and(
        matchingIn(trail, filters, page),
        after === null ? undefined : behind(sequence, after),
        through === undefined ? undefined : lte(sequence, through)
      )
    )
    .orderBy(order === 'newest' ? desc(sequence) : asc(sequence))
    .limit(limit)
}

/** Selects the number of the events of a trail that match. */
export function countIn({ db }: DatabaseContext, trail: Trail, filters: ReadFilters) {
  return db
    .select({ count: sql<number>`count(*)`.as('count') })
    .from(auditEvents)
    .where(matchingIn(trail, filters, null))
}

// The pair is compared as one, so that SQLite does not walk through the trail in place of the list.
function matchingIn(trail: Trail, filters: ReadFilters, page: TrailPage | null): SQL | undefined {
  const { organizationId, readable } = trail
  const value = lookedUpBy(filters)
  if (value === null) {
    return and(sql`${auditEvents.organizationId} = ${organizationId}`, readable, matching(filters))
  }
  return sql`(${auditEvents.organizationId}, ${auditEvents.sequence}) in
    (select ${organizationId}, sequence from ${sequencesBy(value, trail, filters, page)})`
}
