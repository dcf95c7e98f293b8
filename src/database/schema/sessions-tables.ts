/**
 * Sessions.
 *
 * @module
 */
import { text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** Sessions: the SHA-256 of the token, the user, and the active organization. */
export const sessions = /* @__PURE__ */ ownTable('seatgate_sessions', ['token_hash'], () => ({
  tokenHash: text('token_hash').primaryKey(),
  userId: text('user_id').notNull(),
  activeOrganizationId: text('active_organization_id'),
  expiresAt: instant('expires_at').notNull(),
  lastActiveAt: instant('last_active_at').notNull(),
  createdAt: instant('created_at').notNull(),
}))

/** The sessions whose user has proven again who they are, and until when that counts. */
export const stepUps = /* @__PURE__ */ ownTable('seatgate_step_ups', ['session_id'], () => ({
  sessionId: text('session_id').primaryKey(),
  userId: text('user_id').notNull(),
  freshUntil: instant('fresh_until').notNull(),
}))
