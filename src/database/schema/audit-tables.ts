/**
 * The audit trail.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/**
 * Audit events, in commit order per organization. Rows can only be inserted; retention deletes those up
 * to the horizon of {@link auditPurges}.
 */
export const auditEvents = /* @__PURE__ */ ownTable(
  'seatgate_audit_events',
  ['organization_id sequence', 'organization_id idempotency_key'],
  () => ({
    organizationId: text('organization_id').notNull(),
    sequence: integer('sequence').notNull(),
    id: text('id').notNull(),
    action: text('action').notNull(),
    outcome: text('outcome', { enum: ['success', 'failure', 'error'] }).notNull(),
    actorType: text('actor_type', {
      enum: ['user', 'operator', 'service_account', 'webhook', 'job', 'system', 'anonymous'],
    }).notNull(),
    actorId: text('actor_id'),
    effectiveUserId: text('effective_user_id'),
    targetType: text('target_type'),
    targetId: text('target_id'),
    metadata: text('metadata', { mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    requestId: text('request_id'),
    traceId: text('trace_id'),
    causeEventId: text('cause_event_id'),
    idempotencyKey: text('idempotency_key'),
    personalDigest: text('personal_digest'),
    schemaVersion: integer('schema_version').notNull(),
    occurredAt: instant('occurred_at').notNull(),
    insertedAt: instant('inserted_at').notNull(),
  })
)

/**
 * Where events are found by their values: `entries` leads from the hash of a value to sequences. Only
 * triggers write it, a row of level 0 for each 64 events; rows of level 1 replace 64 of these.
 */
export const auditLookups = /* @__PURE__ */ ownTable(
  'seatgate_audit_lookups',
  ['organization_id level bucket first_sequence'],
  () => ({
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    bucket: integer('bucket').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    entries: text('entries').notNull(),
  })
)

/** Personal data of events, under the user to whom they belong. Rows can be erased, but not changed. */
export const auditPersonal = /* @__PURE__ */ ownTable(
  'seatgate_audit_personal',
  ['user_id organization_id digest'],
  () => ({
    userId: text('user_id').notNull().default(''),
    organizationId: text('organization_id').notNull(),
    digest: text('digest').notNull(),
    salt: text('salt').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
  })
)

/** Organizations with events that a sink has not received, or whose log is not sealed and published. */
export const auditOutbox = /* @__PURE__ */ ownTable(
  'seatgate_audit_outbox',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    /** Since when it waits. Only older versions read it. */
    sweptAt: instant('swept_at').notNull(),
  })
)

export type AuditEventRow = typeof auditEvents.$inferSelect
