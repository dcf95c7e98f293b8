import { checkOptionNames } from '../base/names.ts'
import type { Context, MiddlewareHandler } from 'hono'
import { routePath } from 'hono/route'
import { membershipView } from '../engine/model/membership.ts'
import { currentSlugOf } from '../operations/organizations/change-slug.ts'
import { organizationView } from '../engine/model/organization.ts'
import type { Queries, RowsOf } from '../database/batch.ts'
import type { Refusal } from '../base/result.ts'
import { find, authorize } from '../engine/access/authorize.ts'
import type { Caller } from '../engine/access/principal.ts'
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
  checkSlugOptions('loadOrganizationFromSlug', options)
  return async function loadOrganizationFromSlug(c, next) {
    const response = await loadWith(
      seatgate,
      options,
      c,
      () => ({}),
      () => null
    )
    if (response) return response
    await next()
  }
}

/**
 * Checks the options of a loader from the path.
 *
 * @throws {TypeError} naming the loader `who`.
 */
export function checkSlugOptions(who: string, options: SlugOptions, more: readonly string[] = []) {
  checkOptionNames(who, options, ['authenticate', 'parameter', 'onRefusal', ...more])
  const { authenticate, parameter = 'org', onRefusal } = options
  checkAuthenticate(who, authenticate)
  checkRefusalHandler(who, onRefusal)
  if (typeof parameter !== 'string' || parameter === '') {
    throw new TypeError(`${who}: parameter must be a name.`)
  }
}

/**
 * Loads the organization of the path into `c.var`, with the rows of further queries in the same round trip.
 * Returns a response in place of the host's, if the caller is refused, also by `refusalOf`, or redirected.
 */
export async function loadWith<Q extends Queries>(
  seatgate: Seatgate,
  { authenticate, parameter = 'org', onRefusal }: SlugOptions,
  c: Context,
  further: (caller: Caller, organization: string) => Q,
  refusalOf: (rows: RowsOf<Q>) => Refusal | null
): Promise<Response | null> {
  const { db, roles, now } = seatgate
  const identified = await answered(seatgate, asking(authenticate, c))
  if (!identified.ok) return halt(c, identified.error, onRefusal)
  const caller = identified.value
  if (caller === null) return halt(c, { code: 'unauthenticated' }, onRefusal)
  const name = c.req.param(parameter) ?? ''
  const current = currentSlugOf(db, caller, name, now())
  const queries: Queries = further(caller, name)
  const found = await answered(
    seatgate,
    find(db, { caller, organization: name }, { ...queries, $current: current })
  )
  if (!found.ok) return halt(c, found.error, onRefusal)
  const inside = authorize(roles, found.value)
  if (!inside.ok) {
    const [current] = found.value.rows.$current
    const target = current && targetOf(c, parameter, name, current.slug)
    return target ? redirect(c, target) : halt(c, inside.error, onRefusal)
  }
  const refusal = refusalOf(found.value.rows as RowsOf<Q>)
  if (refusal !== null) return halt(c, refusal, onRefusal)
  const { organization, membership, role, permissions, roles: organizationRoles } = inside.value
  setScope(c, {
    caller: inside.value.caller,
    organization: organizationView(organization),
    membership: membership && membershipView(membership),
    role,
    permissions,
  })
  setRoles(c, organizationRoles)
  return null
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
