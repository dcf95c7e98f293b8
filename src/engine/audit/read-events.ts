/**
 * Reads events: the columns of an event, and an event as it was written and as readers see it.
 *
 * @module
 */
import { and, asc, desc, getTableColumns, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents, type AuditEventRow } from '../../database/schema.ts'
import type { AuditEvent } from './event.ts'
import { matching, type ReadFilters } from './filters.ts'
import { UnknownSchemaVersion, upcast } from './versions.ts'

/** A row with what {@link eventColumns} has beside it. */
export type ReadEventRow = AuditEventRow & {
  readonly personalSalt: string | null
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly leafHash?: string | null
}

/** What is read of an event: its row, and its personal part if that is still there. */
export const eventColumns = {
  ...getTableColumns(auditEvents),
  personalSalt: personal('salt'),
  ipAddress: personal('ip_address'),
  userAgent: personal('user_agent'),
}

// A subquery and not a join, for which D1 has no names in a batch.
function personal(column: 'salt' | 'ip_address' | 'user_agent') {
  return sql<string | null>`(select ${sql.raw(column)} from seatgate_audit_personal
    where seatgate_audit_personal.organization_id = seatgate_audit_events.organization_id
    and seatgate_audit_personal.digest = seatgate_audit_events.personal_digest)`.as(
    `personal_${column}`
  )
}

/** Beside {@link eventColumns}: the hash that the event was sealed with, null until then. */
export const sealedColumns = {
  ...eventColumns,
  leafHash: sql<string | null>`(select hash from seatgate_audit_nodes
    where seatgate_audit_nodes.organization_id = seatgate_audit_events.organization_id
    and level = 0 and position = sequence - 1)`.as('leaf_hash'),
}

/**
 * The event as it was written: what is sealed, exported and forwarded, so that its hash can be checked
 * wherever it goes.
 */
export function eventView({
  insertedAt,
  occurredAt,
  personalSalt,
  ipAddress,
  userAgent,
  ...row
}: ReadEventRow): AuditEvent {
  return {
    ...row,
    occurredAt: occurredAt.toISOString(),
    insertedAt: insertedAt.toISOString(),
    personal: personalSalt === null ? null : { salt: personalSalt, ipAddress, userAgent },
  }
}

/**
 * The event as readers see it: in its newest form. One that cannot be read is not left out.
 *
 * @throws {UnknownSchemaVersion} if it is in a form that is not known here; it is measured too.
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

/** The events of a trail that match. */
export function eventsIn(
  { db }: DatabaseContext,
  trail: SQL | undefined,
  filters: ReadFilters,
  page: {
    readonly order: 'newest' | 'oldest'
    readonly after: number | null
    readonly through?: number
    readonly limit: number
    /** Whether the hashes that they were sealed with are wanted. */
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
        trail,
        matching(filters),
        after === null ? undefined : behind(sequence, after),
        through === undefined ? undefined : lte(sequence, through)
      )
    )
    .orderBy(order === 'newest' ? desc(sequence) : asc(sequence))
    .limit(limit)
}
