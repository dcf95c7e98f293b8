import type { Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ScimChangeOptions } from '../scim/change-user.ts'
import { changeScimGroup, type ScimGroupChangeRefusal } from './change-group.ts'
import { readGroup } from './group-change.ts'
import type { ScimGroup, ScimGroupsContext } from './scim-group.ts'

/**
 * Replaces the name, the `externalId` and the pushed users of a group, as PUT does. Members who were not
 * pushed, and the role of the group, stay. The result has no members.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found`, `scim_invalid`, `not_unique`,
 * `version_mismatch`, `too_many`.
 *
 * @example
 * ```ts
 * await replaceScimGroup(seatgate, scope, id, { schemas: [GROUP], displayName: 'Design', members: [] })
 * ```
 */
export async function replaceScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  id: string,
  input: object,
  options: ScimChangeOptions = {}
): Promise<Result<ScimGroup, ScimGroupChangeRefusal>> {
  return changeScimGroup(context, scope, id, 'replace', readGroup(input), options)
}
