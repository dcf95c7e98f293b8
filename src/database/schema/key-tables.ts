/**
 * The API keys of organizations.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** A key has either a role or permissions. It is valid until it expires or its row is deleted. */
export const apiKeys = /* @__PURE__ */ ownTable('seatgate_api_keys', ['id', 'token_hash'], () => ({
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  tokenHash: text('token_hash').notNull(),
  /** The prefix and the first characters, by which people recognize it. */
  start: text('start').notNull(),
  name: text('name').notNull(),
  role: text('role'),
  /** A JSON list. */
  permissions: text('permissions'),
  createdById: text('created_by_id'),
  endsWithCreator: integer('ends_with_creator', { mode: 'boolean' }).notNull(),
  expiresAt: instant('expires_at'),
  /** The key that a rotation has put in its place. */
  replacedById: text('replaced_by_id'),
  /** Written at most one time an hour. */
  lastUsedAt: instant('last_used_at'),
  createdAt: instant('created_at').notNull(),
}))

export type ApiKeyRow = typeof apiKeys.$inferSelect
