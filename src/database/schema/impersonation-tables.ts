/**
 * The impersonations of operators.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/** An impersonation runs until it expires or its row is deleted. Its id is that of the event of its start. */
export const impersonations = /* @__PURE__ */ sqliteTable(
  'seatgate_impersonations',
  {
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    operatorId: text('operator_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    reason: text('reason').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_impersonations_hash').on(table.tokenHash),
    index('seatgate_impersonations_organization').on(
      table.organizationId,
      table.createdAt,
      table.id
    ),
    index('seatgate_impersonations_operator').on(table.operatorId, table.createdAt, table.id),
    check('seatgate_impersonations_id', sql`length(id) > 0`),
    check('seatgate_impersonations_user', sql`length(user_id) > 0`),
    check('seatgate_impersonations_operator', sql`length(operator_id) > 0`),
    check('seatgate_impersonations_token_hash', sql`length(token_hash) = 64`),
    check('seatgate_impersonations_reason', sql`length(reason) > 0`),
  ]
)

export type ImpersonationRow = typeof impersonations.$inferSelect
