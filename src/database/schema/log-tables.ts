/**
 * The Merkle log over a trail.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'

/**
 * The hashes of complete subtrees of each organization's log, leaves at level 0. Rows can only be
 * inserted.
 */
export const auditNodes = sqliteTable(
  'seatgate_audit_nodes',
  {
    organizationId: text('organization_id').notNull(),
    level: integer('level').notNull(),
    position: integer('position').notNull(),
    hash: text('hash').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.level, table.position] }),
    check('seatgate_audit_nodes_level', sql`level >= 0`),
    check('seatgate_audit_nodes_position', sql`position >= 0`),
    check('seatgate_audit_nodes_hash', sql`length(hash) = 44`),
  ]
)

/** Signed checkpoints: the root of the log at a size. Rows can only be inserted. */
export const auditCheckpoints = sqliteTable(
  'seatgate_audit_checkpoints',
  {
    organizationId: text('organization_id').notNull(),
    size: integer('size').notNull(),
    note: text('note').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.size] }),
    check('seatgate_audit_checkpoints_size', sql`size > 0`),
  ]
)

/** The last checkpoint of each log that was published outside, where that is configured. */
export const auditPublished = sqliteTable(
  'seatgate_audit_published',
  {
    organizationId: text('organization_id').primaryKey(),
    size: integer('size').notNull(),
  },
  () => [check('seatgate_audit_published_size', sql`size > 0`)]
)
