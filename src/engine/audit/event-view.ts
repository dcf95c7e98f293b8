/**
 * The columns that an event is read from, and the event as it was written.
 *
 * @module
 */
import { getTableColumns, sql } from 'drizzle-orm'
import { auditEvents, type AuditEventRow } from '../../database/schema/audit-tables.ts'
import { personalUserColumn, type AuditEvent } from './event.ts'

/** A row with the columns that {@link eventColumns} adds. */
export type ReadEventRow = AuditEventRow & {
  readonly personalSalt: string | null
  readonly ipAddress: string | null
  readonly userAgent: string | null
  readonly leafHash?: string | null
}

/** The columns of an event: its row, and its personal data unless they were erased. */
export const eventColumns = {
  ...getTableColumns(auditEvents),
  personalSalt: personal('salt'),
  ipAddress: personal('ip_address'),
  userAgent: personal('user_agent'),
}

// A subquery instead of a join, whose columns would have no names in a batch of D1.
function personal(column: 'salt' | 'ip_address' | 'user_agent') {
  return sql<string | null>`(select ${sql.raw(column)} from seatgate_audit_personal
    where seatgate_audit_personal.user_id = ${personalUserColumn()}
    and seatgate_audit_personal.organization_id = seatgate_audit_events.organization_id
    and seatgate_audit_personal.digest = seatgate_audit_events.personal_digest)`.as(
    `personal_${column}`
  )
}

/**
 * Returns the event as it was written. It is sealed, exported and forwarded in this form, so that its
 * hash can be verified everywhere.
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
