import type { InvitationRow } from '../../database/schema.ts'

/** What has become of an invitation. The clock ends one as surely as a person. */
export type InvitationState = 'pending' | 'accepted' | 'revoked' | 'declined' | 'expired'

/** An invitation as clients see it. Timestamps are ISO 8601 UTC. */
export interface Invitation {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  readonly status: InvitationState
  readonly expiresAt: string
  /** Who invited; null if it was no person. */
  readonly invitedBy: string | null
  /** What became of its mail; `skipped` if the host sends none. */
  readonly mailStatus: 'queued' | 'sent' | 'failed' | 'skipped'
  readonly createdAt: string
}

/** An invitation with its tokens, which are answered this once. */
export interface InvitationWithToken extends Invitation {
  /** For the inviter to pass on. It lets its holder in and proves no address. */
  readonly token: string
  /**
   * For a host that sends mail itself: it belongs into a mail to the address and nowhere else, since
   * accepting with it verifies the address. Do not show it to the inviter.
   */
  readonly mailToken: string
}

/** An invitation as the routes answer it: without the token that belongs into a mail. */
export function withoutMailToken({ mailToken: _mailToken, ...invitation }: InvitationWithToken) {
  return invitation
}

export function stateOf(row: Omit<InvitationRow, 'seatId'>, now: Date): InvitationState {
  if (row.acceptedAt !== null) return 'accepted'
  if (row.revokedAt !== null) return 'revoked'
  if (row.declinedAt !== null) return 'declined'
  return row.expiresAt <= now ? 'expired' : 'pending'
}

export function invitationView(row: Omit<InvitationRow, 'seatId'>, now: Date): Invitation {
  return {
    id: row.id,
    organizationId: row.organizationId,
    email: row.email,
    role: row.role,
    status: stateOf(row, now),
    expiresAt: row.expiresAt.toISOString(),
    invitedBy: row.invitedById,
    mailStatus: row.mailStatus,
    createdAt: row.createdAt.toISOString(),
  }
}
