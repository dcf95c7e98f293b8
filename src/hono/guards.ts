import { checkOptionNames } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import { hasMfa, type MfaCheck } from '../operations/organizations/mfa-policy.ts'
import {
  isOperator,
  isSystem,
  isInPerson,
  isUser,
  type Principal,
  type UserPrincipal,
} from '../engine/access/principal.ts'
import type { Refusal } from '../base/result.ts'
import type { Seatgate } from '../seatgate.ts'
import { checkRefusalHandler, halt, type RefusalHandler } from './problem.ts'
import { returnPathOf } from './page-refusals.ts'
import type { OrganizationEnv, ScopeEnv, ScopeVariables } from './request.ts'

/** Options of {@link requireMembership}. */
export interface RequireMembershipOptions {
  /** Admits only these roles, a set and not a hierarchy. Default: every member. */
  readonly roles?: readonly string[]
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Admits members of an organization and service accounts bound to it, with one of the roles if any are
 * given. Decides on what a loader has read: no query.
 *
 * Refusals: `unauthenticated`, `no_active_organization`, `insufficient_role` with the `requiredRoles`.
 *
 * @throws {TypeError} at set-up, if a role is not configured; at the first request, if no loader runs
 *   before it.
 *
 * @example
 * ```ts
 * app.use('/settings/*', requireMembership(seatgate, { roles: ['owner', 'admin'] }))
 * ```
 */
export function requireMembership(
  { roles: configured }: Seatgate,
  options: RequireMembershipOptions = {}
): MiddlewareHandler<OrganizationEnv> {
  checkOptionNames('requireMembership', options, ['roles', 'onRefusal'])
  const { roles = [], onRefusal } = options
  checkRefusalHandler('requireMembership', onRefusal)
  if (!Array.isArray(roles)) throw new TypeError('requireMembership: roles must be a list.')
  const stranger = roles.map(String).find((role) => !configured.all.includes(role))
  if (stranger !== undefined) {
    throw new TypeError(`requireMembership: "${stranger}" is not a configured role.`)
  }
  return async function requireMembership(c: Context<ScopeEnv>, next) {
    const outside = refusalOutside('requireMembership', c)
    if (outside !== null) return halt(c, outside, onRefusal)
    if (roles.length > 0 && !roles.includes(c.var.role ?? '')) {
      return halt(c, { code: 'insufficient_role', requiredRoles: roles }, onRefusal)
    }
    await next()
  } as MiddlewareHandler<OrganizationEnv>
}

/**
 * Returns why a caller is not admitted to the organization that a loader has read; null for its members
 * and service accounts.
 *
 * @throws {TypeError} if no loader ran.
 */
export function refusalOutside(guard: string, c: Context<ScopeEnv>): Refusal | null {
  const { caller, organization, role } = loadedScope(guard, c)
  if (caller === null) return { code: 'unauthenticated' }
  const inside = organization && role != null && isInside(caller, c.var)
  return inside ? null : { code: 'no_active_organization' }
}

/**
 * Returns the caller and the organization that a loader put on `c.var`; null for a request without an
 * identity. Hono does not show a middleware at set-up what runs before it, so a missing loader is only
 * found at the first request.
 *
 * @throws {TypeError} if no loader ran: a guard must not decide without its variables.
 */
function loadedScope(
  guard: string,
  c: Context<ScopeEnv>,
  needed: 'caller' | 'organization' = 'organization'
): ScopeVariables {
  const { caller, [needed]: variable } = c.var as Partial<ScopeVariables>
  if (caller === undefined || variable === undefined) {
    throw new TypeError(
      `${guard}: put loadActiveOrganization or loadOrganizationFromSlug before it.`
    )
  }
  return caller?.type === 'anonymous' ? { ...c.var, caller: null } : c.var
}

function isInside(caller: Principal, { organization, membership }: ScopeVariables): boolean {
  if (isUser(caller)) return membership != null
  if (caller.type === 'anonymous') return false
  return caller.type === 'system' || caller.organizationId === organization?.id
}

/**
 * Admits members with one of these roles: {@link requireMembership} with `roles`.
 *
 * @throws {TypeError} at set-up, if it names no role or one that is not configured.
 *
 * @example
 * ```ts
 * app.delete('/o/:org/projects/:id', requireRole(seatgate, 'owner', 'admin'), remove)
 * ```
 */
export function requireRole(
  seatgate: Seatgate,
  ...roles: readonly string[]
): MiddlewareHandler<OrganizationEnv> {
  if (roles.length === 0) throw new TypeError('requireRole: pass at least one role.')
  return requireMembership(seatgate, { roles })
}

/** Options of {@link requireOperator}. */
export interface RequireOperatorOptions {
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Admits the platform's operators and the host itself, but not an operator who acts as a user. Decides on
 * what a loader has read: no query.
 *
 * Refusals: `unauthenticated`, `insufficient_role`.
 *
 * @throws {TypeError} at set-up, if an option is invalid; at the first request, if no loader runs before
 *   it.
 *
 * @example
 * ```ts
 * app
 *   .use('/operator/*', loadActiveOrganization(seatgate, { authenticate }), requireOperator(seatgate))
 *   .get('/operator/revenue', (c) => c.json(revenue()))
 * ```
 */
export function requireOperator(
  _seatgate: Seatgate,
  options: RequireOperatorOptions = {}
): MiddlewareHandler<ScopeEnv> {
  checkOptionNames('requireOperator', options, ['onRefusal'])
  const { onRefusal } = options
  checkRefusalHandler('requireOperator', onRefusal)
  return async function requireOperator(c, next) {
    const { caller } = loadedScope('requireOperator', c, 'caller')
    if (caller === null) return halt(c, { code: 'unauthenticated' }, onRefusal)
    if (!isOperator(caller) && !isSystem(caller)) {
      return halt(c, { code: 'insufficient_role' }, onRefusal)
    }
    await next()
  }
}

/** Options of {@link requireOrganizationMfa}. */
export interface RequireMfaOptions {
  /** Returns whether a user has a second factor. */
  readonly mfaCheck: MfaCheck
  /** The page where a user sets up a second factor. Default `/users/settings/mfa`. */
  readonly enrollmentPath?: string
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Enforces the organization's policy: if it requires a second factor, users without one are refused. The
 * policy is on the organization that a loader has read; the host's `mfaCheck` is called only if the
 * policy is on. A check that fails counts as no.
 *
 * Refusals: `org_mfa_required` with `enrollmentPath` and `returnTo`.
 *
 * @throws {TypeError} at set-up, if `mfaCheck` is not a function.
 *
 * @example
 * ```ts
 * app.use('/o/:org/*', requireOrganizationMfa(seatgate, { mfaCheck: (userId) => hasPasskey(userId) }))
 * ```
 */
export function requireOrganizationMfa(
  seatgate: Seatgate,
  options: RequireMfaOptions
): MiddlewareHandler<ScopeEnv> {
  const known = ['mfaCheck', 'enrollmentPath', 'onRefusal']
  checkOptionNames('requireOrganizationMfa', options, known)
  const { mfaCheck, enrollmentPath = '/users/settings/mfa', onRefusal } = options
  checkRefusalHandler('requireOrganizationMfa', onRefusal)
  if (typeof mfaCheck !== 'function') {
    throw new TypeError('requireOrganizationMfa: mfaCheck must be a function.')
  }
  return async function requireOrganizationMfa(c, next) {
    const { caller, organization } = loadedScope('requireOrganizationMfa', c)
    if (caller && isUser(caller) && organization?.enforceMfaForMembers) {
      if (!(await hasMfa(seatgate, mfaCheck, caller.userId))) {
        const home = `/organizations/${organization.slug}`
        const returnTo = returnPathOf(c, home) ?? home
        return halt(c, { code: 'org_mfa_required', enrollmentPath, returnTo }, onRefusal)
      }
    }
    await next()
  }
}

/** Options of {@link requireSudo}. */
export interface RequireSudoOptions {
  /** Returns whether this user has recently proven their identity. */
  readonly isFresh: (c: Context, caller: UserPrincipal) => boolean | Promise<boolean>
  /** Responds to refused requests. Default: `application/problem+json`. */
  readonly onRefusal?: RefusalHandler
}

/**
 * Admits users who have recently proven their identity, as the host decides. Service accounts and operators
 * who act as a user are refused, and so is every user if the check fails.
 *
 * Refusals: `unauthenticated`, `stale_sudo`.
 *
 * @throws {TypeError} at set-up, if `isFresh` is not a function; at the first request, if no loader runs
 * before it.
 *
 * @example
 * ```ts
 * app.use('/billing/*', requireSudo(seatgate, { isFresh: (c) => c.get('authenticatedAt') > fiveMinutesAgo() }))
 * ```
 */
export function requireSudo(
  { report }: Seatgate,
  options: RequireSudoOptions
): MiddlewareHandler<ScopeEnv> {
  checkOptionNames('requireSudo', options, ['isFresh', 'onRefusal'])
  const { isFresh, onRefusal } = options
  checkRefusalHandler('requireSudo', onRefusal)
  if (typeof isFresh !== 'function') {
    throw new TypeError('requireSudo: isFresh must be a function.')
  }
  return async function requireSudo(c, next) {
    const { caller } = loadedScope('requireSudo', c, 'caller')
    if (caller === null) return halt(c, { code: 'unauthenticated' }, onRefusal)
    let fresh: unknown = false
    try {
      fresh = isInPerson(caller) && (await isFresh(c, caller))
    } catch (error) {
      report({ event: 'sudo_check_failed', error })
    }
    if (fresh !== true) return halt(c, { code: 'stale_sudo' }, onRefusal)
    await next()
  }
}
