/**
 * Claims of memberships: every membership is created and reactivated by one of these.
 *
 * @module
 */
import { eq } from 'drizzle-orm'
import { seatEvent } from '../audit/event.ts'
import type { Database, Statement } from '../../database/database.ts'
import { memberships, type MembershipRow } from '../../database/schema.ts'
import type { SeatClaim } from './seat-claim.ts'
import { invitationHolder } from '../seats/assigned-seats.ts'

type NewMembership = Omit<MembershipRow, 'seatId'>

/** Claims the seat of the user who creates an organization; it is counted and never refused. */
export function claimAsFounder(db: Database, membership: NewMembership): SeatClaim {
  return claim(membership, 'founding', null, inserting(db))
}

/**
 * Claims the seat of a new member. `seatId` is the seat that an invitation reserves for them; `awaited`
 * claims the seat of the first user on the waitlist.
 */
export function claimAsMember(
  db: Database,
  membership: NewMembership,
  { seatId, awaited }: { readonly seatId: string | null; readonly awaited: boolean }
): SeatClaim {
  const kind = awaited ? 'awaited' : 'new'
  return claim(membership, seatId === null ? kind : 'promised', seatId, inserting(db))
}

/** Claims a new seat for a suspended member, who becomes active again. */
export function claimAgain(db: Database, membership: NewMembership): SeatClaim {
  return claim(membership, 'new', null, (row) =>
    db.update(memberships).set(row).where(eq(memberships.id, row.id))
  )
}

function inserting(db: Database) {
  return (row: MembershipRow): Statement => db.insert(memberships).values(row)
}

function claim(
  membership: NewMembership,
  kind: SeatClaim['kind'],
  seatId: string | null,
  write: (row: MembershipRow) => Statement
): SeatClaim {
  const { organizationId, userId } = membership
  return {
    organizationId,
    kind,
    seatId,
    // The seat of an invitation keeps its holder when it becomes the seat of a membership.
    holder: (id) => (seatId === null ? userId : invitationHolder(id)),
    until: null,
    write: (id) => write({ ...membership, seatId: id }),
    events: (seat, counts) => [seatEvent(seat, 'seat.assigned', { user_id: userId, ...counts })],
  }
}
