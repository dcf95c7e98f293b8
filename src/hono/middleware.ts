import type { MiddlewareHandler } from 'hono'
import { StoreUnavailable } from '../database/database.ts'
import type { MembershipRow } from '../database/schema.ts'
import { membershipView, type Membership } from '../memberships/membership.ts'
import { organizationView, type Organization } from '../organizations/organization.ts'
import { find, standingOf } from '../organizations/standing.ts'
import type { Principal } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { callerOf, type Authenticate } from './authenticate.ts'
import { RefusalException } from './problem.ts'

/** What {@link organization} puts on `c.var`. */
export interface OrganizationVariables {
  /** Who is asking. */
  readonly caller: Principal
  /** The organization that the path names. */
  readonly organization: Organization
  /** The caller's membership in it, read for this request. */
  readonly membership: Membership
}

/** The environment of routes behind {@link organization}. */
export interface OrganizationEnv {
  Variables: OrganizationVariables
}

/** Options of {@link organization}. */
export interface OrganizationOptions {
  /** Tells who is asking. */
  readonly authenticate: Authenticate
  /** The path parameter with the organization's id or slug. Default `"org"`. */
  readonly parameter?: string
}

/**
 * Loads the organization that the path names, for its members: one D1 round trip. Others get
 * `organization_not_found`, whether it exists or not.
 *
 * @example
 * ```ts
 * const app = new Hono()
 *   .use('/o/:org/*', organization(seatgate, { authenticate }))
 *   .get('/o/:org/projects', (c) => c.text(c.var.organization.name))
 * ```
 */
export function organization(
  seatgate: Seatgate,
  { authenticate, parameter = 'org' }: OrganizationOptions
): MiddlewareHandler<OrganizationEnv> {
  if (typeof authenticate !== 'function') {
    throw new TypeError('organization: authenticate must be a function.')
  }
  return async function organization(c, next) {
    const caller = await callerOf(authenticate, c)
    if (!caller.ok) throw new RefusalException(caller.error)
    const scope = { caller: caller.value, organization: c.req.param(parameter) ?? '' }
    const standing = standingOf(await findOrRefuse(seatgate, scope))
    if (!standing.ok) throw new RefusalException(standing.error)
    c.set('caller', standing.value.caller)
    c.set('organization', organizationView(standing.value.organization))
    c.set('membership', membershipView(standing.value.membership))
    await next()
  }
}

/**
 * Lets through members with one of these roles, a set and not a hierarchy. Decides on what
 * {@link organization} loaded: no database call.
 *
 * @example
 * ```ts
 * app.delete('/o/:org/projects/:id', requireRole(seatgate, 'owner', 'admin'), remove)
 * ```
 */
export function requireRole(
  { roles }: Seatgate,
  ...allowed: readonly MembershipRow['role'][]
): MiddlewareHandler<OrganizationEnv> {
  const stranger = allowed.find((role) => !roles.all.includes(role))
  if (stranger !== undefined) {
    throw new TypeError(`requireRole: "${stranger}" is not a configured role.`)
  }
  if (allowed.length === 0) throw new TypeError('requireRole: names no role.')
  return async function requireRole(c, next) {
    if (!allowed.includes(c.var.membership.role)) {
      throw new RefusalException({ code: 'insufficient_role' })
    }
    await next()
  }
}

async function findOrRefuse(seatgate: Seatgate, scope: Parameters<typeof find>[1]) {
  try {
    return await find(seatgate.db, scope, {})
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error
    seatgate.report({ event: 'store_unavailable', error: error.cause })
    throw new RefusalException({ code: 'unavailable' })
  }
}
