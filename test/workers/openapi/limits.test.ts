import { beforeAll, describe, expect, it } from 'vitest'
import document from '../../../openapi.json'
import { people, testEnv, type Person } from '../../kit/index.ts'
import { application } from '../../kit/openapi-application.ts'
import { inside, outside, type Limited } from './limits.ts'

interface Operation {
  readonly parameters?: readonly { name?: string; in?: string; schema?: Limited }[]
  readonly requestBody?: {
    readonly content: Record<string, { schema: { properties?: Record<string, Limited> } }>
  }
}

const app = application()
const paths = document.paths as unknown as Record<string, Record<string, Operation>>
const limits = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).flatMap(([method, { parameters = [], requestBody }]) => {
    const body = requestBody?.content['application/json']?.schema.properties ?? {}
    const query = parameters.flatMap(({ in: place, name, schema }) =>
      place === 'query' && name && schema ? [[name, schema] as const] : []
    )
    return [...query, ...Object.entries(body)]
      .filter(([, schema]) => outside(schema).length > 0)
      .map(([name, schema]) => ({ method: method.toUpperCase(), path, name, schema }))
  })
)

const ids: Record<string, string> = {}
let caller = ''
let token = ''

async function send(method: string, path: string, body: object, as = caller): Promise<Response> {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => idFor(path, name))
  const query = new URLSearchParams(body as Record<string, string>).toString()
  return app.request(method === 'GET' ? `${filled}?${query}` : filled, {
    method,
    headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' },
    ...(method !== 'GET' && { body: JSON.stringify(body) }),
  })
}

function idFor(path: string, name: string): string {
  const [, collection = ''] = /\{org\}\/([a-z-]+)\/\{id\}/.exec(path) ?? []
  return ids[name === 'id' ? collection : name] ?? 'missing'
}

/** The messages for a field of an input. */
async function errorsOf({ method, path, name }: (typeof limits)[number], value: unknown) {
  // What registers a user is checked for an invitation that is open.
  const beside = path.endsWith('/accept-with-signup') ? { token, email: 'new@example.com' } : {}
  const csv = name === 'bom' ? { format: 'csv' } : {}
  const as = path.startsWith('/step-up') ? caller.replace('operator', 'user') : caller
  const response = await send(method, path, { ...beside, ...csv, [name]: value }, as)
  const answer = !response.ok
    ? await response.json<{ errors?: Record<string, readonly string[]> }>()
    : await response.body?.cancel()
  const fields = Object.entries(answer?.errors ?? {})
  return fields.filter(([field]) => field === name || field.startsWith(`${name}.`))
}

beforeAll(async () => {
  const [owner, member, asker] = (await people(3)) as [Person, Person, Person]
  caller = `operator:${owner.userId}`
  const post = async (path: string, body: object, as = caller) =>
    (await send('POST', path, body, as)).json<Record<string, never>>()
  Object.assign(ids, { sink: 'siem', userId: member.userId, provider: 'stripe' })
  ids['org'] = (await post('/organizations', { name: 'Acme' }))['id'] as unknown as string
  const org = '/organizations/{org}'
  await post(`${org}/members`, { userId: member.userId, role: 'member' })
  const { id } = await post(`${org}/scim-tokens`, {})
  ids['scim-tokens'] = id as unknown as string
  const invited = await post(`${org}/invitations`, { email: 'a@example.com', role: 'member' })
  const open = await post(`${org}/invitations`, { email: 'new@example.com', role: 'member' })
  token = open['token'] as unknown as string
  const domain = await post(`${org}/domains`, { domain: 'example.org', mode: 'request' })
  Object.assign(ids, { invitations: invited['id'], domains: domain['id'] })
  await post(`${org}/domains/${ids['domains']}/verify`, {})
  await testEnv.DB.prepare('update users set email = ?, email_verified_at = 1 where id = ?')
    .bind('asker@example.org', asker.userId)
    .run()
  const asked = { organizationId: ids['org'] }
  const { request } = await post('/join-requests', asked, `user:${asker.userId}`)
  ids['join-requests'] = (request as unknown as { id: string }).id
})

describe('a limit of an input in openapi.json', () => {
  it('is there for the fields that have one', () => {
    expect(limits.length).toBeGreaterThan(100)
  })

  it.each(limits.map((one) => [`${one.method} ${one.path}`, one.name, one] as const))(
    'is that of the route: %s, %s',
    async (_route, _name, one) => {
      const taken: string[] = []
      for (const [limit, value] of outside(one.schema)) {
        if ((await errorsOf(one, value)).length === 0) taken.push(limit)
      }
      expect(taken, 'outside of these and not refused').toEqual([])
      const refused: unknown[] = []
      for (const [limit, value] of inside(one.schema)) {
        const errors = await errorsOf(one, value)
        if (errors.length > 0) refused.push([limit, value, errors])
      }
      expect(refused, 'inside of these and refused').toEqual([])
    }
  )
})
