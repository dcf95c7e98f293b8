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
import type { Plan } from '../../engine/model/plan.ts'
import { changeMembers } from './change-members.ts'
import { groupOf, membersAmong } from './group.ts'
import type { GroupsContext } from './groups.ts'

/** Why {@link removeFromGroup} refuses. */
export type RemoveFromGroupRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Takes a member out of a group, for those with `members:manage`, or the caller, which every role may. The
 * membership of the organization stays.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found` (no such group, or the user is not in it).
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
): Promise<Result<null, RemoveFromGroupRefusal>> {
  const { db, roles } = context
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
      },
      plan(found, caller, now): Result<Plan<null>, RemoveFromGroupRefusal> {
        const access = authorize(roles, found)
        if (!access.ok) return access
        const leaving = userId === userIdOf(caller)
        if (!leaving && !access.value.permissions.includes('members:manage')) {
          return refused({ code: 'insufficient_role' })
        }
        const [group] = found.rows.target
        if (!group || found.rows.inIt.length === 0) return refused({ code: 'not_found' })
        const changed = changeMembers(context, group, { added: [], removed: [userId] }, now)
        return ok({
          value: null,
          statements: [guardAccess(context, access.value), ...changed.statements],
          events: changed.events,
        })
      },
    },
    options
  )
}
