import type { InvitationRow } from '../database/schema.ts'

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

/** An invitation with its token, which is told this once. */
export interface InvitationWithToken extends Invitation {
  readonly token: string
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
