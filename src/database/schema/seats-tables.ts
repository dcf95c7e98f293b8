/**
 * Seats: entitlements, ledgers and fences.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/** Entitlements: one row for each organization, replaced only by a higher version. */
export const entitlements = /* @__PURE__ */ sqliteTable(
  'seatgate_entitlements',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    version: integer('version').notNull(),
    limitKind: text('limit_kind', { enum: ['finite', 'unlimited', 'unknown'] }).notNull(),
    limitSeats: integer('limit_seats'),
    reason: text('reason'),
    updatedAt: instant('updated_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    check('seatgate_entitlements_version', sql`version > 0`),
    check(
      'seatgate_entitlements_limit_kind',
      sql`limit_kind IN ('finite', 'unlimited', 'unknown')`
    ),
    check('seatgate_entitlements_limit_seats', sql`limit_seats >= 0`),
    check(
      'seatgate_entitlements_limit_kind_2',
      sql`(limit_kind = 'finite') = (limit_seats IS NOT NULL)`
    ),
  ]
)

/**
 * The epoch of the ledger in force: a write that was admitted under an older epoch is refused, and so is
 * one whose seat was granted up to `fencedThrough`.
 */
export const seatLedgers = /* @__PURE__ */ sqliteTable(
  'seatgate_seat_ledgers',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    epoch: integer('epoch').notNull(),
    fencedThrough: instant('fenced_through').notNull().default(new Date(0)),
  }),
  () => [check('seatgate_seat_ledgers_epoch', sql`epoch > 0`)]
)

/** Ids of seats that were given up: a late write that carries one is refused. */
export const seatFences = /* @__PURE__ */ sqliteTable(
  'seatgate_seat_fences',
  () => ({
    seatId: text('seat_id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    fencedAt: instant('fenced_at').notNull(),
  }),
  (table) => [index('seatgate_seat_fences_fenced').on(table.fencedAt, table.seatId)]
)
