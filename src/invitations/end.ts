/**
 * How an invitation ends without a member: its seat is freed here.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { invitationEvent, seatEvent, type EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { invitations, type InvitationRow } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'
import type { SeatReference } from '../seats/provider.ts'

/** What ends an invitation, for the batch that ends it. */
export interface Ending {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
}

/** Builds the end of an invitation. With `keepSeat` its seat passes on to the one that replaces it. */
export function endInvitation(
  seatgate: Seatgate,
  row: InvitationRow,
  reason: 'revoked' | 'superseded' | 'organization_deleted' | 'declined',
  by: string | null,
  now: Date,
  keepSeat = false
): Ending {
  const ended =
    reason === 'declined'
      ? { declinedAt: now }
      : { revokedAt: now, revokedById: by, revokeReason: reason }
  const event =
    reason === 'declined'
      ? invitationEvent(row, 'organization.invitation.declined')
      : invitationEvent(row, 'organization.invitation.revoked', { reason })
  const freed = freedSeat(seatgate, row, keepSeat)
  return {
    statements: [
      seatgate.db
        .update(invitations)
        .set({ ...ended, updatedAt: now })
        .where(eq(invitations.id, row.id)),
    ],
    freedSeats: freed.map(({ seat }) => seat),
    events: [event, ...freed.map(({ event }) => event)],
  }
}

/** The seat that an invitation gives up, and the event that says so. */
export function freedSeat(
  { seats }: Seatgate,
  { id, organizationId, seatId }: InvitationRow,
  keepSeat: boolean
): readonly { readonly seat: SeatReference; readonly event: EventDraft }[] {
  if (seatId === null || keepSeat || !seats.enforces) return []
  const seat = { organizationId, seatId }
  return [{ seat, event: seatEvent(seat, 'seat.released', { invitation_id: id }) }]
}
