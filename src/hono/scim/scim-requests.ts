/**
 * Shared by the routes of all resources: the parameters of requests, and responses with places.
 *
 * @module
 */
import type { Context } from 'hono'
import { lowerCase } from '../../base/input.ts'
import type { Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ScimCaller } from '../../parts/scim/scim-token.ts'
import { scimError, scimResponse } from './scim-response.ts'
import { shown } from './shown-attributes.ts'

/** The environment of routes after the token was read. */
export interface ScimEnv {
  Variables: { readonly place: OrganizationScope & { readonly caller: ScimCaller } }
}

export const LIST = 'urn:ietf:params:scim:api:messages:2.0:ListResponse'

/** A resource; its place is below that of the routes. */
interface Resource {
  readonly id: string
  readonly meta: { readonly resourceType: 'User' | 'Group'; readonly version: string }
}

/** Returns the conditions of a change. */
export function conditions(c: Context) {
  return { ifMatch: c.req.header('if-match') }
}

/** Reads the parameters by their names in lower case, the first value of each. */
export function parametersOf(c: Context) {
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

/** Responds with a resource. */
export function resourceResponse(c: Context, resource: Result<Resource>, status = 200): Response {
  if (!resource.ok) return scimError(resource.error)
  const { attributes, excluded } = parametersOf(c)
  const whole = located(c, resource.value)
  const headers = { etag: whole.meta.version, location: whole.meta.location }
  return scimResponse(shown({ ...whole }, attributes, excluded), status, headers)
}

/** Responds with a page of resources. */
export function listResponse(
  c: Context,
  resources: readonly Resource[],
  totalResults: number,
  startIndex: number
): Response {
  const { attributes, excluded } = parametersOf(c)
  return scimResponse({
    schemas: [LIST],
    totalResults,
    startIndex,
    itemsPerPage: resources.length,
    Resources: resources.map((each) => shown({ ...located(c, each) }, attributes, excluded)),
  })
}

function located<R extends Resource>(c: Context, resource: R) {
  const { id, meta } = resource
  const location = `${baseOf(c)}/${meta.resourceType}s/${id}`
  return { ...resource, meta: { ...meta, location } }
}

/** Returns the address under which the routes are mounted. */
export function baseOf(c: Context): string {
  const { origin, pathname } = new URL(c.req.url)
  const resource = 'Users|Groups|Schemas|ResourceTypes|ServiceProviderConfig'
  return origin + pathname.replace(new RegExp(`/(?:${resource})(?:/[^/]*)?/?$`), '')
}
