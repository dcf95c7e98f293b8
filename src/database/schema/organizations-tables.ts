/**
 * Organizations and their members.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { flag, instant } from './column-types.ts'

/**
 * Organizations. Readers do not see a row with `deletedAt`, and its slug is free again. `ownerUserId` is
 * the founder and never changes; the current owners are in the memberships.
 */
export const organizations = /* @__PURE__ */ sqliteTable(
  'seatgate_organizations',
  () => ({
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull(),
    ownerUserId: text('owner_user_id').notNull(),
    personal: flag('personal').notNull().default(false),
    enforceMfaForMembers: flag('enforce_mfa_for_members').notNull().default(false),
    deletedAt: instant('deleted_at'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (table) => [
    uniqueIndex('seatgate_organizations_live_slug')
      .on(table.slug)
      .where(sql`deleted_at IS NULL`),
    check('seatgate_organizations_name', sql`length(name) BETWEEN 1 AND 255`),
    check('seatgate_organizations_slug', sql`slug = lower(slug) AND length(slug) > 0`),
    check('seatgate_organizations_enforce_mfa_for_members', sql`enforce_mfa_for_members IN (0, 1)`),
    check('seatgate_organizations_personal', sql`personal IN (0, 1)`),
  ]
)

/** Memberships. `seatId` is null exactly while the membership holds no seat. */
export const memberships = /* @__PURE__ */ sqliteTable(
  'seatgate_memberships',
  () => ({
    id: text('id').notNull(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    role: text('role').notNull(),
    status: text('status', { enum: ['active', 'suspended'] })
      .notNull()
      .default('active'),
    suspendedBy: text('suspended_by', { enum: ['admin', 'over_limit'] }),
    seatId: text('seat_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    primaryKey({ columns: [table.organizationId, table.userId] }),
    uniqueIndex('seatgate_memberships_seat').on(table.seatId),
    index('seatgate_memberships_organization_newest').on(
      table.organizationId,
      table.createdAt,
      table.id
    ),
    index('seatgate_memberships_organization_role')
      .on(table.organizationId, table.role, table.status)
      .where(sql`role <> 'member'`),
    index('seatgate_memberships_user_newest').on(table.userId, table.createdAt, table.id),
    check('seatgate_memberships_user_id', sql`length(user_id) > 0`),
    check('seatgate_memberships_role', sql`length(role) > 0`),
    check('seatgate_memberships_status', sql`status IN ('active', 'suspended')`),
    check('seatgate_memberships_suspended_by', sql`suspended_by IN ('admin', 'over_limit')`),
    check('seatgate_memberships_status_2', sql`status = 'active' OR seat_id IS NULL`),
  ]
)

/** Former slugs. Until they expire they redirect members to the current slug. */
export const slugAliases = /* @__PURE__ */ sqliteTable(
  'seatgate_organization_slug_aliases',
  () => ({
    oldSlug: text('old_slug').primaryKey(),
    organizationId: text('organization_id').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull(),
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    index('seatgate_organization_slug_aliases_organization').on(table.organizationId),
    index('seatgate_organization_slug_aliases_expiry').on(table.expiresAt),
    check(
      'seatgate_organization_slug_aliases_old_slug',
      sql`old_slug = lower(old_slug) AND length(old_slug) > 0`
    ),
  ]
)

/** The number of memberships of each kind in an organization. Only triggers write it. */
export const memberCounts = /* @__PURE__ */ sqliteTable(
  'seatgate_member_counts',
  () => ({
    organizationId: text('organization_id').primaryKey(),
    active: integer('active').notNull(),
    suspended: integer('suspended').notNull(),
    seats: integer('seats').notNull(),
  }),
  () => [
    check('seatgate_member_counts_active', sql`active >= 0`),
    check('seatgate_member_counts_suspended', sql`suspended >= 0`),
    check('seatgate_member_counts_seats', sql`seats >= 0`),
  ]
)

export type OrganizationRow = typeof organizations.$inferSelect

export type MembershipRow = typeof memberships.$inferSelect
