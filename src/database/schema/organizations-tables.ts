/**
 * Organizations and their members.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { flag, instant, ownTable } from './own-table.ts'

/**
 * Organizations. Readers do not see a row with `deletedAt`, and its slug is free again. `ownerUserId` is
 * the founder and never changes; the current owners are in the memberships. `ownRoles` has the roles that
 * the organization has made, as JSON `{ name: [permission, …] }`; `rolesVersion` counts their changes.
 */
export const organizations = /* @__PURE__ */ ownTable(
  'seatgate_organizations',
  ['id', 'slug'],
  () => ({
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    slug: text('slug').notNull(),
    ownerUserId: text('owner_user_id').notNull(),
    personal: flag('personal').notNull().default(false),
    enforceMfaForMembers: flag('enforce_mfa_for_members').notNull().default(false),
    ownRoles: text('own_roles'),
    rolesVersion: integer('roles_version').notNull().default(0),
    deletedAt: instant('deleted_at'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  })
)

/** Memberships. `seatId` is null exactly while the membership holds no seat. */
export const memberships = /* @__PURE__ */ ownTable(
  'seatgate_memberships',
  ['organization_id user_id', 'seat_id'],
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
    /** The roles that the groups of the member carry: a JSON list of names. */
    groupRoles: text('group_roles'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  })
)

/** Former slugs. Until they expire they redirect members to the current slug. */
export const slugAliases = /* @__PURE__ */ ownTable(
  'seatgate_organization_slug_aliases',
  ['old_slug'],
  () => ({
    oldSlug: text('old_slug').primaryKey(),
    organizationId: text('organization_id').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull(),
  })
)

/** The number of memberships of each kind in an organization. Only triggers write it. */
export const memberCounts = /* @__PURE__ */ ownTable(
  'seatgate_member_counts',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    active: integer('active').notNull(),
    suspended: integer('suspended').notNull(),
    seats: integer('seats').notNull(),
  })
)

export type OrganizationRow = typeof organizations.$inferSelect

export type MembershipRow = typeof memberships.$inferSelect
