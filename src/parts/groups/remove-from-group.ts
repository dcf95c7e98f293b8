import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorize } from '../../engine/access/authorize.ts'
import { userIdOf, type OrganizationScope } from '../../engine/access/principal.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { EndedWith } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { changeMembers } from './change-members.ts'
import { groupOf, membersAmong } from './group.ts'
import { planLostRights, rightsQueries } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'

/** Why {@link removeFromGroup} refuses. */
export type RemoveFromGroupRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Removes a member from a group. The caller needs `members:manage`, unless they remove themselves. The
 * membership in the organization stays. The member's open invitations that depend on the role of the group
 * end with it; the result has their number.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found` (the group does not exist, or the user is not in
 * it).
 *
 * @example
 * ```ts
 * await removeFromGroup(seatgate, { caller, organization: 'acme' }, group.id, userId)
 * ```
 */
export async function removeFromGroup(
  context: GroupsContext,
  scope: OrganizationScope,
  id: string,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<EndedWith, RemoveFromGroupRefusal>> {
  const { db, roles } = context
  const around = { groupId: id, userIds: [userId] }
  return perform(
    context,
    scope,
    {
      name: 'organization.group.remove_member',
      input: [id, userId],
      grows: false,
      refusals: [],
      queries: {
        target: groupOf(db, scope, id),
        inIt: membersAmong(db, scope, id, [userId]),
        ...rightsQueries(context, scope, around),
      },
      plan(found, caller, now): Result<Plan<EndedWith>, RemoveFromGroupRefusal> {
        const access = authorize(roles, found)
        if (!access.ok) return access
        const leaving = userId === userIdOf(caller)
        if (!leaving && !access.value.permissions.includes('members:manage')) {
          return refused({ code: 'insufficient_role' })
        }
        const [group] = found.rows.target
        if (!group || found.rows.inIt.length === 0) return refused({ code: 'not_found' })
        const roleChange = { from: group.role, to: null }
        const lost = planLostRights(context, access.value, around, found.rows, roleChange, now)
        const change = { added: [], removed: [userId] }
        const changed = changeMembers(context, group, change, now, lost.endedOf)
        return ok({
          value: { endedInvitations: lost.ended },
          statements: [
            guardAccess(context, access.value),
            ...lost.statements,
            ...changed.statements,
          ],
          losses: lost.losses,
          freedSeats: lost.freedSeats,
          events: [...changed.events, ...lost.events],
        })
      },
    },
    options
  )
}
