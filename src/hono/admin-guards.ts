import type { MiddlewareHandler } from 'hono'
import { checkOptionNames } from '../base/names.ts'
import { isOperator, isSystem, isUser } from '../engine/access/principal.ts'
import { isFresh } from '../operations/sessions/step-up.ts'
import type { Seatgate } from '../seatgate.ts'
import { requireSudo } from './guards.ts'
import type { Host } from './host-adapter.ts'
import { checkRefusalHandler, halt, type RefusalHandler } from './problem.ts'
import type { ScopeEnv } from './request.ts'

/** Options of {@link requireStepUp} and {@link requireAdminScope}. */
export interface AdminGuardOptions {
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Admits users whose session is fresh: they have proven who they are with `stepUpRoutes`, at most
 * `freshSeconds` ago. Put it in front of destructive actions. Without step-up callbacks every request is
 * refused, except in the environment `test`.
 *
 * Refusals: `unauthenticated`, `stale_sudo`.
 *
 * @throws {TypeError} at the first request, if no loader runs before it.
 *
 * @example
 * ```ts
 * app.post('/admin/replay', host.requireAdmin(), requireStepUp(seatgate, host), replay)
 * ```
 */
export function requireStepUp(
  seatgate: Seatgate,
  host: Host,
  options: AdminGuardOptions = {}
): MiddlewareHandler<ScopeEnv> {
  checkOptionNames('requireStepUp', options, ['onRefusal'])
  return requireSudo(seatgate, {
    ...options,
    async isFresh(_c, { userId, session }) {
      if (!host.hasStepUp()) return host.isTest
      return session !== undefined && isFresh(seatgate, { sessionId: session.id, userId })
    },
  })
}

/**
 * Decides in which organization an administrator's page works: without `:org` in the path it admits
 * operators; with it the organization must be the active one of the session, and the caller an operator
 * or an administrator. Any other organization answers like one that does not exist.
 *
 * Refusals: `unauthenticated`, `insufficient_role` (without `:org`), `organization_not_found`.
 *
 * @throws {TypeError} at the first request, if no loader runs before it.
 *
 * @example
 * ```ts
 * app.use('/admin/:org/*', loadActiveOrganization(seatgate, { authenticate: host.authenticate }))
 * app.use('/admin/:org/*', requireAdminScope(seatgate))
 * ```
 */
export function requireAdminScope(
  _seatgate: Seatgate,
  options: AdminGuardOptions = {}
): MiddlewareHandler<ScopeEnv> {
  checkOptionNames('requireAdminScope', options, ['onRefusal'])
  const { onRefusal } = options
  checkRefusalHandler('requireAdminScope', onRefusal)
  return async function requireAdminScope(c, next) {
    const { caller, organization, membership, permissions } = c.var
    if (caller === undefined || organization === undefined) {
      throw new TypeError('requireAdminScope: put loadActiveOrganization before it.')
    }
    if (caller === null) return halt(c, { code: 'unauthenticated' }, onRefusal)
    const isOfPlatform = isOperator(caller) || isSystem(caller)
    const requested = c.req.param('org')
    if (requested === undefined) {
      if (!isOfPlatform) return halt(c, { code: 'insufficient_role' }, onRefusal)
      return next()
    }
    const isActive =
      organization !== null && (requested === organization.id || requested === organization.slug)
    const administers =
      isUser(caller) && membership !== null && permissions.includes('organization:update')
    if (!isActive || !(isOfPlatform || administers)) {
      return halt(c, { code: 'organization_not_found' }, onRefusal)
    }
    return next()
  }
}
