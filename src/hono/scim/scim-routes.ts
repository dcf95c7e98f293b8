import { lowerCase } from '../../base/input.ts'
import { Hono, type Context, type MiddlewareHandler } from 'hono'
import { partOf } from '../../engine/changes/part.ts'
import { storeRefusal } from '../../engine/changes/listed-refusals.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { refused, type Result } from '../../base/result.ts'
import { createScimUser } from '../../parts/scim/create-user.ts'
import { deleteScimUser } from '../../parts/scim/delete-user.ts'
import {
  RESOURCE_TYPES,
  SCHEMAS,
  SERVICE_PROVIDER_CONFIG,
  type DiscoveryDocument,
} from '../../parts/scim/discovery.ts'
import { getScimUser } from '../../parts/scim/get-user.ts'
import { listScimUsers } from '../../parts/scim/list-users.ts'
import { patchScimUser } from '../../parts/scim/patch-user.ts'
import { replaceScimUser } from '../../parts/scim/replace-user.ts'
import { noteUse, scopeOfToken, type ScimCaller } from '../../parts/scim/scim-token.ts'
import type { ScimContext } from '../../parts/scim/scim.ts'
import { isNamedBy, type ScimUser } from '../../parts/scim/user-view.ts'
import { bearerOf, marksOfRequest } from '../request.ts'
import { readBody, requireWellEncoded } from '../request-body.ts'
import { noStore, RefusalException } from '../problem.ts'
import { scimError, scimResponse } from './scim-response.ts'
import { shown } from './shown-attributes.ts'

interface ScimEnv {
  Variables: { readonly place: OrganizationScope & { readonly caller: ScimCaller } }
}

const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/**
 * The routes of SCIM 2.0 for identity providers: `/Users`, `/Groups` (empty), `/ServiceProviderConfig`,
 * `/Schemas` and `/ResourceTypes`. A bearer token names and proves the organization; `createScimToken`
 * makes one. Responses are `application/scim+json`, errors too. Mount them at a path of their own, since
 * they answer every path under it.
 *
 * @throws {TypeError} if `scim` is not configured.
 *
 * @example
 * ```ts
 * app.route('/scim/v2', scimRoutes(seatgate))
 * ```
 */
export function scimRoutes(given: ScimContext): Hono {
  partOf(given, 'scim')
  const routes = new Hono()
  routes.onError((error) =>
    scimError(error instanceof RefusalException ? error.refusal : storeRefusal(given, error))
  )
  routes.use(noStore, requireWellEncoded)
  addDiscovery(routes)
  return routes.route('/', userRoutes(given)).all('*', () => notThere())
}

function addDiscovery(routes: Hono): void {
  routes
    .get('/ServiceProviderConfig', (c) => document(c, SERVICE_PROVIDER_CONFIG))
    .get('/ResourceTypes', (c) => documents(c, RESOURCE_TYPES))
    .get('/ResourceTypes/:id', (c) => documentNamed(c, RESOURCE_TYPES))
    .get('/Schemas', (c) => documents(c, SCHEMAS))
    .get('/Schemas/:id', (c) => documentNamed(c, SCHEMAS))
}

function userRoutes(context: ScimContext): Hono<ScimEnv> {
  return (
    new Hono<ScimEnv>()
      .use('/Users', authenticated(context))
      .use('/Users/:id', authenticated(context))
      .use('/Groups', authenticated(context))
      .get('/Users', async (c) => {
        const { filter, startIndex, count } = parametersOf(c)
        const page = await listScimUsers(context, c.var.place, { filter, startIndex, count })
        if (!page.ok) return scimError(page.error)
        const { users, totalResults } = page.value
        return list(c, users, totalResults, page.value.startIndex)
      })
      .post('/Users', async (c) =>
        userResponse(c, await createScimUser(context, c.var.place, await readBody(c)), 201)
      )
      .get('/Users/:id', async (c) => {
        const user = await getScimUser(context, c.var.place, c.req.param('id'))
        const known = c.req.header('if-none-match')
        return user.ok && known !== undefined && isNamedBy(known, user.value)
          ? new Response(null, { status: 304, headers: { etag: user.value.meta.version } })
          : userResponse(c, user)
      })
      .put('/Users/:id', async (c) => {
        const input = await readBody(c)
        const id = c.req.param('id')
        return userResponse(
          c,
          await replaceScimUser(context, c.var.place, id, input, conditions(c))
        )
      })
      .patch('/Users/:id', async (c) => {
        const input = await readBody(c)
        const id = c.req.param('id')
        return userResponse(c, await patchScimUser(context, c.var.place, id, input, conditions(c)))
      })
      .delete('/Users/:id', async (c) => {
        const deleted = await deleteScimUser(context, c.var.place, c.req.param('id'), conditions(c))
        return deleted.ok ? c.body(null, 204) : scimError(deleted.error)
      })
      // There are no groups; a provider that asks gets an empty list.
      .get('/Groups', async (c) => {
        const allowed = await listScimUsers(context, c.var.place, { count: 0 })
        return allowed.ok ? list(c, [], 0, 1) : scimError(allowed.error)
      })
  )
}

// The token is checked in the round trip of the operation; here it is read alone.
function authenticated(context: ScimContext): MiddlewareHandler<ScimEnv> {
  return async (c, next) => {
    const token = bearerOf(c)
    const scope = await scopeOfToken(context, token)
    if (scope === null) return scimError({ code: 'unauthenticated' })
    c.set('place', { ...marksOfRequest(c), ...scope })
    await next()
    await noteUse(context, scope)
    return undefined
  }
}

function conditions(c: Context) {
  return { ifMatch: c.req.header('if-match') }
}

/** Reads the parameters by their names in lower case, the first value of each. */
function parametersOf(c: Context) {
  const all = Object.entries(c.req.queries()).map(([name, [value]]) => [lowerCase(name), value])
  const {
    filter,
    startindex: startIndex,
    count,
    attributes,
    excludedattributes,
  } = Object.fromEntries(all) as Readonly<Record<string, string | undefined>>
  return { filter, startIndex, count, attributes, excluded: excludedattributes }
}

function userResponse(c: Context, user: Result<ScimUser>, status = 200): Response {
  if (!user.ok) return scimError(user.error)
  const { attributes, excluded } = parametersOf(c)
  const whole = located(c, user.value)
  const headers = { etag: whole.meta.version, location: whole.meta.location }
  return scimResponse(shown(whole, attributes, excluded), status, headers)
}

function list(
  c: Context,
  users: readonly ScimUser[],
  totalResults: number,
  startIndex: number
): Response {
  const { attributes, excluded } = parametersOf(c)
  return scimResponse({
    schemas: [LIST],
    totalResults,
    startIndex,
    itemsPerPage: users.length,
    Resources: users.map((user) => shown(located(c, user), attributes, excluded)),
  })
}

function located(c: Context, user: ScimUser) {
  return { ...user, meta: { ...user.meta, location: `${baseOf(c)}/Users/${user.id}` } }
}

/** Returns the address under which the routes are mounted. */
function baseOf(c: Context): string {
  const { origin, pathname } = new URL(c.req.url)
  return (
    origin +
    pathname.replace(/\/(?:Users|Schemas|ResourceTypes|ServiceProviderConfig)(?:\/[^/]*)?\/?$/, '')
  )
}

function document(c: Context, { meta, ...rest }: DiscoveryDocument): Response {
  return scimResponse({ ...rest, meta: { ...meta, location: baseOf(c) + meta.location } })
}

function documents(c: Context, all: readonly DiscoveryDocument[]): Response {
  return scimResponse({
    schemas: [LIST],
    totalResults: all.length,
    startIndex: 1,
    itemsPerPage: all.length,
    Resources: all.map(({ meta, ...rest }) => ({
      ...rest,
      meta: { ...meta, location: baseOf(c) + meta.location },
    })),
  })
}

function documentNamed(c: Context, all: readonly DiscoveryDocument[]): Response {
  const found = all.find(({ id }) => id === c.req.param('id'))
  return found ? document(c, found) : notThere()
}

function notThere(): Response {
  return scimError(refused({ code: 'not_found' }).error)
}
