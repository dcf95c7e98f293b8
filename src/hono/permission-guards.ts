import { checkOptionNames } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import type { Parts } from '../options.ts'
import type { Seatgate } from '../seatgate.ts'
import { refusalOutside } from './guards.ts'
import { checkRefusalHandler, halt, type RefusalHandler } from './problem.ts'
import type { OrganizationEnv } from './request.ts'

/** Options of {@link requirePermission}. */
export interface RequirePermissionOptions {
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/** A request with the variables that a loader has set. */
export interface WithPermissions<Permission extends string> {
  readonly var: { readonly permissions: readonly Permission[] }
}

/**
 * Whether the caller has a permission in the organization that a loader has read: no query. Without an
 * organization it is false. In a chain of Hono the permission is one of those that the configuration
 * names, or the code does not compile.
 *
 * @throws {TypeError} if no loader ran.
 *
 * @example
 * ```ts
 * app
 *   .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
 *   .get('/o/:org', (c) => c.json({ mayDelete: can(c, 'project:delete') }))
 * ```
 */
export function can<Permission extends string>(
  c: WithPermissions<Permission>,
  permission: NoInfer<Permission>
): boolean {
  const { permissions } = c.var as { readonly permissions?: readonly string[] }
  if (permissions === undefined) {
    throw new TypeError('can: put loadActiveOrganization or loadOrganizationFromSlug before it.')
  }
  return permissions.includes(permission)
}

/**
 * Admits members of an organization, and service accounts bound to it, with a permission. Decides on what a
 * loader has read: no query.
 *
 * Refusals: `unauthenticated`, `no_active_organization`, `insufficient_permission` with the
 * `requiredPermission`.
 *
 * @throws {TypeError} at set-up, if the permission is not configured; at the first request, if no loader
 *   runs before it.
 *
 * @example
 * ```ts
 * app.delete('/o/:org/projects/:id', requirePermission(seatgate, 'project:delete'), remove)
 * ```
 */
export function requirePermission<Permission extends string>(
  seatgate: Seatgate<string, Parts, Permission>,
  permission: NoInfer<Permission>,
  options: RequirePermissionOptions = {}
): MiddlewareHandler<OrganizationEnv<Permission>> {
  checkOptionNames('requirePermission', options, ['onRefusal'])
  const { onRefusal } = options
  checkRefusalHandler('requirePermission', onRefusal)
  if (!seatgate.roles.permissions.includes(permission)) {
    throw new TypeError(`requirePermission: "${permission}" is not a configured permission.`)
  }
  return async function requirePermission(c: Context, next) {
    const outside = refusalOutside('requirePermission', c)
    if (outside !== null) return halt(c, outside, onRefusal)
    if (!can<string>(c as Context<OrganizationEnv>, permission)) {
      const refusal = { code: 'insufficient_permission', requiredPermission: permission } as const
      return halt(c, refusal, onRefusal)
    }
    await next()
  } as MiddlewareHandler<OrganizationEnv<Permission>>
}
