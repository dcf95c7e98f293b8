/**
 * Keys, indexes and checks of the tables of the trail: events, log, retention and forwarding.
 * Statements do not use them, so they stand apart from the columns.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, index, primaryKey, uniqueIndex } from 'drizzle-orm/sqlite-core'
import * as tables from '../tables.ts'
import { constrained } from './constrained.ts'

export const auditEvents = /* @__PURE__ */ constrained(tables.auditEvents, (table) => [
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
])

export const auditLookups = /* @__PURE__ */ constrained(tables.auditLookups, (table) => [
  primaryKey({
    columns: [table.organizationId, table.level, table.bucket, table.firstSequence],
  }),
  check('seatgate_audit_lookups_level', sql`level BETWEEN 0 AND 1`),
  check('seatgate_audit_lookups_bucket', sql`bucket BETWEEN 0 AND 63`),
  check('seatgate_audit_lookups_first_sequence', sql`first_sequence > 0`),
  check('seatgate_audit_lookups_entries', sql`json_valid(entries)`),
])

export const auditPersonal = /* @__PURE__ */ constrained(tables.auditPersonal, (table) => [
  primaryKey({ columns: [table.userId, table.organizationId, table.digest] }),
  check('seatgate_audit_personal_digest', sql`length(digest) = 64`),
  check('seatgate_audit_personal_salt', sql`length(salt) = 64`),
  check('seatgate_audit_personal_ip_address', sql`length(ip_address) <= 64`),
  check('seatgate_audit_personal_user_agent', sql`length(user_agent) <= 512`),
])

export const auditOutbox = tables.auditOutbox

export const auditNodes = /* @__PURE__ */ constrained(tables.auditNodes, (table) => [
  primaryKey({ columns: [table.organizationId, table.level, table.position] }),
  check('seatgate_audit_nodes_level', sql`level >= 0`),
  check('seatgate_audit_nodes_position', sql`position >= 0`),
  check('seatgate_audit_nodes_hash', sql`length(hash) = 44`),
])

export const auditCheckpoints = /* @__PURE__ */ constrained(tables.auditCheckpoints, (table) => [
  primaryKey({ columns: [table.organizationId, table.size] }),
  check('seatgate_audit_checkpoints_size', sql`size > 0`),
])

export const auditPublished = /* @__PURE__ */ constrained(tables.auditPublished, () => [
  check('seatgate_audit_published_size', sql`size > 0`),
])

export const auditPurges = /* @__PURE__ */ constrained(tables.auditPurges, (table) => [
  primaryKey({ columns: [table.organizationId, table.lastSequence] }),
  check('seatgate_audit_purges_first_sequence', sql`first_sequence > 0`),
  check('seatgate_audit_purges_last_sequence', sql`last_sequence >= first_sequence`),
  check('seatgate_audit_purges_last_hash', sql`length(last_hash) = 44`),
  check('seatgate_audit_purges_checkpoint_size', sql`checkpoint_size >= last_sequence`),
  check('seatgate_audit_purges_personal_records', sql`personal_records >= 0`),
  check('seatgate_audit_purges_dead_letters', sql`dead_letters >= 0`),
  check('seatgate_audit_purges_forced', sql`forced IN (0, 1)`),
  check('seatgate_audit_purges_milliseconds', sql`milliseconds >= 0`),
])

export const auditSegments = /* @__PURE__ */ constrained(tables.auditSegments, (table) => [
  primaryKey({ columns: [table.organizationId, table.lastSequence] }),
  check('seatgate_audit_segments_organization_id', sql`length(organization_id) > 0`),
  check('seatgate_audit_segments_first_sequence', sql`first_sequence > 0`),
  check('seatgate_audit_segments_last_sequence', sql`last_sequence >= first_sequence`),
  check('seatgate_audit_segments_begins_after', sql`begins_after BETWEEN 0 AND first_sequence - 1`),
  check('seatgate_audit_segments_digest', sql`length(digest) = 64`),
  check('seatgate_audit_segments_bytes', sql`bytes > 0`),
  check('seatgate_audit_segments_ended_at', sql`ended_at >= began_at`),
])

export const auditCarriedSeats = /* @__PURE__ */ constrained(tables.auditCarriedSeats, (table) => [
  primaryKey({ columns: [table.organizationId, table.seatId] }),
])

export const auditRetention = /* @__PURE__ */ constrained(tables.auditRetention, (table) => [
  index('seatgate_audit_retention_due').on(table.dueAt),
  check('seatgate_audit_retention_held_at', sql`(held_at IS NULL) = (held_reason IS NULL)`),
])

export const sinkCursors = /* @__PURE__ */ constrained(tables.sinkCursors, (table) => [
  primaryKey({ columns: [table.organizationId, table.sinkId] }),
  index('seatgate_sink_cursors_paused')
    .on(table.sinkId)
    .where(sql`paused_reason IS NOT NULL`),
  check('seatgate_sink_cursors_sequence', sql`sequence >= 0`),
  check('seatgate_sink_cursors_attempts', sql`attempts >= 0`),
])

export const sinkDeadLetters = /* @__PURE__ */ constrained(tables.sinkDeadLetters, (table) => [
  primaryKey({ columns: [table.organizationId, table.sinkId, table.sequence] }),
  index('seatgate_sink_dead_letters_queued')
    .on(table.organizationId, table.sinkId, table.sequence)
    .where(sql`state = 'queued'`),
  index('seatgate_sink_dead_letters_dead')
    .on(table.sinkId)
    .where(sql`state = 'dead'`),
  check('seatgate_sink_dead_letters_sequence', sql`sequence > 0`),
  check('seatgate_sink_dead_letters_state', sql`state IN ('dead', 'queued', 'delivered')`),
  check('seatgate_sink_dead_letters_attempts', sql`attempts > 0`),
])

export const sinkAttempts = /* @__PURE__ */ constrained(tables.sinkAttempts, (table) => [
  index('seatgate_sink_attempts_route').on(table.organizationId, table.sinkId, table.firstSequence),
  check('seatgate_sink_attempts_first_sequence', sql`first_sequence > 0`),
  check('seatgate_sink_attempts_last_sequence', sql`last_sequence >= first_sequence`),
  check(
    'seatgate_sink_attempts_outcome',
    sql`outcome IN ('delivered', 'passed', 'skipped', 'retry', 'paused', 'dead')`
  ),
  check('seatgate_sink_attempts_attempt', sql`attempt >= 0`),
  check('seatgate_sink_attempts_passed', sql`json_valid(passed)`),
  check('seatgate_sink_attempts_milliseconds', sql`milliseconds >= 0`),
])
