import { beforeAll, describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { generateLogKey, sealOrganization, webhookSink } from '../../../src/index.ts'
import {
  byName,
  clientOf,
  seatgateWith,
  organizationWith,
  ownRoleRoutes,
  owners,
} from '../../kit/index.ts'

const { privateKey } = await generateLogKey('audit.example.com')
const seatgate = seatgateWith({
  auditLogKey: privateKey,
  sinks: [webhookSink({ url: 'https://logs.example.com/', secret: null })],
})
const router = seatgateRouter(seatgate, { authenticate: byName, signIn: async () => '' })
router.route('/', ownRoleRoutes())
const client = clientOf((url, init) => router.request(url, init))

/** The routes that read, as the router has them: one more is tested too. */
const reads = [
  ...new Set(router.routes.filter(({ method }) => method === 'GET').map(({ path }) => path)),
]

/** What a read must be asked for. */
const REQUIRED: Readonly<Record<string, string>> = {
  '/organizations/:org/audit/seats': 'at=2026-06-30T00:00:00Z',
  '/organizations/:org/audit/proof': 'sequence=1',
  '/organizations/:org/audit/consistency': 'from=1&to=2',
}

let organization: string
let token: string
beforeAll(async () => {
  organization = await organizationWith(seatgate, 3)
  token = `operator:${owners.get(organization)}`
  await sealOrganization(seatgate, organization)
})

const ask = (route: string, query: string, method = 'GET') => {
  const path = route
    .replace(':org', organization)
    .replace(':userId', 'ada')
    .replace(':sink', 'webhook')
  const given = [REQUIRED[route], query].filter(Boolean).join('&')
  return client.send(method, `${path}?${given}`, undefined, token)
}

const errorsOf = async (answer: Response) =>
  (await answer.json<{ errors: Record<string, string[]> }>()).errors

describe('a read', () => {
  it('is one of the listed routes', () => {
    expect(reads.length).toBeGreaterThan(25)
    expect(Object.keys(REQUIRED).filter((path) => !reads.includes(path))).toEqual([])
  })

  it.each(reads)('refuses unknown parameters: GET %s [B14]', async (route) => {
    expect((await ask(route, '')).status).toBe(200)
    for (const query of ['unknown=1', 'unknown=', 'unknown', 'unknown=1&unknown=2']) {
      const answer = await ask(route, query)
      expect([query, answer.status]).toEqual([query, 422])
      expect(await errorsOf(answer)).toEqual({ unknown: [expect.stringMatching(/known/)] })
    }
    expect((await ask(route, 'unknown=1', 'HEAD')).status).toBe(422)
  })

  it.each(reads)(
    'refuses its parameters twice, and without a value: GET %s [B14]',
    async (route) => {
      const [message = ''] = (await errorsOf(await ask(route, 'unknown=1')))['unknown'] ?? []
      const [, names = ''] = /Allowed: (.+)\.$/.exec(message) ?? []
      const own = names === '' ? [] : names.split(', ')
      const some = REQUIRED[route] ?? (route.endsWith('/members') ? 'limit=1&search=x' : '')
      expect(own).toEqual(expect.arrayContaining([...new URLSearchParams(some).keys()]))
      for (const name of own) {
        const twice = await ask(route, `${name}=1&${name}=1`)
        expect([name, twice.status]).toEqual([name, name === 'cursor' ? 400 : 422])
        const empty = await ask(route, `${name}=`)
        expect([name, empty.status]).toEqual([name, name === 'cursor' ? 400 : 422])
      }
    }
  )

  it('answers a stranger 404 and a request without a session 401, with any parameters [B14]', async () => {
    for (const route of reads.filter((path) => path.includes(':org'))) {
      const path = route.replace(':org', organization).replace(':sink', 'webhook')
      const stranger = await client.get(`${path}?unknown=1`, 'user:stranger')
      expect([route, stranger.status]).toEqual([route, 404])
      const nobody = await client.get(`${path}?unknown=1`)
      expect([route, nobody.status]).toEqual([route, 401])
    }
  })
})
