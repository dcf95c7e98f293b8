/**
 * The Merkle log over a trail.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { flag, instant, ownTable } from './own-table.ts'

/**
 * The hashes of complete subtrees of each organization's log, leaves at level 0. Rows can only be
 * inserted.
 */
export const auditNodes = /* @__PURE__ */ ownTable(
  'seatgate_audit_nodes',
  ['organization_id level position'],
  () => ({
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    position: integer('position').notNull(),
    hash: text('hash').notNull(),
  })
)

/** Signed checkpoints: the root of the log at a size. Rows can only be inserted. */
export const auditCheckpoints = /* @__PURE__ */ ownTable(
  'seatgate_audit_checkpoints',
  ['organization_id size'],
  () => ({
    organizationId: text('organization_id').notNull(),
    size: integer('size').notNull(),
    note: text('note').notNull(),
    createdAt: instant('created_at').notNull(),
  })
)

/** The last checkpoint of each log that was published outside, where that is configured. */
export const auditPublished = /* @__PURE__ */ ownTable(
  'seatgate_audit_published',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    size: integer('size').notNull(),
  })
)

/**
 * Runs that purged the beginning of a trail. The `lastSequence` of the latest run is the horizon: events
 * up to it are gone and cannot be written again. Rows can only be inserted; the duration is added later.
 */
export const auditPurges = /* @__PURE__ */ ownTable(
  'seatgate_audit_purges',
  ['organization_id last_sequence'],
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
  })
)

/**
 * Segments of trails in the host's bucket: events that retention has moved there. `beginsAfter` is the
 * sequence behind which segments and trail are complete. Rows can only be inserted.
 */
export const auditSegments = /* @__PURE__ */ ownTable(
  'seatgate_audit_segments',
  ['organization_id last_sequence'],
  () => ({
    organizationId: text('organization_id').notNull(),
    firstSequence: integer('first_sequence').notNull(),
    lastSequence: integer('last_sequence').notNull(),
    beginsAfter: integer('begins_after').notNull(),
    digest: text('digest').notNull(),
    bytes: integer('bytes').notNull(),
    beganAt: instant('began_at').notNull(),
    endedAt: instant('ended_at').notNull(),
    archivedAt: instant('archived_at').notNull(),
  })
)

/**
 * Seats that were taken at the horizon, because the purged events recorded them. A row with an invitation
 * is reserved.
 */
export const auditCarriedSeats = /* @__PURE__ */ ownTable(
  'seatgate_audit_carried_seats',
  ['organization_id seat_id'],
  () => ({
    organizationId: text('organization_id').notNull(),
    seatId: text('seat_id').notNull(),
    invitationId: text('invitation_id'),
    expiresAt: text('expires_at'),
  })
)

/** When retention checks each trail next, and whether a legal hold keeps all of it. */
export const auditRetention = /* @__PURE__ */ ownTable(
  'seatgate_audit_retention',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    dueAt: instant('due_at').notNull(),
    heldAt: instant('held_at'),
    heldReason: text('held_reason'),
  })
)
