/**
 * The Merkle log over a trail.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { flag, instant } from './column-types.ts'

/**
 * The hashes of complete subtrees of each organization's log, leaves at level 0. Rows can only be
 * inserted.
 */
export const auditNodes = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_nodes',
  () => ({
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    position: integer('position').notNull(),
    hash: text('hash').notNull(),
  }),
  (table) => [
    primaryKey({ columns: [table.organizationId, table.level, table.position] }),
    check('seatgate_audit_nodes_level', sql`level >= 0`),
    check('seatgate_audit_nodes_position', sql`position >= 0`),
    check('seatgate_audit_nodes_hash', sql`length(hash) = 44`),
  ]
)

/** Signed checkpoints: the root of the log at a size. Rows can only be inserted. */
export const auditCheckpoints = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_checkpoints',
  () => ({
    organizationId: text('organization_id').notNull(),
    size: integer('size').notNull(),
    note: text('note').notNull(),
    createdAt: instant('created_at').notNull(),
  }),
  (table) => [
    primaryKey({ columns: [table.organizationId, table.size] }),
    check('seatgate_audit_checkpoints_size', sql`size > 0`),
  ]
)

/** The last checkpoint of each log that was published outside, where that is configured. */
export const auditPublished = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_published',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    size: integer('size').notNull(),
  }),
  () => [check('seatgate_audit_published_size', sql`size > 0`)]
)

/**
 * Runs that purged the beginning of a trail. The `lastSequence` of the latest run is the horizon: events
 * up to it are gone and cannot be written again. Rows can only be inserted; the duration is added later.
 */
export const auditPurges = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_purges',
  () => ({
    organizationId: text('organization_id').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    lastHash: text('last_hash').notNull(),
    checkpointSize: integer('checkpoint_size').notNull(),
    personalRecords: integer('personal_records').notNull(),
    deadLetters: integer('dead_letters').notNull(),
    forced: flag('forced').notNull(),
    lifecycle: text('lifecycle'),
    seatLimit: text('seat_limit', { mode: 'json' }),
    startedAt: instant('started_at').notNull(),
    milliseconds: integer('milliseconds'),
  }),
  (table) => [
    primaryKey({ columns: [table.organizationId, table.lastSequence] }),
    check('seatgate_audit_purges_first_sequence', sql`first_sequence > 0`),
    check('seatgate_audit_purges_last_sequence', sql`last_sequence >= first_sequence`),
    check('seatgate_audit_purges_last_hash', sql`length(last_hash) = 44`),
    check('seatgate_audit_purges_checkpoint_size', sql`checkpoint_size >= last_sequence`),
    check('seatgate_audit_purges_personal_records', sql`personal_records >= 0`),
    check('seatgate_audit_purges_dead_letters', sql`dead_letters >= 0`),
    check('seatgate_audit_purges_forced', sql`forced IN (0, 1)`),
    check('seatgate_audit_purges_milliseconds', sql`milliseconds >= 0`),
  ]
)

/**
 * Seats that were taken at the horizon, because the purged events recorded them. A row with an invitation
 * is reserved.
 */
export const auditCarriedSeats = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_carried_seats',
  () => ({
    organizationId: text('organization_id').notNull(),
    seatId: text('seat_id').notNull(),
    invitationId: text('invitation_id'),
    expiresAt: text('expires_at'),
  }),
  (table) => [primaryKey({ columns: [table.organizationId, table.seatId] })]
)

/** When retention checks each trail next, and whether a legal hold keeps all of it. */
export const auditRetention = /* @__PURE__ */ sqliteTable(
  'seatgate_audit_retention',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    dueAt: instant('due_at').notNull(),
    heldAt: instant('held_at'),
    heldReason: text('held_reason'),
  }),
  (table) => [
    index('seatgate_audit_retention_due').on(table.dueAt),
    check('seatgate_audit_retention_held_at', sql`(held_at IS NULL) = (held_reason IS NULL)`),
  ]
)
