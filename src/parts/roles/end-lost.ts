/**
 * Ends invitations, links and keys when a role loses permissions: as for one member whose role changes, for
 * all members with the role.
 *
 * @module
 */
import { and, sql, type SQL } from 'drizzle-orm'
import type { RowsOf } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { guard } from '../../database/commit.ts'
import type { Statement } from '../../database/database.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { mayInvite, rightsOf, type RoleHolder, type Roles } from '../../engine/access/roles.ts'
import { endInvitations, type Ending } from '../../engine/model/end-invitation.ts'
import { isUnfinished, lateAcceptance } from '../../engine/model/invitation.ts'
import type { RightsLeft } from '../../engine/model/plan.ts'
import { isPending } from '../../engine/seats/counts.ts'
import type { OwnRolesContext } from './own-roles.ts'

/** The role that loses permissions, and what its members have then. */
export interface RoleLoss {
  readonly organizationId: string
  readonly role: string
  /** The role that they have after it. */
  readonly newRole: string
  /** The roles of the organization after it. */
  readonly roles: Roles
  readonly by: string | null
  readonly now: Date
}

type Place = SQL<string | null> | string

// By their own role, or by that of a group.
const inRole = (organizationId: Place, role: string) =>
  sql`organization_id = ${organizationId} and status = 'active' and (role = ${role}
    or exists (select 1 from json_each(group_roles) where value = ${role}))`

const isSender = (organizationId: Place) =>
  sql`user_id in (select invited_by_id from seatgate_invitations
    where organization_id = ${organizationId} and ${isUnfinished()})`

function isMaker({ creators }: OwnRolesContext, organizationId: Place): SQL {
  return sql`user_id in (${sql.join(
    creators.map((of) => of(organizationId)),
    sql` union all `
  )})`
}

/** Selects the invitations of members in a role, and the members who have made keys or links. */
export function lossQueries(context: OwnRolesContext, place: SQL<string | null>, role: string) {
  const { db } = context
  const senders = sql`select user_id from seatgate_memberships where ${inRole(place, role)}`
  return {
    sent: context.invitations
      ? rowsWhere(
          db,
          invitations,
          sql`organization_id = ${place} and invited_by_id in (${senders}) and ${isUnfinished()}`
        )
      : null,
    senders: context.invitations
      ? rowsWhere(db, memberships, and(inRole(place, role), isSender(place)))
      : null,
    makers:
      context.creators.length > 0
        ? rowsWhere(db, memberships, and(inRole(place, role), isMaker(context, place)))
        : null,
  }
}

/** The parts of a plan by which things end. */
export interface RoleLost extends Ending {
  readonly losses: readonly RightsLeft[]
  readonly count: number
}

/** Builds the end of rights that the members of a role no longer have, with guards that no row was added. */
export function endLostOf(
  context: OwnRolesContext,
  rows: RowsOf<ReturnType<typeof lossQueries>>,
  loss: RoleLoss
): RoleLost {
  const { organizationId, role, newRole, roles, by, now } = loss
  const left = (member: MembershipRow) => rightsOf(roles, rolesAfter(member, role, newRole))
  const rights = new Map(rows.senders.map((member) => [member.userId, left(member)]))
  const open = rows.sent.filter(({ expiresAt }) => expiresAt > lateAcceptance(now))
  const ends = ({ invitedById, role: to }: (typeof open)[number]) => {
    const sender = rights.get(invitedById ?? '')
    return sender === undefined || !mayInvite(roles, sender, to === role ? newRole : to)
  }
  const ended = context.invitations?.outliveInviter ? [] : open.filter(ends)
  const reason = 'inviter_lost_role'
  const ending = endInvitations(context, ended, { reason, by, now })
  return {
    ...ending,
    statements: [
      ...(context.invitations ? [guardSent(context, loss, open, rows.senders)] : []),
      ...(context.creators.length > 0 ? [guardMakers(context, loss, rows.makers)] : []),
      ...ending.statements,
    ],
    losses: rows.makers.map((member) => ({
      organizationId,
      userId: member.userId,
      rights: left(member),
      roles,
    })),
    count: ended.length,
  }
}

function guardSent(
  { db }: OwnRolesContext,
  { organizationId, role, now }: RoleLoss,
  open: RowsOf<ReturnType<typeof lossQueries>>['sent'],
  senders: readonly MembershipRow[]
): Statement {
  const known = open.map((row) => [row.id, row.role, row.seatId, row.invitedById].join(' '))
  const row = sql`id || ' ' || role || ' ' || coalesce(seat_id, '') || ' ' || coalesce(invited_by_id, '')`
  return guard(
    db,
    'stale',
    sql`(select count(*) = ${open.length} and count(*) filter (where ${row}
        not in (select value from json_each(${JSON.stringify(known)}))) = 0
      from seatgate_invitations where organization_id = ${organizationId}
      and invited_by_id in (select user_id from seatgate_memberships where ${inRole(organizationId, role)})
      and ${isPending(lateAcceptance(now))})
      and ${areUnchanged(organizationId, role, isSender(organizationId), senders)}`
  )
}

function guardMakers(
  context: OwnRolesContext,
  { organizationId, role }: RoleLoss,
  makers: readonly MembershipRow[]
): Statement {
  const makes = isMaker(context, organizationId)
  return guard(context.db, 'stale', areUnchanged(organizationId, role, makes, makers))
}

// The members' other roles decide which rights they keep.
function areUnchanged(
  organizationId: string,
  role: string,
  among: SQL,
  members: readonly MembershipRow[]
): SQL {
  const known = members.map((each) => [each.userId, each.role, each.groupRoles ?? ''].join(' '))
  return sql`(select count(*) = ${members.length} and count(*) filter (where
      user_id || ' ' || role || ' ' || coalesce(group_roles, '')
      not in (select value from json_each(${JSON.stringify(known)}))) = 0
    from seatgate_memberships where ${inRole(organizationId, role)} and ${among})`
}

function rolesAfter(member: MembershipRow, from: string, to: string): RoleHolder {
  const after = (each: string) => (each === from ? to : each)
  const carried = JSON.parse(member.groupRoles ?? '[]') as readonly string[]
  return { role: after(member.role), groupRoles: JSON.stringify(carried.map(after)) }
}

/** Whether a role has lost a permission. */
export function losesAny(before: readonly string[], after: readonly string[]): boolean {
  return before.some((each) => !after.includes(each))
}

/** The empty end. */
export const NOTHING_ENDS: RoleLost = {
  statements: [],
  freedSeats: [],
  events: [],
  losses: [],
  count: 0,
}
