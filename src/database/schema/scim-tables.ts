/**
 * SCIM: tokens of identity providers, and the users that they have pushed.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** The tokens with which an identity provider calls SCIM; at most two of an organization are valid. */
export const scimTokens = /* @__PURE__ */ ownTable(
  'seatgate_scim_tokens',
  ['id', 'token_hash'],
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    name: text('name'),
    createdById: text('created_by_id'),
    expiresAt: instant('expires_at'),
    /** Written at most one time an hour. */
    lastUsedAt: instant('last_used_at'),
    createdAt: instant('created_at').notNull(),
  })
)

/**
 * The users that an identity provider has pushed. Whether one is active is the membership of its user.
 * `position` counts from 1 without a gap: a trigger moves the last row into the place of a deleted one.
 */
export const scimUsers = /* @__PURE__ */ ownTable(
  'seatgate_scim_users',
  [
    'organization_id id',
    'organization_id user_id',
    'organization_id user_name_key',
    'organization_id external_id',
    'organization_id position',
  ],
  () => ({
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
  })
)

export type ScimTokenRow = typeof scimTokens.$inferSelect

export type ScimUserRow = typeof scimUsers.$inferSelect
