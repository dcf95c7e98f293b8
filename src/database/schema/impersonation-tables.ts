/**
 * The impersonations of operators.
 *
 * @module
 */
import { text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** An impersonation runs until it expires or its row is deleted. Its id is that of the event of its start. */
export const impersonations = /* @__PURE__ */ ownTable(
  'seatgate_impersonations',
  ['id', 'token_hash'],
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    userId: text('user_id').notNull(),
    operatorId: text('operator_id').notNull(),
    tokenHash: text('token_hash').notNull(),
    reason: text('reason').notNull(),
    expiresAt: instant('expires_at').notNull(),
    createdAt: instant('created_at').notNull(),
  })
)

export type ImpersonationRow = typeof impersonations.$inferSelect
