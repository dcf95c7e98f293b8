/**
 * Seats: entitlements, ledgers and fences.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** Entitlements: one row for each organization, replaced only by a higher version. */
export const entitlements = /* @__PURE__ */ ownTable(
  'seatgate_entitlements',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    version: integer('version').notNull(),
    limitKind: text('limit_kind', { enum: ['finite', 'unlimited', 'unknown'] }).notNull(),
    limitSeats: integer('limit_seats'),
    /** The limits of the types of seats; null: those of the configuration. */
    typeLimits: text('type_limits', { mode: 'json' }).$type<
      Readonly<Record<string, number | 'unlimited'>>
    >(),
    reason: text('reason'),
    updatedAt: instant('updated_at').notNull(),
  })
)

/**
 * The epoch of the ledger in force: a write that was admitted under an older epoch is refused, and so is
 * one whose seat was granted up to `fencedThrough`.
 */
export const seatLedgers = /* @__PURE__ */ ownTable(
  'seatgate_seat_ledgers',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    epoch: integer('epoch').notNull(),
    fencedThrough: instant('fenced_through').notNull().default(new Date(0)),
  })
)

/** Ids of seats that were given up: a late write that carries one is refused. */
export const seatFences = /* @__PURE__ */ ownTable('seatgate_seat_fences', ['seat_id'], () => ({
  seatId: text('seat_id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  fencedAt: instant('fenced_at').notNull(),
}))

/** The number of seats of a type that members of an organization hold. Only triggers write it. */
export const seatTypeCounts = /* @__PURE__ */ ownTable(
  'seatgate_seat_type_counts',
  ['organization_id seat_type'],
  () => ({
    organizationId: text('organization_id').notNull(),
    seatType: text('seat_type').notNull(),
    seats: integer('seats').notNull(),
  })
)

/** How far the trail was when an organization's seats were last verified after a change. */
export const seatChecks = /* @__PURE__ */ ownTable(
  'seatgate_seat_checks',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    sequence: integer('sequence').notNull(),
    checkedAt: instant('checked_at').notNull(),
  })
)
