import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { authorize, authorizeFor, find, type Access } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { Roles } from '../../engine/access/roles.ts'
import type { OwnRolesContext } from './own-roles.ts'
import type { Role } from './role.ts'
import { usesIn, usesOfEach, type RoleUses } from './role-uses.ts'

/** The roles of an organization: the configured ones, then its own. */
export interface RoleList {
  readonly data: readonly Role[]
}

/** Why {@link listRoles} refuses. */
export type ListRolesRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Lists the roles of an organization with their permissions, for its members: first the configured roles,
 * then the organization's own.
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
  return observedList(context, async ({ db, roles }) => {
    const access = authorize(roles, await find(db, scope, {}))
    return access.ok ? ok({ data: rolesOf(roles, access.value) }) : access
  })
}

/** The roles of an organization, with the uses of its own. */
export interface RolesAndUses extends RoleList {
  readonly uses: ReadonlyMap<string, RoleUses | null>
}

/** Lists the roles as `listRoles` does, with the uses of the own roles, for callers who may change them. */
export function listRolesAndUses(
  context: Pick<OwnRolesContext, 'db' | 'roles' | 'roleHolders' | 'now'>,
  scope: OrganizationScope
): Promise<Result<RolesAndUses, AccessRefusal>> {
  return observedList(context, async (context) => {
    const { db, roles, now } = context
    const { caller, organization } = scope
    const place = { organizationId: organizationIdOf(organization), now: now() }
    const allowed = readable(caller, organization, { roles, permission: 'organization:update' })
    const found = await find(db, scope, { uses: usesOfEach(context, place, allowed) })
    const access = authorizeFor(roles, found, 'organization:update')
    if (!access.ok) return access
    const uses = new Map(found.rows.uses.map((row) => [row.role, usesIn([row])]))
    return ok({ data: rolesOf(roles, access.value), uses })
  })
}

function observedList<C extends DatabaseContext, T>(
  context: C,
  run: (context: C) => Promise<T>
): Promise<T> {
  return observed(context, 'organization.role.list', run)
}

function rolesOf(configured: Roles, { roles: { all, grants } }: Access): readonly Role[] {
  return all.map((name) => ({
    name,
    permissions: grants.get(name) ?? [],
    own: !configured.grants.has(name),
  }))
}
