import { ok, type Result } from '../../base/result.ts'
import { authorize, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { OwnRolesContext } from './own-roles.ts'
import type { Role } from './role.ts'

/** The roles of an organization: the configured ones, then its own. */
export interface RoleList {
  readonly data: readonly Role[]
}

/** Why {@link listRoles} refuses. */
export type ListRolesRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Lists the roles of an organization with their permissions, for its members: the configured ones, then
 * its own.
 *
 * Refusals: `unauthenticated`, `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const roles = await listRoles(seatgate, { caller, organization: 'acme' })
 * ```
 */
export function listRoles(
  context: Pick<OwnRolesContext, 'db' | 'roles'>,
  scope: OrganizationScope
): Promise<Result<RoleList, ListRolesRefusal>> {
  return observed(context, 'organization.role.list', async ({ db, roles }) => {
    const access = authorize(roles, await find(db, scope, {}))
    if (!access.ok) return access
    const { all, grants } = access.value.roles
    const data = all.map((name) => ({
      name,
      permissions: grants.get(name) ?? [],
      own: !roles.grants.has(name),
    }))
    return ok({ data })
  })
}
