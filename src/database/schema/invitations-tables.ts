/**
 * Invitations.
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

/**
 * Invitations. One without an end (accepted, revoked, declined) is pending until it expires. `seatId` is
 * the seat that its membership will carry, if invitations reserve seats.
 */
export const invitations = /* @__PURE__ */ sqliteTable(
  'seatgate_invitations',
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
  }),
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    uniqueIndex('seatgate_invitations_token').on(table.tokenHash),
    uniqueIndex('seatgate_invitations_unfinished')
      .on(table.organizationId, table.email)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    uniqueIndex('seatgate_invitations_seat')
      .on(table.seatId)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    index('seatgate_invitations_pending')
      .on(table.organizationId, table.expiresAt)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    index('seatgate_invitations_newest')
      .on(table.organizationId, table.createdAt, table.id)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    index('seatgate_invitations_email')
      .on(table.email, table.createdAt, table.id)
      .where(sql`accepted_at IS NULL AND revoked_at IS NULL AND declined_at IS NULL`),
    index('seatgate_invitations_expiry').on(table.expiresAt),
    check(
      'seatgate_invitations_email',
      sql`email = lower(email) AND length(email) BETWEEN 3 AND 160`
    ),
    check('seatgate_invitations_role', sql`length(role) > 0`),
    check('seatgate_invitations_token_hash', sql`length(token_hash) = 64`),
    check('seatgate_invitations_token_version', sql`token_version > 0`),
    check(
      'seatgate_invitations_revoke_reason',
      sql`revoke_reason IN ('revoked', 'superseded', 'organization_deleted')`
    ),
    check(
      'seatgate_invitations_mail_status',
      sql`mail_status IN ('queued', 'sent', 'failed', 'skipped')`
    ),
    check(
      'seatgate_invitations_accepted_at',
      sql`(accepted_at IS NOT NULL) + (revoked_at IS NOT NULL) + (declined_at IS NOT NULL) <= 1`
    ),
    check(
      'seatgate_invitations_accepted_at_2',
      sql`(accepted_at IS NULL) = (accepted_by_id IS NULL)`
    ),
    check('seatgate_invitations_revoked_at', sql`(revoked_at IS NULL) = (revoke_reason IS NULL)`),
  ]
)

export type InvitationRow = typeof invitations.$inferSelect
