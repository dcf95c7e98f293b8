import { drizzle } from 'drizzle-orm/d1'
import { beforeAll, describe, expect, it } from 'vitest'
import { aroundDatabase, aroundLedgers, createMeter } from '../../../bench/meter.ts'
import { ledgerSeats } from '../../../src/index.ts'
import {
  asUser,
  embedded,
  host,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  type Person,
  headersOf,
  BY_TOKEN,
  NAMED,
  named,
  OWN,
  testEnv,
  createKit,
  largeOrganization,
  shareOf,
} from '../../kit/index.ts'

let owner: Person
let org: string
beforeAll(async () => {
  owner = await person()
  org = (await postOrganization(owner)).id
})

/** What an answer says, to the byte; and it never is a failure of ours. */
async function whole(response: Response) {
  expect(response.status).toBeLessThan(500)
  return {
    status: response.status,
    headers: headersOf(response),
    body: await response.text(),
  }
}

describe('without a session', () => {
  const credentials: [string, Record<string, string>][] = [
    ['no token', {}],
    ['a wrong token', { authorization: `Bearer ${'A'.repeat(43)}` }],
    ['an empty bearer', { authorization: 'Bearer ' }],
    ['two tokens', { authorization: 'Bearer one two' }],
    ['another scheme', { authorization: 'Basic YWRhOnBhc3N3b3Jk' }],
    ['garbage', { authorization: '\u007f%00;--' }],
    ['ten thousand characters', { authorization: `Bearer ${'x'.repeat(10_000)}` }],
    ['a wrong cookie', { cookie: 'seatgate_session=%00%ff; seatgate_session=' }],
  ]

  const accepting = BY_TOKEN.filter(([, path]) => path('').endsWith('/accept'))

  it.each(shareOf([...OWN, ...NAMED, ...accepting].map(named), 4))(
    '%s answers 401',
    async (_name, method, path, body) => {
      const before = await rowCounts()
      for (const [what, headers] of credentials) {
        const answer = await host.send(method, path(org), body, null, headers)
        expect({ what, ...(await problem(answer)) }).toEqual({
          what,
          status: 401,
          code: 'unauthenticated',
          fields: [],
        })
      }
      expect(await rowCounts()).toEqual(before)
    }
  )

  it('answers 401 to a session that has expired, to the millisecond', async () => {
    const { token, userId } = await person()
    const expire = (at: number) =>
      testEnv.DB.prepare('UPDATE seatgate_sessions SET expires_at = ? WHERE user_id = ?')
        .bind(at, userId)
        .run()
    await expire(Date.now() + 60_000)
    expect((await host.get('/organizations', token)).status).toBe(200)
    await expire(Date.now())
    expect((await host.get('/organizations', token)).status).toBe(401)
    expect((await host.post('/organizations', { name: 'X' }, token)).status).toBe(401)
  })

  it('answers 401 to the hash of a token: the stored value opens no session', async () => {
    const { userId } = await person()
    const hash = await testEnv.DB.prepare(
      'SELECT token_hash AS h FROM seatgate_sessions WHERE user_id = ?'
    )
      .bind(userId)
      .first<string>('h')
    expect((await host.get('/organizations', hash)).status).toBe(401)
  })
})

describe('an organization of another tenant', () => {
  it.each(shareOf(NAMED.map(named), 3))(
    '%s answers byte for byte as if the organization did not exist',
    async (_name, method, path, body) => {
      const [foreigner, stranger] = (await people(2)) as [Person, Person]
      const { id, slug } = await postOrganization(foreigner)
      const deleted = await postOrganization(stranger)
      await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?')
        .bind(deleted.id)
        .run()
      const before = await rowCounts()
      const inputs =
        body === undefined && method !== 'POST' ? [body] : [body, '{', 'null', undefined]
      for (const query of method === 'GET' ? ['', '?limit=0', '?cursor=x'] : ['']) {
        for (const input of inputs) {
          const ask = async (name: string) =>
            whole(await host.send(method, path(name) + query, input, stranger.token))
          const unknown = await ask(crypto.randomUUID())
          expect(JSON.parse(unknown.body)).toMatchObject({
            status: 404,
            code: 'organization_not_found',
          })
          const others = [id, slug, slug.toUpperCase(), deleted.id, deleted.slug, 'no-such-slug']
          for (const name of others) expect(await ask(name)).toEqual(unknown)
        }
      }
      expect(await rowCounts()).toEqual(before)
    }
  )

  const oddNames = [
    ["acme' OR '1'='1"],
    ['%00'],
    ['%E0%A4%A'],
    ['%F0%9F%92%BA'],
    ['..%2Forganizations'],
    ['%'],
    ['null'],
    ['undefined'],
    ['-1'],
    ['x'.repeat(5000)],
    ['00000000-0000-0000-0000-00000000000g'],
  ]
  it.each(shareOf(oddNames, 4))(
    'answers 404 to the odd name %.40s, on every route',
    async (name) => {
      for (const [method, path, body] of NAMED) {
        const answer = await host.send(method, path(name), body, owner.token)
        expect(answer.status).toBe(404)
      }
    }
  )

  it.each([['%00'], ['%E0%A4%A'], ['%F0%9F%92%BA'], ["' OR 1=1 --"], ['x'.repeat(5000)]])(
    'answers not_found to the odd user id %.40s',
    async (id) => {
      const path = `/organizations/${org}/members/${id}`
      const removed = await host.delete(path, owner.token)
      const changed = await host.patch(path, { role: 'admin' }, owner.token)
      expect([await problem(removed), await problem(changed)]).toMatchObject([
        { status: 404, code: 'not_found' },
        { status: 404, code: 'not_found' },
      ])
    }
  )
})

describe('the cost of a stranger’s request', () => {
  const PAGE = 50
  const meter = createMeter()
  const client = embedded({
    database: drizzle(aroundDatabase(testEnv.DB, meter.around)),
    seats: ledgerSeats(aroundLedgers(testEnv.SEATS, meter.around)),
  })
  let busy: string
  beforeAll(async () => {
    busy = (await largeOrganization(createKit(), 3 * PAGE)).id
  })

  it.each(shareOf(NAMED.map(named), 3))(
    '%s: at most one trip, no matter how much there is, and no more rows than a page',
    async (_name, method, path, body) => {
      const stranger = asUser(await person())
      const costOf = async (name: string) => {
        const ask = async () => client.send(method, path(name), body, stranger)
        const [answer, cost] = await meter.measure(ask, async () => {})
        expect(answer.status).toBe(404)
        return cost
      }
      // Who is known not to be an operator is answered before anything is read.
      const trips = method === 'GET' && /^\/operator\/.*(?<!verify)$/.test(path('x')) ? 0 : 1
      const once = { inSequence: trips, d1Trips: trips, ledgerCalls: 0, rowsWritten: 0 }
      const absent = await costOf(crypto.randomUUID())
      const present = await costOf(busy)
      expect(absent).toMatchObject(once)
      expect(present).toMatchObject(once)
      expect(present.rowsRead - absent.rowsRead).toBeLessThan(2 * PAGE)
    }
  )
})
