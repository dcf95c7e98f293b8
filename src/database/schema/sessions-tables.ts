/**
 * Sessions.
 *
 * @module
 */
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'

/** Sessions: the SHA-256 of the token, the user, and the active organization. */
export const sessions = /* @__PURE__ */ sqliteTable('seatgate_sessions', () => ({
  tokenHash: text('token_hash').primaryKey(),
  userId: text('user_id').notNull(),
  activeOrganizationId: text('active_organization_id'),
  expiresAt: instant('expires_at').notNull(),
  lastActiveAt: instant('last_active_at').notNull(),
  createdAt: instant('created_at').notNull(),
}))

/** The sessions whose user has proven again who they are, and until when that counts. */
export const stepUps = /* @__PURE__ */ sqliteTable('seatgate_step_ups', () => ({
  sessionId: text('session_id').primaryKey(),
  userId: text('user_id').notNull(),
  freshUntil: instant('fresh_until').notNull(),
}))
