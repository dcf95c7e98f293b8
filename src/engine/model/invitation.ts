import type { InvitationRow } from '../../database/schema.ts'

/** The state of an invitation. A past expiry ends it like an action of a user. */
export type InvitationState = 'pending' | 'accepted' | 'revoked' | 'declined' | 'expired'

/** An invitation in responses. Timestamps are ISO 8601 UTC. */
export interface Invitation {
  readonly id: string
  readonly organizationId: string
  readonly email: string
  readonly role: string
  readonly status: InvitationState
  readonly expiresAt: string
  /** The inviter; null if it was not a user. */
  readonly invitedBy: string | null
  /** The state of its mail; `skipped` if the host sends none. */
  readonly mailStatus: 'queued' | 'sent' | 'failed' | 'skipped'
  readonly createdAt: string
}

/** An invitation with its tokens, which are returned only once. */
export interface InvitationWithToken extends Invitation {
  /** The token for the inviter to pass on. It admits its holder and verifies no address. */
  readonly token: string
  /**
   * The token for a host that sends the mail itself. It must only be in a mail to the address, because
   * accepting with it verifies the address. Do not show it to the inviter.
   */
  readonly mailToken: string
}

/** Removes the mail's token from an invitation, for responses. */
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
