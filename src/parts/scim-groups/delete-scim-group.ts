import { sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { perform } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { planGroupDeletion } from '../groups/plan-deletion.ts'
import { rightsQueries } from '../groups/group-rights.ts'
import type { ScimChangeOptions } from '../scim/change-user.ts'
import { placeOf } from '../scim/scim-token.ts'
import { groupsIn, namesGroup, type ScimGroupsContext } from './scim-group.ts'

/** Why {@link deleteScimGroup} refuses. */
export type DeleteScimGroupRefusal = AccessRefusal | StoreRefusal | 'not_found' | 'version_mismatch'

/**
 * Deletes a group, as DELETE does. Its members stay members of the organization.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found`, `version_mismatch`.
 *
 * @example
 * ```ts
 * await deleteScimGroup(seatgate, scope, group.id)
 * ```
 */
export async function deleteScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  id: string,
  { ifMatch }: ScimChangeOptions = {}
): Promise<Result<null, DeleteScimGroupRefusal>> {
  const { roles } = context
  return perform(context, scope, {
    name: 'organization.scim_group.delete',
    input: id,
    grows: false,
    refusals: [],
    queries: {
      targets: groupsIn(context, placeOf(scope), sql`id = ${id}`),
      ...rightsQueries(context, scope, { groupId: id }),
    },
    plan({ rows, ...found }, _caller, now): Result<Plan<null>, DeleteScimGroupRefusal> {
      const access = authorizeRole(roles, { rows, ...found }, [roles.owner])
      if (!access.ok) return access
      const [group] = rows.targets
      if (!group) return refused({ code: 'not_found' })
      if (ifMatch !== undefined && !namesGroup(ifMatch, group)) {
        return refused({ code: 'version_mismatch' })
      }
      return ok({ ...planGroupDeletion(context, access.value, group, rows, now), value: null })
    },
  })
}
