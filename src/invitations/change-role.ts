import { eq } from 'drizzle-orm'
import * as v from 'valibot'
import { invitationEvent } from '../audit/event.ts'
import { invitations } from '../database/schema.ts'
import { withHook } from '../hooks/after.ts'
import { parseInput } from '../input.ts'
import { guardStanding } from '../memberships/guards.ts'
import { roleInput, type HasRoles, type ChangeRoleInput } from '../memberships/roles.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { unchanged } from '../operations/plan.ts'
import { standingWith } from '../organizations/standing.ts'
import { ok, refused, type Result } from '../result.ts'
import { userIdOf, type OrganizationScope } from '../scope.ts'
import { guardPending } from './guards.ts'
import { invitationView, stateOf, type Invitation } from './invitation.ts'
import { invitationOf } from './lookup.ts'
import { mayInvite } from './permission.ts'
import type { InvitationContext } from './rules.ts'

/**
 * Changes the role `{ role }` that a pending invitation leads to; also at a full limit.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`,
 * `not_found`, `not_pending`, `hook_refused`, `hook_failed`.
 *
 * @example
 * ```ts
 * await changeInvitationRole(seatgate, scope, invitation.id, { role: 'admin' })
 * ```
 */
export async function changeInvitationRole<Role extends string = string>(
  seatgate: InvitationContext & HasRoles<Role>,
  scope: OrganizationScope,
  id: string,
  input: ChangeRoleInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<Invitation>> {
  const { db, roles } = seatgate
  const parsed = parseInput(v.object({ role: roleInput(roles) }, 'Must be an object.'), input)
  return perform(
    seatgate,
    scope,
    {
      name: 'organization.invitation.role_change',
      input: [id, input],
      grows: false,
      queries: { target: invitationOf(db, scope, id) },
      plan(found, caller, now) {
        const standing = standingWith(roles, found, roles.invitationAdmins)
        if (!standing.ok) return standing
        if (!parsed.ok) return parsed
        const { role } = parsed.value
        const [target] = found.rows.target
        const mayBoth = [role, target?.role ?? role].every((to) =>
          mayInvite(roles, standing.value.role, to)
        )
        if (!mayBoth) return refused({ code: 'insufficient_role' })
        if (target === undefined) return refused({ code: 'not_found' })
        if (stateOf(target, now) !== 'pending') return refused({ code: 'not_pending' })
        if (target.role === role) return ok(unchanged(invitationView(target, now)))
        const invitation = invitationView({ ...target, role }, now)
        return ok({
          value: invitation,
          before: [
            {
              hook: 'beforeInvitationRoleChange',
              state: { invitation: invitationView(target, now), newRole: role, caller },
            },
          ],
          statements: [
            guardStanding(seatgate, standing.value),
            guardPending(seatgate, target, now),
            // From now on it is their word that leads to the role.
            db
              .update(invitations)
              .set({ role, invitedById: userIdOf(caller), updatedAt: now })
              .where(eq(invitations.id, id)),
          ],
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
