/**
 * SCIM: tokens of identity providers, and the users that they have pushed.
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

/** The tokens with which an identity provider calls SCIM; at most two of an organization are valid. */
export const scimTokens = /* @__PURE__ */ sqliteTable(
  'seatgate_scim_tokens',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    name: text('name'),
    createdById: text('created_by_id'),
    expiresAt: instant('expires_at'),
    /** Written at most one time an hour. */
    lastUsedAt: instant('last_used_at'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_scim_tokens_hash').on(table.tokenHash),
    index('seatgate_scim_tokens_organization').on(table.organizationId, table.createdAt, table.id),
    check('seatgate_scim_tokens_id', sql`length(id) > 0`),
    check('seatgate_scim_tokens_token_hash', sql`length(token_hash) = 64`),
  ]
)

/**
 * The users that an identity provider has pushed. Whether one is active is the membership of its user.
 * `position` counts from 1 without a gap: a trigger moves the last row into the place of a deleted one.
 */
export const scimUsers = /* @__PURE__ */ sqliteTable(
  'seatgate_scim_users',
  {
    organizationId: text('organization_id').notNull(),
    id: text('id').notNull(),
    position: integer('position').notNull(),
    userId: text('user_id').notNull(),
    userName: text('user_name').notNull(),
    /** The name in lower case: names are compared without case. */
    userNameKey: text('user_name_key').notNull(),
    externalId: text('external_id'),
    /** The address that the host's user was found by. */
    email: text('email').notNull(),
    /** The other attributes, which are stored and returned: a JSON object. */
    attributes: text('attributes').notNull(),
    version: integer('version').notNull(),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.id] }),
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_scim_users_user').on(table.organizationId, table.userId),
    uniqueIndex('seatgate_scim_users_name').on(table.organizationId, table.userNameKey),
    uniqueIndex('seatgate_scim_users_external').on(table.organizationId, table.externalId),
    uniqueIndex('seatgate_scim_users_position').on(table.organizationId, table.position),
    index('seatgate_scim_users_email').on(table.organizationId, table.email),
    index('seatgate_scim_users_everywhere').on(table.userId),
    check('seatgate_scim_users_id', sql`length(id) > 0`),
    check('seatgate_scim_users_position', sql`position > 0`),
    check('seatgate_scim_users_user_id', sql`length(user_id) > 0`),
    check('seatgate_scim_users_user_name', sql`length(user_name) > 0`),
    check('seatgate_scim_users_user_name_key', sql`length(user_name_key) > 0`),
    check('seatgate_scim_users_external_id', sql`length(external_id) > 0`),
    check('seatgate_scim_users_email', sql`length(email) > 0`),
    check('seatgate_scim_users_attributes', sql`json_valid(attributes)`),
    check('seatgate_scim_users_version', sql`version > 0`),
  ]
)

export type ScimTokenRow = typeof scimTokens.$inferSelect

export type ScimUserRow = typeof scimUsers.$inferSelect
