import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { memberEvent } from '../../engine/audit/event.ts'
import { unchanged, withHook } from '../../engine/model/plan.ts'
import { parseInput } from '../../base/input.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { NOTHING_LOST, endedInvitations } from '../../engine/model/leave.ts'
import {
  guardAnotherOwner,
  guardAccess,
  guardUnchanged,
} from '../../engine/access/access-guards.ts'
import { membershipView, type ChangedMembership } from '../../engine/model/membership.ts'
import { changedRole } from '../../engine/model/role-change.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import {
  mayChangeRole,
  mayMoveSeats,
  roleInput,
  takesSeat,
  type HasRoles,
  type ChangeRoleInput,
  type Roles,
  rightsOf,
  isConfigured,
  unknownRole,
} from '../../engine/access/roles.ts'

/** Why {@link changeRole} refuses. */
export type ChangeRoleRefusal =
  | AccessRefusal
  | InputRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'last_owner'
  | 'owned_limit_reached'

/**
 * Changes a member's role `{ role }`. The same role changes no row. Only an owner can grant or take the
 * owner's role, and the last owner who can act keeps it. Open invitations that the member has sent, and
 * could not send in the new role, end with the change; the result has their number. A member whose role takes
 * no seat (`roles.seatless`) claims one for a role that does, and the other way the seat is freed.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `role`), `SeatRefusal`, `HookRefusal`, `StoreRefusal`,
 * `not_found`, `last_owner`, `owned_limit_reached` (the member would own too many organizations).
 *
 * @example
 * ```ts
 * await changeRole(seatgate, { caller, organization: 'acme' }, userId, { role: 'admin' })
 * ```
 */
export async function changeRole<Role extends string = string>(
  context: MembershipContext & HasRoles<Role>,
  scope: OrganizationScope,
  userId: string,
  input: ChangeRoleInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<ChangedMembership, ChangeRoleRefusal>> {
  const { roles } = context
  const parsed = parseInput(v.object({ role: roleInput(roles) }, 'Must be an object.'), input)
  return perform(
    context,
    scope,
    {
      name: 'organization.member_role_change',
      input: [userId, input],
      grows: mayTakeSeat(roles, parsed),
      refusals: [...HOOK_REFUSALS, ...SEAT_REFUSALS, 'last_owner', 'owned_limit_reached'],
      target: { userId },
      queries: {
        sent:
          context.invitations?.members.by(
            context,
            sql`${organizationIdOf(scope.organization)}`,
            userId
          ) ?? null,
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { role } = parsed.value
        const { roles: own } = access.value
        if (!isConfigured(own, role)) return unknownRole(own)
        const { target } = found
        if (!mayChangeRole(own, access.value, target?.role ?? null, role)) {
          return refused({ code: 'insufficient_role' })
        }
        if (target === null) return refused({ code: 'not_found' })
        const { organizationId, role: oldRole } = target
        if (oldRole === role) {
          return ok(unchanged({ ...membershipView(target), endedInvitations: 0 }))
        }
        const rights = rightsOf(own, { ...target, role })
        const lost =
          context.invitations?.members.endLost({ ...context, roles: own }, found.rows.sent, {
            userId,
            organizationIds: [organizationId],
            rights,
            putOut: false,
            by: userIdOf(caller),
            now,
          }) ?? NOTHING_LOST
        const changed = changedRole(context, target, role, now)
        const { membership } = changed
        return ok({
          value: { ...membership, endedInvitations: lost.count },
          before: [
            {
              hook: 'beforeRoleChange',
              state: { membership: membershipView(target), newRole: role, caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardUnchanged(context, target),
            ...guardAnotherOwner(context, target),
            ...lost.statements,
            ...changed.statements,
          ],
          claims: changed.claims,
          losses: [{ organizationId, userId, rights, roles: own }],
          events: [
            withHook(
              memberEvent(target, 'organization.member_role_change', {
                old_role: oldRole,
                new_role: role,
                ...endedInvitations(lost.count),
              }),
              'afterRoleChange',
              { membership, oldRole }
            ),
            ...lost.events,
          ],
          freedSeats: lost.freedSeats,
        })
      },
    },
    options
  )
}

function mayTakeSeat(roles: Roles, input: Result<ChangeRoleInput>): boolean {
  return mayMoveSeats(roles) && input.ok && takesSeat(roles, input.value.role)
}
