import type { Context, Hono, MiddlewareHandler } from 'hono'
import { partOf } from '../../engine/changes/part.ts'
import { storeRefusal } from '../../engine/changes/operation-refusals.ts'
import { refused } from '../../base/result.ts'
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
import { noteUse, scopeOfToken } from '../../parts/scim/scim-token.ts'
import type { ScimContext } from '../../parts/scim/scim.ts'
import { isNamedBy } from '../../parts/scim/user-view.ts'
import { has } from '../../engine/changes/part.ts'
import { GROUP_DOCUMENT, GROUP_TYPE } from '../../parts/scim-groups/group-schema.ts'
import type { ScimGroupsContext } from '../../parts/scim-groups/scim-group.ts'
import { mountable } from '../mountable.ts'
import { bearerOf, marksOfRequest } from '../request.ts'
import { readBody, requireWellEncoded } from '../request-body.ts'
import { noStore, RefusalException } from '../problem.ts'
import { scimError, scimResponse } from './scim-response.ts'
import { groupRoutes } from './scim-group-routes.ts'
import {
  baseOf,
  conditions,
  LIST,
  listResponse,
  parametersOf,
  resourceResponse,
  type ScimEnv,
} from './scim-requests.ts'

/**
 * The routes of SCIM 2.0 for identity providers: `/Users`, `/Groups` (empty without the part `groups`), `/ServiceProviderConfig`,
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
  const routes = mountable()
  routes.onError((error) =>
    scimError(error instanceof RefusalException ? error.refusal : storeRefusal(given, error))
  )
  routes.use(noStore, requireWellEncoded)
  const withGroups = hasGroups(given)
  addDiscovery(routes, withGroups)
  const authenticate = authenticated(given)
  for (const path of ['/Users', '/Users/:id', '/Groups', '/Groups/:id']) {
    routes.use(path, authenticate)
  }
  return routes
    .route('/', userRoutes(given))
    .route('/', withGroups ? groupRoutes(given) : noGroups(given))
    .all('*', () => notThere())
}

const hasGroups = has<ScimGroupsContext>('groups')

function addDiscovery(routes: Hono, withGroups: boolean): void {
  const types = withGroups ? [...RESOURCE_TYPES, GROUP_TYPE] : RESOURCE_TYPES
  const schemas = withGroups ? [...SCHEMAS, GROUP_DOCUMENT] : SCHEMAS
  routes
    .get('/ServiceProviderConfig', (c) => document(c, SERVICE_PROVIDER_CONFIG))
    .get('/ResourceTypes', (c) => documents(c, types))
    .get('/ResourceTypes/:id', (c) => documentNamed(c, types))
    .get('/Schemas', (c) => documents(c, schemas))
    .get('/Schemas/:id', (c) => documentNamed(c, schemas))
}

function userRoutes(context: ScimContext): Hono<ScimEnv> {
  return mountable<ScimEnv>()
    .get('/Users', async (c) => {
      const { filter, startIndex, count } = parametersOf(c)
      const page = await listScimUsers(context, c.var.place, { filter, startIndex, count })
      if (!page.ok) return scimError(page.error)
      const { users, totalResults } = page.value
      return listResponse(c, users, totalResults, page.value.startIndex)
    })
    .post('/Users', async (c) =>
      resourceResponse(c, await createScimUser(context, c.var.place, await readBody(c)), 201)
    )
    .get('/Users/:id', async (c) => {
      const user = await getScimUser(context, c.var.place, c.req.param('id'))
      const known = c.req.header('if-none-match')
      return user.ok && known !== undefined && isNamedBy(known, user.value)
        ? new Response(null, { status: 304, headers: { etag: user.value.meta.version } })
        : resourceResponse(c, user)
    })
    .put('/Users/:id', async (c) => {
      const input = await readBody(c)
      const id = c.req.param('id')
      return resourceResponse(
        c,
        await replaceScimUser(context, c.var.place, id, input, conditions(c))
      )
    })
    .patch('/Users/:id', async (c) => {
      const input = await readBody(c)
      const id = c.req.param('id')
      return resourceResponse(
        c,
        await patchScimUser(context, c.var.place, id, input, conditions(c))
      )
    })
    .delete('/Users/:id', async (c) => {
      const deleted = await deleteScimUser(context, c.var.place, c.req.param('id'), conditions(c))
      return deleted.ok ? c.body(null, 204) : scimError(deleted.error)
    })
}

// A provider that asks for groups gets an empty list.
function noGroups(context: ScimContext): Hono<ScimEnv> {
  return mountable<ScimEnv>().get('/Groups', async (c) => {
    const allowed = await listScimUsers(context, c.var.place, { count: 0 })
    return allowed.ok ? listResponse(c, [], 0, 1) : scimError(allowed.error)
  })
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
