import type { Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ScimChangeOptions } from '../scim/change-user.ts'
import { changeScimGroup, type ScimGroupChangeRefusal } from './change-group.ts'
import { readGroupPatch } from './group-change.ts'
import type { ScimGroup, ScimGroupsContext } from './scim-group.ts'

/**
 * Changes a group, as PATCH does: `displayName`, `externalId`, and members by `add`, `replace` and
 * `remove`, with a filter in the path or a list as the value. Applies all operations or no operation. Does
 * not add a member again. The result has no members.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found`, `scim_invalid`, `not_unique`,
 * `version_mismatch`, `too_many`.
 *
 * @example
 * ```ts
 * await patchScimGroup(seatgate, scope, id, {
 *   schemas: ['urn:ietf:params:scim:api:messages:2.0:PatchOp'],
 *   Operations: [{ op: 'remove', path: `members[value eq "${userId}"]` }],
 * })
 * ```
 */
export async function patchScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  id: string,
  input: object,
  options: ScimChangeOptions = {}
): Promise<Result<ScimGroup, ScimGroupChangeRefusal>> {
  return changeScimGroup(context, scope, id, 'patch', readGroupPatch(input), options)
}
