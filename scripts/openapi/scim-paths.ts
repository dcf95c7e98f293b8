/**
 * The paths of SCIM 2.0 (RFC 7644), as `scimRoutes` answers them at `/scim/v2`.
 *
 * @module
 */
import type { Exchange } from './operation.ts'

/** The media type of SCIM. */
export const SCIM_TYPE = 'application/scim+json'

interface ScimOperation {
  readonly summary: string
  /** The response by status: a component, or null for no body. Other statuses are errors. */
  readonly granted: Readonly<Record<number, string | null>>
  readonly errors: readonly number[]
  /** The component of the body. */
  readonly body?: string
  readonly query?: readonly string[]
  readonly headers?: readonly string[]
  readonly open?: true
}

const SHOWN = ['attributes', 'excludedAttributes']
const READ = [400, 401, 503]
const CHANGE = [...READ, 404, 409, 412]
const changing = (body: string): Omit<ScimOperation, 'summary'> => ({
  granted: { 200: 'ScimUser' },
  errors: [...CHANGE, 403, 413, 415],
  body,
  query: SHOWN,
  headers: ['If-Match'],
})
const changingGroup = (body: string): Omit<ScimOperation, 'summary'> => ({
  ...changing(body),
  granted: { 200: 'ScimGroup' },
  errors: [...CHANGE, 413, 415],
})
const document = (component: string, errors: readonly number[] = [400]) => ({
  granted: { 200: component },
  errors,
  open: true as const,
})

/** The operations, by path and method. */
const OPERATIONS: Readonly<Record<string, Readonly<Record<string, ScimOperation>>>> = {
  '/Users': {
    get: {
      summary: 'Lists pushed users; `filter` with `eq` and the other operators',
      granted: { 200: 'ScimUserList' },
      errors: READ,
      query: ['filter', 'startIndex', 'count', ...SHOWN],
    },
    post: {
      summary: 'Pushes a user, who takes a seat if they are active',
      granted: { 201: 'ScimUser' },
      errors: [...READ, 403, 409, 413, 415],
      body: 'ScimUserInput',
      query: SHOWN,
    },
  },
  '/Users/{id}': {
    get: {
      summary: 'Returns a pushed user',
      granted: { 200: 'ScimUser', 304: null },
      errors: [...READ, 404],
      query: SHOWN,
      headers: ['If-None-Match'],
    },
    put: { summary: 'Replaces a pushed user', ...changing('ScimUserInput') },
    patch: { summary: 'Changes a pushed user', ...changing('ScimPatch') },
    delete: {
      summary: 'Ends a pushed user',
      granted: { 204: null },
      errors: [...CHANGE, 403],
      headers: ['If-Match'],
    },
  },
  '/Groups': {
    get: {
      summary: 'Lists groups; `filter` with `eq`',
      granted: { 200: 'ScimGroupList' },
      errors: READ,
      query: ['filter', 'startIndex', 'count', ...SHOWN],
    },
    post: {
      summary: 'Creates a group with pushed users',
      granted: { 201: 'ScimGroup' },
      errors: [...READ, 409, 413, 415],
      body: 'ScimGroupInput',
      query: SHOWN,
    },
  },
  '/Groups/{id}': {
    get: {
      summary: 'Returns a group with the pushed users in it',
      granted: { 200: 'ScimGroup', 304: null },
      errors: [...READ, 404],
      query: SHOWN,
      headers: ['If-None-Match'],
    },
    put: { summary: 'Replaces a group', ...changingGroup('ScimGroupInput') },
    patch: { summary: 'Changes a group', ...changingGroup('ScimPatch') },
    delete: {
      summary: 'Deletes a group',
      granted: { 204: null },
      errors: CHANGE,
      headers: ['If-Match'],
    },
  },
  '/ServiceProviderConfig': {
    get: { summary: 'The supported features', ...document('ScimServiceProviderConfig') },
  },
  '/ResourceTypes': {
    get: { summary: 'The kinds of resources', ...document('ScimDocumentList') },
  },
  '/ResourceTypes/{id}': {
    get: { summary: 'A kind of resources', ...document('ScimDocument', [400, 404]) },
  },
  '/Schemas': {
    get: { summary: 'The schemas of the resources', ...document('ScimDocumentList') },
  },
  '/Schemas/{id}': {
    get: { summary: 'A schema', ...document('ScimDocument', [400, 404]) },
  },
}

/** Describes every operation of SCIM, with the recorded exchanges as examples. */
export function scimPaths(exchanges: readonly Exchange[]): Readonly<Record<string, object>> {
  return Object.fromEntries(
    Object.entries(OPERATIONS).map(([path, methods]) => [
      `/scim/v2${path}`,
      Object.fromEntries(
        Object.entries(methods).map(([method, operation]) => {
          const place = `/scim/v2${path.replaceAll(/\{(\w+)\}/g, ':$1')}`
          const of = exchanges.filter(
            (one) => one.path === place && one.method === method.toUpperCase()
          )
          return [method, operationOf(method, path, operation, of)]
        })
      ),
    ])
  )
}

function operationOf(
  method: string,
  path: string,
  { summary, granted, errors, body, query = [], headers = [], open }: ScimOperation,
  exchanges: readonly Exchange[]
): object {
  const parameter = (name: string, place: 'path' | 'query' | 'header') => ({
    name,
    in: place,
    ...(place === 'path' && { required: true }),
    schema: { type: 'string' },
  })
  const parameters = [
    ...(path.endsWith('/{id}') ? [parameter('id', 'path')] : []),
    ...query.map((name) => parameter(name, 'query')),
    ...headers.map((name) => parameter(name, 'header')),
  ]
  const sent = exchanges.find((one) => one.status < 300 && one.body !== undefined)?.body
  const statuses: readonly (readonly [number, string | null])[] = [
    ...Object.entries(granted).map(([status, component]) => [Number(status), component] as const),
    ...errors.map((status) => [status, 'ScimError'] as const),
  ]
  const responses = statuses
    .toSorted(([a], [b]) => a - b)
    .map(([status, component]) => {
      const answer = exchanges.find((one) => one.status === status)?.answer
      const description = status < 400 ? 'The answer.' : 'An error.'
      if (component === null) return [String(status), { description }] as const
      return [String(status), { description, content: contentOf(component, answer) }] as const
    })
  return {
    operationId: `scim${method.replace(/^./, (first) => first.toUpperCase())}${path.replaceAll(/\W+/g, '')}`,
    tags: ['scim'],
    summary,
    security: open ? [] : [{ scim: [] }],
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, content: contentOf(body, sent) } }),
    responses: Object.fromEntries(responses),
  }
}

function contentOf(component: string, example: unknown): object {
  const schema = { $ref: `#/components/schemas/${component}` }
  return { [SCIM_TYPE]: { schema, ...(example !== undefined && { example }) } }
}
