import { sql } from 'drizzle-orm'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { NOTHING_LOST, planSuspension } from '../../engine/model/leave.ts'
import {
  guardAnotherOwner,
  guardAccess,
  guardUnchanged,
} from '../../engine/access/access-guards.ts'
import {
  isPutOut,
  membershipView,
  personOf,
  type ChangedMembership,
} from '../../engine/model/membership.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import { mayChangeRole } from '../../engine/access/roles.ts'

/** Why {@link suspendMember} refuses. */
export type SuspendMemberRefusal =
  | AccessRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'last_owner'

/**
 * Suspends a member: they lose access from the next request on, their seat is free, and the membership
 * stays with its history. A member whom a user has suspended is returned unchanged; one whom a limit has
 * suspended stays suspended when there are seats. The last owner who can act cannot be suspended. Open invitations that the member has sent end. Until the member is restored or let in again,
 * the domain of their address admits no account with it.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`, `last_owner`.
 *
 * @example
 * ```ts
 * await suspendMember(seatgate, { caller, organization: 'acme' }, userId)
 * ```
 */
export async function suspendMember(
  context: MembershipContext,
  scope: OrganizationScope,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<ChangedMembership, SuspendMemberRefusal>> {
  const { roles } = context
  const organizationId = organizationIdOf(scope.organization)
  return perform(
    context,
    scope,
    {
      name: 'organization.member_suspend',
      input: userId,
      grows: false,
      refusals: [...HOOK_REFUSALS, 'last_owner'],
      target: { userId, ...(context.joining && { person: personOf(context, userId).address }) },
      queries: {
        around:
          context.invitations?.members.around(context, sql`${organizationId}`, userId) ?? null,
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        const { target } = found
        if (!mayChangeRole(access.value.roles, access.value, target?.role ?? null, null)) {
          return refused({ code: 'insufficient_role' })
        }
        if (target === null) return refused({ code: 'not_found' })
        if (isPutOut(target)) {
          return ok(unchanged({ ...membershipView(target), endedInvitations: 0 }))
        }
        const by = userIdOf(caller)
        const putOut = by !== userId
        const lost =
          context.invitations?.members.endLost(context, found.rows.around, {
            userId,
            organizationIds: [target.organizationId],
            rights: null,
            putOut,
            by,
            now,
          }) ?? NOTHING_LOST
        const leave = planSuspension(context, target, 'admin', now, lost.count)
        const suspended = membershipView({ ...target, status: 'suspended', updatedAt: now })
        return ok({
          ...leave,
          value: { ...suspended, endedInvitations: lost.count },
          before: [
            {
              hook: 'beforeMemberSuspend',
              state: { membership: membershipView(target), path: 'admin', caller },
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
              putOut ? [target] : [],
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
