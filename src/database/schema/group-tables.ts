/**
 * The groups of organizations and their members.
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
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/** The groups of an organization. Those who write members write their number and the version too. */
export const groups = /* @__PURE__ */ sqliteTable(
  'seatgate_groups',
  {
    organizationId: text('organization_id').notNull(),
    id: text('id').notNull(),
    name: text('name').notNull(),
    /** The name in lower case, unique in the organization. */
    nameKey: text('name_key').notNull(),
    /** The role whose permissions the members have besides their own. */
    role: text('role'),
    /** The id that an identity provider gives it. */
    externalId: text('external_id'),
    members: integer('members').notNull(),
    /** Goes up with each change, that of members included. */
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    primaryKey({ columns: [table.organizationId, table.id] }),
    uniqueIndex('seatgate_groups_name').on(table.organizationId, table.nameKey),
    uniqueIndex('seatgate_groups_external_id')
      .on(table.organizationId, table.externalId)
      .where(sql`external_id IS NOT NULL`),
    index('seatgate_groups_newest').on(table.organizationId, table.createdAt, table.id),
    check('seatgate_groups_id', sql`length(id) > 0`),
    check('seatgate_groups_name', sql`length(name) > 0`),
    check('seatgate_groups_name_key', sql`length(name_key) > 0`),
    check('seatgate_groups_role', sql`length(role) > 0`),
    check('seatgate_groups_external_id', sql`length(external_id) > 0`),
    check('seatgate_groups_members', sql`members >= 0`),
    check('seatgate_groups_version', sql`version > 0`),
  ]
)

/** The members of groups: active members of the organization. */
export const groupMembers = /* @__PURE__ */ sqliteTable(
  'seatgate_group_members',
  {
    organizationId: text('organization_id').notNull(),
    groupId: text('group_id').notNull(),
    userId: text('user_id').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.groupId, table.userId] }),
    foreignKey({
      columns: [table.organizationId, table.groupId],
      foreignColumns: [groups.organizationId, groups.id],
    }),
    index('seatgate_group_members_user').on(table.organizationId, table.userId),
    check('seatgate_group_members_user_id', sql`length(user_id) > 0`),
  ]
)

export type GroupRow = typeof groups.$inferSelect
