import { partOf } from '../../engine/changes/part.ts'
import { eq } from 'drizzle-orm'
import * as v from 'valibot'
import { invitationEvent } from '../../engine/audit/part-actions.ts'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { unchanged, withHook } from '../../engine/model/plan.ts'
import { parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import {
  mayInvite,
  mayMoveSeats,
  roleInput,
  type ChangeRoleInput,
  type HasRoles,
  isConfigured,
  unknownRole,
} from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
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
import { movesSeat } from '../../engine/model/role-change.ts'
import {
  claimInRole,
  guardPending,
  invitationView,
  stateOf,
  type Invitation,
} from '../../engine/model/invitation.ts'
import { invitationOf } from '../../engine/model/invitation-lookup.ts'
import type { InvitationContext } from './invitation-config.ts'

/** Why {@link changeInvitationRole} refuses. */
export type ChangeInvitationRoleRefusal =
  | AccessRefusal
  | InputRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'not_pending'

/**
 * Changes the role `{ role }` of a pending invitation, also at a full limit. An invitation to a role that takes
 * no seat (`roles.seatless`) claims one for a role that does, and the other way the seat is freed.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `SeatRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`,
 * `not_pending`.
 *
 * @example
 * ```ts
 * await changeInvitationRole(seatgate, scope, invitation.id, { role: 'admin' })
 * ```
 */
export async function changeInvitationRole<Role extends string = string>(
  context: InvitationContext & HasRoles<Role>,
  scope: OrganizationScope,
  id: string,
  input: ChangeRoleInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<Invitation, ChangeInvitationRoleRefusal>> {
  const { holdSeats } = partOf(context, 'invitations')
  const { db, roles } = context
  const parsed = parseInput(v.object({ role: roleInput(roles) }, 'Must be an object.'), input)
  return perform(
    context,
    scope,
    {
      name: 'organization.invitation.role_change',
      input: [id, input],
      grows: mayMoveSeats(roles),
      refusals: [...HOOK_REFUSALS, ...SEAT_REFUSALS],
      queries: { target: invitationOf(db, scope, id) },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:invite')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { role } = parsed.value
        if (!isConfigured(access.value.roles, role)) return unknownRole(access.value.roles)
        const [target] = found.rows.target
        const mayBoth = [role, target?.role ?? role].every((to) =>
          mayInvite(access.value.roles, access.value, to)
        )
        if (!mayBoth) return refused({ code: 'insufficient_role' })
        if (target === undefined) return refused({ code: 'not_found' })
        if (stateOf(target, now) !== 'pending') return refused({ code: 'not_pending' })
        if (target.role === role) return ok(unchanged(invitationView(target, now)))
        const invitation = invitationView({ ...target, role }, now)
        // The user who changes the role becomes the inviter, who answers for it.
        const changed = { role, invitedById: userIdOf(caller), updatedAt: now }
        const { seatId, ...row } = target
        const moves = (holdSeats || seatId !== null) && movesSeat(roles, target, role)
        return ok({
          value: invitation,
          before: [
            {
              hook: 'beforeInvitationRoleChange',
              state: { invitation: invitationView(target, now), newRole: role, caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardPending(context, target, now),
            ...(moves ? [] : [db.update(invitations).set(changed).where(eq(invitations.id, id))]),
          ],
          claims: moves ? [claimInRole(db, { ...row, ...changed }, seatId)] : [],
          events: [
            withHook(
              invitationEvent(target, 'organization.invitation.role_change', {
                old_role: target.role,
                new_role: role,
              }),
              'afterInvitationRoleChange',
              { invitation, oldRole: target.role }
            ),
          ],
        })
      },
    },
    options
  )
}
