/**
 * The audit trail.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  check,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'

/**
 * Audit events, in commit order per organization. Rows can only be inserted; retention deletes those up
 * to the horizon of {@link auditPurges}.
 */
export const auditEvents = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_events',
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
  }),
  (table) => [
    primaryKey({ columns: [table.organizationId, table.sequence] }),
    uniqueIndex('seatgate_audit_events_idempotency')
      .on(table.organizationId, table.idempotencyKey)
      .where(sql`idempotency_key IS NOT NULL`),
    index('seatgate_audit_events_over_limit')
      .on(table.organizationId, table.action, table.sequence)
      .where(sql`action = 'seat.over_limit_entered' OR action = 'seat.over_limit_cleared'`),
    check('seatgate_audit_events_sequence', sql`sequence > 0`),
    check(
      'seatgate_audit_events_action',
      sql`length(action) <= 255 AND action GLOB '[a-z]*.[a-z]*' AND NOT action GLOB '*[^a-z0-9_.]*' AND NOT action GLOB '*.[^a-z]*' AND NOT action GLOB '*.'`
    ),
    check('seatgate_audit_events_outcome', sql`outcome IN ('success', 'failure', 'error')`),
    check(
      'seatgate_audit_events_actor_type',
      sql`actor_type IN ('user', 'operator', 'service_account', 'webhook', 'job', 'system', 'anonymous')`
    ),
    check(
      'seatgate_audit_events_actor_id',
      sql`actor_id IS NOT NULL OR actor_type IN ('system', 'anonymous')`
    ),
    check(
      'seatgate_audit_events_metadata',
      sql`json_valid(metadata) AND json_type(metadata) = 'object' AND length(CAST(metadata AS BLOB)) <= 8192`
    ),
    check('seatgate_audit_events_schema_version', sql`schema_version > 0`),
    check(
      'seatgate_audit_events_idempotency_key',
      sql`idempotency_key IS NULL OR length(idempotency_key) BETWEEN 1 AND 255`
    ),
    check(
      'seatgate_audit_events_personal_digest',
      sql`personal_digest IS NULL OR length(personal_digest) = 64`
    ),
  ]
)

/**
 * Where events are found by their values: `entries` leads from the hash of a value to sequences. Only
 * triggers write it, a row of level 0 for each 64 events; rows of level 1 replace 64 of these.
 */
export const auditLookups = sqliteTable(
  'seatgate_audit_lookups',
  {
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    bucket: integer('bucket').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    entries: text('entries').notNull(),
  },
  (table) => [
    primaryKey({
      columns: [table.organizationId, table.level, table.bucket, table.firstSequence],
    }),
    check('seatgate_audit_lookups_level', sql`level BETWEEN 0 AND 1`),
    check('seatgate_audit_lookups_bucket', sql`bucket BETWEEN 0 AND 63`),
    check('seatgate_audit_lookups_first_sequence', sql`first_sequence > 0`),
    check('seatgate_audit_lookups_entries', sql`json_valid(entries)`),
  ]
)

/** Personal data of events. Rows can be erased, but not changed. */
export const auditPersonal = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_personal',
  () => ({
    organizationId: text('organization_id').notNull(),
    digest: text('digest').notNull(),
    userId: text('user_id'),
    salt: text('salt').notNull(),
    ipAddress: text('ip_address'),
    userAgent: text('user_agent'),
  }),
  (table) => [
    primaryKey({ columns: [table.organizationId, table.digest] }),
    index('seatgate_audit_personal_user')
      .on(table.userId)
      .where(sql`user_id IS NOT NULL`),
    check('seatgate_audit_personal_digest', sql`length(digest) = 64`),
    check('seatgate_audit_personal_salt', sql`length(salt) = 64`),
    check('seatgate_audit_personal_ip_address', sql`length(ip_address) <= 64`),
    check('seatgate_audit_personal_user_agent', sql`length(user_agent) <= 512`),
  ]
)

/** Organizations with events that a sink has not received, or whose log is not sealed and published. */
export const auditOutbox = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_outbox',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    sweptAt: instant('swept_at').notNull(),
  }),
  (table) => [index('seatgate_audit_outbox_rotation').on(table.sweptAt)]
)

export type AuditEventRow = typeof auditEvents.$inferSelect
