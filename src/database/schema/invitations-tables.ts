/**
 * Invitations.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/**
 * Invitations. One without an end (accepted, revoked, declined) is pending until it expires. `seatId` is
 * the seat that its membership will carry, if invitations reserve seats.
 */
export const invitations = /* @__PURE__ */ ownTable(
  'seatgate_invitations',
  ['id', 'email organization_id', 'seat_id'],
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    email: text('email').notNull(),
    role: text('role').notNull(),
    tokenHash: text('token_hash').notNull(),
    tokenVersion: integer('token_version').notNull().default(1),
    seatId: text('seat_id'),
    expiresAt: instant('expires_at').notNull(),
    acceptedAt: instant('accepted_at'),
    acceptedById: text('accepted_by_id'),
    revokedAt: instant('revoked_at'),
    revokedById: text('revoked_by_id'),
    revokeReason: text('revoke_reason', {
      enum: ['revoked', 'superseded', 'organization_deleted'],
    }),
    declinedAt: instant('declined_at'),
    mailStatus: text('mail_status', { enum: ['queued', 'sent', 'failed', 'skipped'] })
      .notNull()
      .default('skipped'),
    invitedById: text('invited_by_id'),
    createdAt: instant('created_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
    /** The recipient's language (BCP 47), if the inviter gave one. */
    locale: text('locale'),
  })
)

export type InvitationRow = typeof invitations.$inferSelect
