/**
 * Ends invitations without a member, and frees their seats.
 *
 * @module
 */
import { eq, inArray, sql, type SQL } from 'drizzle-orm'
import { seatEvent, type EventDraft } from '../audit/event.ts'
import { invitationEvent } from '../audit/part-actions.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { invitations, type InvitationRow } from '../../database/schema/invitations-tables.ts'
import { withHook } from './plan.ts'
import type { ProviderContext, SeatReference } from '../seats/provider.ts'
import { invitationView } from './invitation.ts'

/** The parts of a batch that ends invitations. */
export interface Ending {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly SeatReference[]
  readonly events: readonly EventDraft[]
}

/** The reason for the end, its author (null: not a user) and its time. */
export interface EndingCause {
  readonly reason:
    | 'revoked'
    | 'superseded'
    | 'organization_deleted'
    | 'declined'
    | 'inviter_lost_role'
    | 'invitee_put_out'
  readonly by: string | null
  readonly now: Date
  /** Whether the seat passes on to the invitation or membership that takes its place. */
  readonly keepsSeat?: (row: InvitationRow) => boolean
}

/** Builds the end of an invitation. With `keepSeat` its seat passes on to its replacement. */
export function endInvitation(
  context: DatabaseContext & Pick<ProviderContext, 'seats'>,
  row: InvitationRow,
  reason: EndingCause['reason'],
  by: string | null,
  now: Date,
  keepSeat = false
): Ending {
  return endInvitations(context, [row], { reason, by, now, keepsSeat: () => keepSeat })
}

/**
 * Builds the end of invitations with one reason: one statement, and for each an event and the release of
 * its seat. The batch guards that they are unchanged.
 */
export function endInvitations(
  context: DatabaseContext & Pick<ProviderContext, 'seats'>,
  rows: readonly InvitationRow[],
  { reason, by, now, keepsSeat = () => false }: EndingCause
): Ending {
  if (rows.length === 0) return { statements: [], freedSeats: [], events: [] }
  const each = rows.map((row) => ({
    event: endingEvent(row, { reason, by, now }),
    freed: freedSeat(context, row, keepsSeat(row)),
  }))
  return {
    statements: [
      context.db
        .update(invitations)
        .set({ ...endedColumns(reason, by, now), updatedAt: now })
        .where(isOneOf(rows)),
    ],
    freedSeats: each.flatMap(({ freed }) => freed.map(({ seat }) => seat)),
    events: each.flatMap(({ event, freed }) => [event, ...freed.map((seat) => seat.event)]),
  }
}

/** Returns the seat that an invitation frees, and its event. */
export function freedSeat(
  { seats }: Pick<ProviderContext, 'seats'>,
  { id, organizationId, seatId }: InvitationRow,
  keepSeat: boolean
): readonly { readonly seat: SeatReference; readonly event: EventDraft }[] {
  if (seatId === null || keepSeat || !seats.enforces) return []
  const seat = { organizationId, seatId }
  return [{ seat, event: seatEvent(seat, 'seat.released', { invitation_id: id }) }]
}

// A single id is compared directly: a list costs D1 more rows to read.
function isOneOf(rows: readonly InvitationRow[]): SQL {
  const [only, ...others] = rows
  if (only && others.length === 0) return eq(invitations.id, only.id)
  const ids = JSON.stringify(rows.map(({ id }) => id))
  return inArray(invitations.id, sql`(select value from json_each(${ids}))`)
}

function endingEvent(row: InvitationRow, { reason, by, now }: EndingCause): EventDraft {
  const invitation = invitationView({ ...row, ...endedColumns(reason, by, now) }, now)
  if (reason === 'declined') {
    return withHook(
      invitationEvent(row, 'organization.invitation.declined'),
      'afterInvitationDecline',
      { invitation }
    )
  }
  return withHook(
    invitationEvent(row, 'organization.invitation.revoked', { reason }),
    'afterInvitationRevoke',
    { invitation, path: reason }
  )
}

function endedColumns(reason: EndingCause['reason'], by: string | null, now: Date) {
  if (reason === 'declined') return { declinedAt: now }
  // The table has three reasons; the event has the full one.
  const revokeReason =
    reason === 'superseded' || reason === 'organization_deleted' ? reason : ('revoked' as const)
  return { revokedAt: now, revokedById: by, revokeReason }
}
