import { sql } from 'drizzle-orm'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import { authorizeRole, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { placeOf } from '../scim/scim-token.ts'
import {
  groupsIn,
  membersOf,
  scimGroupView,
  type ScimGroup,
  type ScimGroupsContext,
} from './scim-group.ts'

/** Why {@link getScimGroup} refuses. */
export type GetScimGroupRefusal = AccessRefusal | 'not_found'

/** Options of a read of groups. */
export interface ScimGroupOptions {
  /** Whether the members are read. Default true. */
  readonly members?: boolean
}

/**
 * Returns a group with its pushed users.
 *
 * Refusals: `AccessRefusal`, `not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const group = await getScimGroup(seatgate, scope, id, { members: false })
 * ```
 */
export function getScimGroup(
  context: ScimGroupsContext,
  scope: OrganizationScope,
  id: string,
  { members = true }: ScimGroupOptions = {}
): Promise<Result<ScimGroup, GetScimGroupRefusal>> {
  return observed(context, 'scim.group_get', async (context) => {
    const { db, roles } = context
    const place = placeOf(scope)
    const found = await find(db, scope, {
      groups: groupsIn(context, place, sql`id = ${id}`),
      members: members ? membersOf(context, place, sql`select ${id}`) : null,
    })
    const access = authorizeRole(roles, found, [roles.owner])
    if (!access.ok) return access
    const [row] = found.rows.groups
    if (!row) return refused({ code: 'not_found' })
    return ok(scimGroupView(row, members ? found.rows.members : undefined))
  })
}
