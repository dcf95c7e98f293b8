/**
 * The way out: every membership that ends, ends here, and frees its seat here.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import type { EventDraft } from '../audit/event.ts'
import type { Statement } from '../database/database.ts'
import { memberships, type MembershipRow } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'

/** What ends a membership, for the batch that ends it. */
export interface Departure {
  readonly statements: readonly Statement[]
  readonly freedSeats: readonly string[]
  readonly events: readonly EventDraft[]
}

/**
 * Builds the end of a membership. D1 first: the row goes and the release is on record as an event,
 * which frees the seat even if nobody lives to tell the seat provider.
 */
export function depart(
  seatgate: Seatgate,
  { id, userId, seatId }: MembershipRow,
  metadata: Readonly<Record<string, unknown>>
): Departure {
  const removed: EventDraft = {
    action: 'organization.member_remove',
    target: { type: 'user', id: userId },
    metadata: { user_id: userId, ...metadata },
  }
  const freedSeats = seatId !== null && seatgate.seats.enforces ? [seatId] : []
  const released = freedSeats.map((seat): EventDraft => ({
    action: 'seat.released',
    target: { type: 'seat', id: seat },
    metadata: { user_id: userId },
  }))
  return {
    statements: [seatgate.db.delete(memberships).where(eq(memberships.id, id))],
    freedSeats,
    events: [removed, ...released],
  }
}
