/**
 * The removal of several members in one batch, beside another change of it.
 *
 * @module
 */
import { typeOfSeat } from '../../base/seat-types.ts'
import { and, inArray, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { actingOwner, guardUnchanged } from '../access/access-guards.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import { userIdOf, type OrganizationScope, type Principal } from '../access/principal.ts'
import { mayChangeRole, type AccessContext, type Rights } from '../access/roles.ts'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { Queries, RowsOf } from '../../database/batch.ts'
import type { Database, Statement } from '../../database/database.ts'
import type { InvitationRow } from '../../database/schema/invitations-tables.ts'
import { memberships, type MembershipRow } from '../../database/schema/organizations-tables.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { JoiningMembersContext } from './joining-members.ts'
import { planLeave, NOTHING_LOST, type LeaveContext, type LossContext, type Lost } from './leave.ts'
import { inScope, membershipView } from './membership.ts'
import { FREEING_NO_SEAT, type Freeing } from './seats-to-free.ts'
import type { Plan } from './plan.ts'

/** The context of a function that removes members. */
export interface RemovalContext
  extends
    LeaveContext,
    LossContext,
    JoiningMembersContext,
    AccessContext,
    Pick<Runtime, 'newId' | 'newSecret'> {}

const MOST_REMOVED = 50

/** The ids of the members to remove; at most 50, each once. */
export const RemoveInput = /* @__PURE__ */ (() =>
  v.nullish(
    v.pipe(
      v.array(v.string('Must be a user id.'), 'Must be a list of user ids.'),
      v.maxLength(MOST_REMOVED, `Must have at most ${MOST_REMOVED} user ids.`),
      v.transform((ids) => [...new Set(ids)])
    )
  ))()

/** Builds the queries of a removal. Without user ids there is no query. */
export function removalQueries(
  context: RemovalContext,
  scope: OrganizationScope,
  userIds: readonly string[]
): Queries {
  if (userIds.length === 0) return {}
  const id = organizationIdOf(scope.organization)
  const { invitations, joining } = context
  return {
    $removed: membershipsOf(context.db, scope, userIds),
    ...Object.fromEntries(
      userIds.flatMap((userId, index) => [
        [`$around${index}`, invitations?.members.around(context, sql`${id}`, userId) ?? null],
        [`$address${index}`, joining?.members.addressOf(context, userId) ?? null],
      ])
    ),
  }
}

/** The parts of a plan that removes members, and what it frees. */
export interface Removals extends Required<
  Pick<Plan<unknown>, 'before' | 'statements' | 'events' | 'freedSeats' | 'jobs'>
> {
  readonly freeing: Freeing
}

const NOTHING: Removals = {
  before: [],
  statements: [],
  events: [],
  freedSeats: [],
  jobs: [],
  freeing: FREEING_NO_SEAT,
}

/**
 * Plans the removal of members as a whole. Refuses if one of them is not a member, or may not be removed
 * by this actor; an owner has to remain.
 */
export function planRemovals(
  context: RemovalContext,
  found: RowsOf<Queries>,
  userIds: readonly string[],
  { caller, actor, now }: { caller: Principal; actor: Rights; now: Date }
): Result<Removals, 'not_found' | 'insufficient_role'> {
  if (userIds.length === 0) return ok(NOTHING)
  const rows = found as Readonly<Record<string, readonly unknown[]>>
  const members = (rows['$removed'] ?? []) as readonly MembershipRow[]
  const { roles, invitations, joining } = context
  if (members.some(({ role }) => !mayChangeRole(roles, actor, role, null))) {
    return refused({ code: 'insufficient_role' })
  }
  if (members.length < userIds.length) return refused({ code: 'not_found' })
  const lost: Lost[] = []
  for (const { organizationId, userId } of members) {
    const around = (rows[`$around${userIds.indexOf(userId)}`] ?? []) as readonly InvitationRow[]
    // An invitation from one of them to the address of another ends once.
    const ended = lost.flatMap((each) => each.invitations.map(({ id }) => id))
    const loss = { userId, organizationIds: [organizationId], rights: null, putOut: true }
    lost.push(
      invitations?.members.endLost(
        context,
        around.filter(({ id }) => !ended.includes(id)),
        { ...loss, by: userIdOf(caller), now }
      ) ?? NOTHING_LOST
    )
  }
  const reservations = lost.flatMap((each) =>
    each.invitations.filter(({ expiresAt }) => expiresAt > now)
  )
  const leave = planLeave(context, members, null, (row) => lost[members.indexOf(row)]?.count)
  return ok({
    before: members.map((row) => ({
      hook: 'beforeMemberRemove',
      state: { membership: membershipView(row), path: 'removed', caller },
    })),
    statements: [
      ...members.map((row) => guardUnchanged(context, row)),
      ...guardOwnerRemains(context, members),
      ...lost.flatMap(({ statements }) => statements),
      ...leave.statements,
      ...members.flatMap(
        (row) =>
          joining?.members.exclude(
            context,
            [row],
            (rows[`$address${userIds.indexOf(row.userId)}`] ?? []) as never,
            now
          ) ?? []
      ),
    ],
    events: [...leave.events, ...lost.flatMap(({ events }) => events)],
    freedSeats: [...leave.freedSeats, ...lost.flatMap(({ freedSeats }) => freedSeats)],
    jobs: leave.jobs,
    freeing: {
      seats: [...members, ...reservations].filter(
        ({ seatId }) => seatId !== null && typeOfSeat(seatId) === null
      ).length,
      userIds,
      invitationIds: reservations.map(({ id }) => id),
    },
  })
}

// Each of two owners must not count on the other one, who leaves too.
function guardOwnerRemains(
  { db, roles }: AccessContext,
  members: readonly MembershipRow[]
): readonly Statement[] {
  const owner = members.find(({ role, status }) => role === roles.owner && status === 'active')
  if (!owner) return []
  const ids = JSON.stringify(members.map(({ userId }) => userId))
  const remains = sql`exists (select 1 from seatgate_memberships
    where organization_id = ${owner.organizationId} and ${actingOwner(roles.owner)}
    and user_id not in (select value from json_each(${ids})))`
  return [guard(db, 'last_owner', remains)]
}

/** Selects the memberships of several users, active or suspended. */
export function membershipsOf(db: Database, scope: OrganizationScope, userIds: readonly string[]) {
  return rowsWhere(
    db,
    memberships,
    and(
      inScope(scope),
      inArray(memberships.userId, sql`(select value from json_each(${JSON.stringify(userIds)}))`)
    )
  )
}
