import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { groupMembers, groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { groupOf, guardGroup, isGroup, isIn } from './group.ts'
import type { GroupsContext } from './groups.ts'

/** Why {@link deleteGroup} refuses. */
export type DeleteGroupRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Deletes a group, for those with `members:manage`. Its members stay members of the organization.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await deleteGroup(seatgate, { caller, organization: 'acme' }, group.id)
 * ```
 */
export async function deleteGroup(
  context: GroupsContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null, DeleteGroupRefusal>> {
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: 'organization.group.delete',
      input: id,
      grows: false,
      refusals: [],
      queries: { target: groupOf(db, scope, id) },
      plan(found): Result<Plan<null>, DeleteGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        const { name, members } = group
        return ok({
          value: null,
          statements: [
            guardAccess(context, access.value),
            guardGroup(context, group),
            db.delete(groupMembers).where(isIn(group)),
            db.delete(groups).where(isGroup(group)),
          ],
          events: [groupEvent(group, 'organization.group.deleted', { name, members })],
        })
      },
    },
    options
  )
}
