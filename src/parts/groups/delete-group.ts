import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { EndedWith } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { groupOf } from './group.ts'
import { rightsQueries } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'
import { planGroupDeletion } from './plan-deletion.ts'

/** Why {@link deleteGroup} refuses. */
export type DeleteGroupRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Deletes a group. The caller needs `members:manage`. Its members stay members of the organization. Their
 * open invitations that depend on the role of the group end with it; the result has their number.
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
): Promise<Result<EndedWith, DeleteGroupRefusal>> {
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: 'organization.group.delete',
      input: id,
      grows: false,
      refusals: [],
      queries: {
        target: groupOf(db, scope, id),
        ...rightsQueries(context, scope, { groupId: id }),
      },
      plan(found, _caller, now): Result<Plan<EndedWith>, DeleteGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        return ok(planGroupDeletion(context, access.value, group, found.rows, now))
      },
    },
    options
  )
}
