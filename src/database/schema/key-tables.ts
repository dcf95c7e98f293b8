/**
 * The API keys of organizations.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  sqliteTable,
  text,
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/** A key has either a role or permissions. It is valid until it expires or its row is deleted. */
export const apiKeys = /* @__PURE__ */ sqliteTable(
  'seatgate_api_keys',
  {
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
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_api_keys_hash').on(table.tokenHash),
    index('seatgate_api_keys_organization').on(table.organizationId, table.createdAt, table.id),
    index('seatgate_api_keys_creator')
      .on(table.organizationId, table.createdById)
      .where(sql`ends_with_creator = 1`),
    check('seatgate_api_keys_id', sql`length(id) > 0`),
    check('seatgate_api_keys_token_hash', sql`length(token_hash) = 64`),
    check('seatgate_api_keys_name', sql`length(name) > 0`),
    check('seatgate_api_keys_role', sql`length(role) > 0`),
    check(
      'seatgate_api_keys_permissions',
      sql`(permissions IS NULL) <> (role IS NULL) AND (permissions IS NULL OR json_valid(permissions))`
    ),
    check('seatgate_api_keys_ends_with_creator', sql`ends_with_creator IN (0, 1)`),
    check('seatgate_api_keys_creator', sql`ends_with_creator = 0 OR created_by_id IS NOT NULL`),
  ]
)

export type ApiKeyRow = typeof apiKeys.$inferSelect
