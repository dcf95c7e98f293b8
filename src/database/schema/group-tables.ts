/**
 * The groups of organizations and their members.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** The groups of an organization. Those who write members write their number and the version too. */
export const groups = /* @__PURE__ */ ownTable(
  'seatgate_groups',
  ['organization_id id', 'organization_id name_key', 'organization_id external_id'],
  () => ({
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
  })
)

/** The members of groups: active members of the organization. */
export const groupMembers = /* @__PURE__ */ ownTable(
  'seatgate_group_members',
  ['organization_id group_id user_id'],
  () => ({
    organizationId: text('organization_id').notNull(),
    groupId: text('group_id').notNull(),
    userId: text('user_id').notNull(),
    createdAt: instant('created_at').notNull(),
  })
)

export type GroupRow = typeof groups.$inferSelect
