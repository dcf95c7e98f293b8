/**
 * Claims of invitations: the seat that an open invitation keeps reserved for its recipient.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { seatEvent } from '../audit/event.ts'
import type { Database, Statement } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema.ts'
import type { SeatClaim } from './seat-claim.ts'
import { invitationHolder } from '../seats/assigned-seats.ts'

type Invitation = Omit<InvitationRow, 'seatId'>

/** Claims the seat of a new invitation; `seatId` is the seat of the invitation that it replaces. */
export function claimForInvitation(
  db: Database,
  invitation: Invitation,
  seatId: string | null
): SeatClaim {
  return claim(invitation, seatId, (row) => db.insert(invitations).values(row))
}

/** Claims the seat of a renewed invitation; `seatId` is the seat that it already holds. */
export function claimForRenewal(
  db: Database,
  invitation: Invitation,
  seatId: string | null
): SeatClaim {
  return claim(invitation, seatId, (row) =>
    db.update(invitations).set(row).where(eq(invitations.id, row.id))
  )
}

function claim(
  invitation: Invitation,
  seatId: string | null,
  write: (row: InvitationRow) => Statement
): SeatClaim {
  const { id, organizationId, expiresAt } = invitation
  const promise = { invitation_id: id, expires_at: expiresAt.toISOString() }
  return {
    organizationId,
    kind: seatId === null ? 'new' : 'promised',
    seatId,
    holder: invitationHolder,
    until: expiresAt,
    write: (granted) => write({ ...invitation, seatId: granted }),
    events: (seat, counts) =>
      seatId === null ? [seatEvent(seat, 'seat.reserved', { ...promise, ...counts })] : [],
  }
}
