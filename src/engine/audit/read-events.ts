/**
 * Reads events of a trail, and returns them in their newest form.
 *
 * @module
 */
import { and, asc, desc, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { eventColumns, eventView, type AuditEvent, type ReadEventRow } from './event.ts'
import { lookedUpBy, sequencesBy, type Trail, type TrailPage } from './event-lookups.ts'
import { matching, type ReadFilters } from './filters.ts'
import type { RefusalOf } from '../../base/result.ts'

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
export function readEvent({ measure }: Pick<Runtime, 'measure'>, row: ReadEventRow): AuditEvent {
  try {
    return upcast(eventView(row))
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

/** Builds a scalar subquery of an organization's horizon; 0 if its trail is complete. */
export function horizonOf(organizationId: SQL<string | null> | string): SQL<number> {
  return sql<number>`coalesce((select max(last_sequence) from seatgate_audit_purges
    where organization_id = ${organizationId}), 0)`
}

/** The first and the last sequence of a trail. */
export interface Extent {
  /** Its last sequence. */
  readonly head: number
  /** The horizon. */
  readonly horizon: number
}

/** The extent of a trail without events. */
export const NOTHING: Extent = { head: 0, horizon: 0 }

/** Selects the extent of an organization's trail. */
export function extentOf(db: Database, organizationId: SQL<string | null> | string) {
  return db
    .select({
      head: sql<number>`coalesce((select max(sequence) from seatgate_audit_events
        where organization_id = ${organizationId}), 0)`.as('head'),
      horizon: horizonOf(organizationId).as('horizon'),
    })
    .from(sql`(select 1)`)
}

/** Refuses with `before_horizon` to continue after a sequence if the next event was purged. */
export function missedSince(
  after: number | null | undefined,
  horizon: number
): RefusalOf<'before_horizon'> | null {
  const missed = typeof after === 'number' && after < horizon
  return missed ? { code: 'before_horizon', horizon } : null
}

/** Converts an event of one version into the next. */
export type Upcast = (event: AuditEvent) => Omit<AuditEvent, 'schemaVersion'>

// The first converts version 1 into 2, and so on. There is one version so far.
const UPCASTS: readonly Upcast[] = []

/** The version of new events. */
export const SCHEMA_VERSION = UPCASTS.length + 1

/** An event has a version that this code does not know, probably a later one. */
export class UnknownSchemaVersion extends Error {
  override readonly name = 'UnknownSchemaVersion'
  readonly version: number

  constructor(version: number) {
    super(`There is no version ${version} of audit events here.`)
    this.version = version
  }
}

/**
 * Returns an event in its newest form.
 *
 * @throws {UnknownSchemaVersion} if its version is unknown.
 */
export function upcast(event: AuditEvent, steps: readonly Upcast[] = UPCASTS): AuditEvent {
  const { schemaVersion: own } = event
  if (!Number.isInteger(own) || own < 1 || own > steps.length + 1) {
    throw new UnknownSchemaVersion(own)
  }
  return steps
    .slice(own - 1)
    .reduce<AuditEvent>(
      (older, step) => ({ ...step(older), schemaVersion: older.schemaVersion + 1 }),
      event
    )
}
