/**
 * The change of a member's role, with the seat that the new role takes or leaves.
 *
 * @module
 */
import { seatEvent } from '../audit/event.ts'
import { takesSeat, type AccessContext, type Roles } from '../access/roles.ts'
import type { Database, Statement } from '../../database/database.ts'
import { typeOfRole, typeOfSeat } from '../../base/seat-types.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { isMembership, membershipView, type Membership } from './membership.ts'
import type { SeatClaim } from './plan.ts'

/** The parts of a plan that changes a role. */
export interface RoleChange {
  readonly membership: Membership
  /** Empty if a claim writes the row. */
  readonly statements: readonly Statement[]
  readonly claims: readonly SeatClaim[]
}

/**
 * Plans another role for a member. If the role takes a seat that the member does not have, of another type
 * or at all, they claim one, and the seat that they had is freed in the same batch. Otherwise the seat
 * stays, at a full limit too.
 */
export function changedRole(
  { db, roles }: AccessContext,
  member: MembershipRow,
  role: string,
  now: Date
): RoleChange {
  const row = { ...member, role, updatedAt: now }
  const membership = membershipView(row)
  const active = member.status === 'active'
  if (active && movesSeat(roles, member, role)) {
    return { membership, statements: [], claims: [claimInRole(db, row)] }
  }
  const write = db.update(memberships).set({ role, updatedAt: now }).where(isMembership(member))
  return { membership, statements: [write], claims: [] }
}

/**
 * Whether another role gives a row another seat or frees its seat. A row without a seat in a role that takes one
 * stays without: a repair of members, or the acceptance of an invitation, gives it one.
 */
export function movesSeat(
  roles: Pick<Roles, 'seatless' | 'seatTypes'>,
  { role, seatId }: { readonly role: string; readonly seatId: string | null },
  newRole: string
): boolean {
  const takes = takesSeat(roles, newRole)
  if (seatId === null) return takes && !takesSeat(roles, role)
  return !takes || typeOfSeat(seatId) !== typeOfRole(roles, newRole)
}

function claimInRole(db: Database, member: MembershipRow): SeatClaim {
  const { organizationId, userId, role, seatId, updatedAt } = member
  return {
    organizationId,
    kind: 'new',
    role,
    seatId,
    heldBy: { user_id: userId },
    promotes: true,
    holder: () => userId,
    until: null,
    write: (given) =>
      db.update(memberships).set({ role, seatId: given, updatedAt }).where(isMembership(member)),
    events: (seat, counts) => [seatEvent(seat, 'seat.assigned', { user_id: userId, ...counts })],
  }
}
