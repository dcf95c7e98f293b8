import { checkOptionNames } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { membershipView } from '../engine/model/membership.ts'
import { currentSlugOf } from '../operations/organizations/change-slug.ts'
import { organizationView } from '../engine/model/organization.ts'
import { find, authorize } from '../engine/access/authorize.ts'
import type { Parts } from '../options.ts'
import type { Seatgate } from '../seatgate.ts'
import { checkAuthenticate, type Authenticate, type OrganizationEnv } from './request.ts'
import { answered, setRoles, setScope, type LoadOptions } from './load-active-organization.ts'
import { checkRefusalHandler, halt } from './problem.ts'

/** Options of {@link loadOrganizationFromSlug}. */
export interface SlugOptions extends LoadOptions {
  /** The path parameter with the organization's slug or id. Default `"org"`. */
  readonly parameter?: string
}

/**
 * Loads the organization of the path into `c.var`, for this request, in one D1 round trip; the session's
 * pointer stays unchanged. A former slug redirects members to the current one, with the same path, query
 * and method. For other callers an organization that they cannot access, a deleted one and a missing one
 * are the same `organization_not_found`.
 *
 * @throws {TypeError} at set-up, if an option is invalid.
 *
 * @example
 * ```ts
 * const app = new Hono()
 *   .use('/o/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
 *   .get('/o/:org/projects', (c) => c.text(c.var.organization.name))
 * ```
 */
export function loadOrganizationFromSlug<Permission extends string>(
  seatgate: Seatgate<string, Parts, Permission>,
  options: SlugOptions
): MiddlewareHandler<OrganizationEnv<Permission>> {
  const known = ['authenticate', 'parameter', 'onRefusal']
  checkOptionNames('loadOrganizationFromSlug', options, known)
  const { authenticate, parameter = 'org', onRefusal } = options
  checkAuthenticate('loadOrganizationFromSlug', authenticate)
  checkRefusalHandler('loadOrganizationFromSlug', onRefusal)
  if (typeof parameter !== 'string' || parameter === '') {
    throw new TypeError('loadOrganizationFromSlug: parameter must be a name.')
  }
  const { db, roles, now } = seatgate
  return async function loadOrganizationFromSlug(c, next) {
    const identified = await answered(seatgate, asking(authenticate, c))
    if (!identified.ok) return halt(c, identified.error, onRefusal)
    const caller = identified.value
    if (caller === null) return halt(c, { code: 'unauthenticated' }, onRefusal)
    const name = c.req.param(parameter) ?? ''
    const found = await answered(
      seatgate,
      find(db, { caller, organization: name }, { current: currentSlugOf(db, caller, name, now()) })
    )
    if (!found.ok) return halt(c, found.error, onRefusal)
    const inside = authorize(roles, found.value)
    if (!inside.ok) {
      const [current] = found.value.rows.current
      const target = current && targetOf(c, parameter, name, current.slug)
      return target ? redirect(c, target) : halt(c, inside.error, onRefusal)
    }
    const { organization, membership, role, permissions, roles: organizationRoles } = inside.value
    setScope(c, {
      caller: inside.value.caller,
      organization: organizationView(organization),
      membership: membership && membershipView(membership),
      role,
      permissions,
    })
    setRoles(c, organizationRoles)
    await next()
  }
}

async function asking(authenticate: Authenticate, c: Context) {
  return authenticate(c)
}

function targetOf(c: Context, parameter: string, oldSlug: string, newSlug: string): string | null {
  return aliasTarget({ url: c.req.url, routePath: routePath(c), parameter, oldSlug, newSlug })
}

// Not cached: the alias ends, and another organization may take the slug then. The method stays.
function redirect(c: Context, target: string): Response {
  c.header('cache-control', 'no-store')
  c.header('location', target)
  return c.body(null, c.req.method === 'GET' || c.req.method === 'HEAD' ? 302 : 307)
}

/** A request under a former slug. */
export interface AliasedRequest {
  readonly url: string
  /** The route's pattern, such as `/o/:org/*`. */
  readonly routePath: string
  /** The name of its parameter. */
  readonly parameter: string
  readonly oldSlug: string
  readonly newSlug: string
}

/**
 * Returns the target of a request under a former slug: the same path and query with the parameter's
 * segment replaced, and the query parameter of that name if it is exactly the old slug. All other bytes
 * stay the same. Returns null if the segment cannot be found, or if the target equals the source.
 */
export function aliasTarget(request: AliasedRequest): string | null {
  const { url, routePath, parameter, oldSlug } = request
  const newSlug = encodeURIComponent(request.newSlug)
  const { pathname, search } = new URL(url)
  // A parameter's own expression may have slashes in it.
  const index = routePath
    .replaceAll(/\{[^}]+\}/g, '')
    .split('/')
    .findIndex((part) => part.replace(/\W*$/, '') === `:${parameter}`)
  const segments = pathname.split('/')
  const segment = segments[index]
  if (index < 1 || segment === undefined || decoded(segment) !== oldSlug) return null
  segments[index] = newSlug
  const target = segments.join('/') + redirectedQuery(search, parameter, oldSlug, newSlug)
  return target === pathname + search || target.startsWith('//') ? null : target
}

function redirectedQuery(
  search: string,
  parameter: string,
  oldSlug: string,
  newSlug: string
): string {
  return search
    .split('&')
    .map((pair) => {
      const [, mark = '', name = '', value = ''] = /^(\??)([^=]*)=(.*)$/s.exec(pair) ?? []
      const names = decoded(name) === parameter && decoded(value) === oldSlug
      return names ? `${mark}${name}=${newSlug}` : pair
    })
    .join('&')
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text)
  } catch {
    return null
  }
}
