/**
 * The change of a member's role, with the seat that the new role takes or leaves.
 *
 * @module
 */
import { seatEvent } from '../audit/event.ts'
import { takesSeat, type AccessContext, type Roles } from '../access/roles.ts'
import type { Database, Statement } from '../../database/database.ts'
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
 * Plans another role for a member. From a role without a seat to one with a seat, the member claims a seat;
 * the other way the seat is freed. Otherwise the seat stays, at a full limit too.
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
 * Whether another role gives a row a seat or frees its seat. A row without a seat in a role that takes one
 * stays without: a repair of members, or the acceptance of an invitation, gives it one.
 */
export function movesSeat(
  roles: Pick<Roles, 'seatless'>,
  { role, seatId }: { readonly role: string; readonly seatId: string | null },
  newRole: string
): boolean {
  const takes = takesSeat(roles, newRole)
  return seatId === null ? takes && !takesSeat(roles, role) : !takes
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
