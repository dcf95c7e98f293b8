import { sql } from 'drizzle-orm'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorize } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import {
  isUser,
  userIdOf,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import { NOTHING_LOST, planLeave } from '../../engine/model/leave.ts'
import {
  guardAnotherOwner,
  guardAccess,
  guardUnchanged,
} from '../../engine/access/access-guards.ts'
import { membershipView, personOf, type EndedWith } from '../../engine/model/membership.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import { mayChangeRole } from '../../engine/access/roles.ts'

/** Why {@link removeMember} refuses. */
export type RemoveMemberRefusal =
  | AccessRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'last_owner'

/**
 * Removes a member, or the caller, which every role may. The seat is free when this returns. It is never
 * refused for seats or limits; the last owner stays. Open invitations that the member has sent end with
 * the membership. A user who was removed by another one cannot return by the domain of their address
 * without approval.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`, `last_owner`.
 *
 * @example
 * ```ts
 * await removeMember(seatgate, { caller: { userId }, organization: 'acme' }, userId) // leaves
 * ```
 */
export async function removeMember(
  context: MembershipContext,
  scope: OrganizationScope,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<EndedWith, RemoveMemberRefusal>> {
  const { roles } = context
  const organizationId = organizationIdOf(scope.organization)
  return perform(
    context,
    scope,
    {
      name: 'organization.member_remove',
      input: userId,
      grows: false,
      refusals: [...HOOK_REFUSALS, 'last_owner'],
      target: { userId, ...(context.joining && { person: personOf(context, userId).address }) },
      queries: {
        around:
          context.invitations?.members.around(context, sql`${organizationId}`, userId) ?? null,
      },
      plan(found, caller, now) {
        const access = authorize(roles, found)
        if (!access.ok) return access
        const leaving = userId === userIdOf(caller)
        const { target } = found
        if (
          !leaving &&
          !mayChangeRole(access.value.roles, access.value, target?.role ?? null, null)
        ) {
          return refused({ code: 'insufficient_role' })
        }
        if (target === null) return refused({ code: 'not_found' })
        const reason = leaving ? 'left' : null
        const membership = membershipView(target)
        const lost =
          context.invitations?.members.endLost(context, found.rows.around, {
            userId,
            organizationIds: [target.organizationId],
            rights: null,
            putOut: !leaving,
            by: userIdOf(caller),
            now,
          }) ?? NOTHING_LOST
        const leave = planLeave(context, [target], reason, () => lost.count)
        return ok({
          ...leave,
          value: { endedInvitations: lost.count },
          before: [
            {
              hook: 'beforeMemberRemove',
              state: { membership, path: reason ?? 'removed', caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardUnchanged(context, target),
            ...guardAnotherOwner(context, target),
            ...lost.statements,
            ...leave.statements,
            ...(context.joining?.members.exclude(
              context,
              leaving ? [] : [target],
              [{ email: found.person }],
              now
            ) ?? []),
          ],
          freedSeats: [...leave.freedSeats, ...lost.freedSeats],
          events: [...leave.events, ...lost.events],
        })
      },
    },
    options
  )
}

/** Why {@link leaveOrganization} refuses. */
export type LeaveOrganizationRefusal = RemoveMemberRefusal | 'not_a_member'

/**
 * Leaves an organization: removes the caller's membership, in any role. A sole owner cannot leave.
 *
 * Refusals: `RemoveMemberRefusal`, `not_a_member` (the caller is no person).
 *
 * @example
 * ```ts
 * await leaveOrganization(seatgate, { caller: { userId }, organization: 'acme' })
 * ```
 */
export async function leaveOrganization(
  context: MembershipContext,
  scope: OrganizationScope & { readonly caller: Principal },
  options: OperationOptions = {}
): Promise<Result<EndedWith, LeaveOrganizationRefusal>> {
  if (!isUser(scope.caller)) return refused({ code: 'not_a_member' })
  return removeMember(context, scope, scope.caller.userId, options)
}
