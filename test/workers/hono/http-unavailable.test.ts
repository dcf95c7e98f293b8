import { drizzle } from 'drizzle-orm/d1'
import { describe, expect, it } from 'vitest'
import { d1Seats, ledgerSeats, type LedgerNamespace, type RefusalCode } from '../../../src/index.ts'
import {
  type FlatOptions,
  anOperator,
  asUser,
  bySession,
  embedded,
  host,
  postInvitation,
  ledgersThat,
  limitTo,
  problem,
  rowCounts,
  smallTeam,
  isForOperators,
  NAMED,
  named,
  OWN,
  testEnv,
  shareOf,
} from '../../kit/index.ts'

// What goes wrong is said in the error as D1 says it, so that a body that passes it on is seen.
const SECRET = 'Network connection lost: secret_table'
const fails = () => Promise.reject(new Error(`D1_ERROR: ${SECRET}`))

/** The database, of which the batch with this number does not answer; it may run all the same. */
function databaseLosing(number: number, { runs }: { runs: boolean }) {
  let batches = 0
  const losing = new Proxy(testEnv.DB, {
    get(target, key) {
      if (key !== 'batch') return target.prepare.bind(target)
      return async (statements: D1PreparedStatement[]) => {
        batches += 1
        if (batches !== number) return target.batch(statements)
        if (runs) await target.batch(statements)
        return fails()
      }
    },
  })
  return drizzle(losing)
}

const dead = () => {
  const answer = { all: fails, raw: fails, run: fails, first: fails }
  const statement = { ...answer, bind: () => answer }
  return drizzle({ prepare: () => statement, batch: fails } as unknown as D1Database)
}

async function expectUnavailable(response: Response, code: RefusalCode): Promise<void> {
  const text = await response.text()
  expect({ status: response.status, ...(JSON.parse(text) as object) }).toMatchObject({
    status: 503,
    code,
  })
  expect(response.headers.get('retry-after')).toMatch(/^\d+$/)
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(text).not.toMatch(/secret_table|SQLITE|select|insert|D1_ERROR/i)
}

describe('when D1 does not answer', () => {
  const options = {
    database: dead(),
    lifecycle: { onDelete: () => ({ ok: true, statements: [] }) },
  }
  const people = embedded(options as Partial<FlatOptions>, bySession)
  const operators = embedded(options as Partial<FlatOptions>)
  const TAKING_A_SEAT = [
    /^\/organizations(\/\/members(\/[^/]+\/restore)?)?$/,
    /^\/organizations\/\/invitations(\/bulk|\/[^/]+\/resend)?$/,
    /^\/organizations\/\/join-requests\/[^/]+\/approve$/,
    /^\/join-requests$/,
  ]
  const takesSeat = (method: string, path: string) =>
    method === 'POST' && TAKING_A_SEAT.some((shape) => shape.test(path))

  it.each(shareOf([...OWN, ...NAMED].map(named), 12))(
    '%s is refused, as seats_unavailable where it takes a seat',
    async (_name, method, path, body) => {
      const { owner, organization } = await smallTeam()
      const client = isForOperators(path(organization.id)) ? operators : people
      const token = isForOperators(path(organization.id)) ? anOperator : owner.token
      const before = await rowCounts()
      const answer = await client.send(method, path(organization.id), body, token)
      const code = takesSeat(method, path('')) ? 'seats_unavailable' : 'unavailable'
      await expectUnavailable(
        answer,
        path('').endsWith('/mfa-policy') ? 'mfa_policy_aborted' : code
      )
      expect(await rowCounts()).toEqual(before)
    }
  )

  it.each([
    ['/invitations/view', 'unavailable'],
    ['/invitations/accept', 'seats_unavailable'],
    ['/invitations/decline', 'unavailable'],
  ] as const)('POST %s is refused for valid and invalid tokens', async (path, code) => {
    const { owner, candidate, organization } = await smallTeam()
    const as = { token: asUser(owner) }
    const { token } = await postInvitation(organization, as, candidate.email, 'member', embedded())
    const before = await rowCounts()
    await expectUnavailable(await operators.post(path, { token }, asUser(candidate)), code)
    expect(await rowCounts()).toEqual(before)
  })

  it('does not report an outage during a switch as a missing organization', async () => {
    const { owner, organization } = await smallTeam()
    const switching = embedded({ database: databaseLosing(2, { runs: false }) }, bySession)
    const input = { organization_id: organization.id }
    const answer = await switching.post('/organizations/switch', input, owner.token)
    await expectUnavailable(answer, 'unavailable')
  })

  it('receives the cause through report, not through the answer', async () => {
    const { owner, path } = await smallTeam()
    const reports: string[] = []
    const down = embedded({
      database: dead(),
      report: ({ event, error }) => reports.push(`${event}: ${String(error)}`),
    })
    await down.get(path, asUser(owner))
    expect(reports).toEqual([expect.stringMatching(/^store_unavailable: .*secret_table/)])
  })

  it('keeps the identity routes quiet too', async () => {
    await testEnv.DB.prepare('ALTER TABLE users RENAME TO users_elsewhere').run()
    try {
      const input = { email: 'ada@example.com', password: 'correct horse' }
      await expectUnavailable(await host.post('/identity/sign-in', input), 'unavailable')
      await expectUnavailable(await host.post('/identity/sign-up', input), 'unavailable')
    } finally {
      await testEnv.DB.prepare('ALTER TABLE users_elsewhere RENAME TO users').run()
    }
  })

  it('keeps the seat of a lost membership until D1 answers', async () => {
    const { owner, organization, join, seats } = await smallTeam()
    await limitTo(organization, 3)
    const losing = embedded({ database: databaseLosing(2, { runs: false }) })
    await expectUnavailable(await join(losing, asUser(owner)), 'seats_unavailable')
    expect(await seats()).toMatchObject({ held: 2, reserved: 1, available: 0 })
  })

  it('answers a repeat with the change that was made while the answer was lost', async () => {
    const { owner, candidate, join, seats } = await smallTeam()
    const headers = { 'idempotency-key': 'lost-answer' }
    const losing = embedded({ database: databaseLosing(2, { runs: true }) })
    await expectUnavailable(await join(losing, asUser(owner), headers), 'seats_unavailable')
    const repeat = await join(host, owner.token, headers)
    expect(repeat.status).toBe(201)
    expect(await repeat.json()).toMatchObject({ userId: candidate.userId })
    const { held, reserved } = await seats()
    expect(held + reserved).toBe(3)
  })
})

describe('when the ledger does not answer', () => {
  const hangs = () => new Promise<never>(() => {})

  it.each([
    ['throws', fails, 10],
    ['hangs', hangs, 0.05],
  ])(
    'refuses growth if it %s, and writes no row [SEAT-13]',
    async (_how, instead, timeoutSeconds) => {
      const { owner, path, join } = await smallTeam()
      const seats = ledgerSeats(ledgersThat('everything', instead), { timeoutSeconds })
      const client = embedded({ seats })
      const before = await rowCounts()
      await expectUnavailable(await join(client, asUser(owner)), 'seats_unavailable')
      await expectUnavailable(await client.get(`${path}/seats`, asUser(owner)), 'seats_unavailable')
      expect(await rowCounts()).toEqual(before)
    }
  )

  it("refuses growth if a host's own provider throws, and writes no row [SEAT-13]", async () => {
    const { owner, join } = await smallTeam()
    const client = embedded({ seats: { ...d1Seats(), reserve: fails } })
    const before = await rowCounts()
    await expectUnavailable(await join(client, asUser(owner)), 'seats_unavailable')
    expect(await rowCounts()).toEqual(before)
  })

  it('still reads, renames, changes roles, removes and lets people leave', async () => {
    const { owner, member, candidate, path, join, seats } = await smallTeam()
    expect((await join()).status).toBe(201)
    const client = embedded({ seats: ledgerSeats(ledgersThat('everything', fails)) })
    const token = asUser(owner)
    const answers = await Promise.all(
      ['', '/members', '/audit'].map((end) => client.get(`${path}${end}`, token))
    )
    answers.push(await client.get('/organizations', token))
    answers.push(await client.patch(path, { name: 'X' }, token))
    answers.push(await client.patch(`${path}/members/${member.userId}`, { role: 'admin' }, token))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200])
    const removal = await client.delete(`${path}/members/${member.userId}`, token)
    const leaving = await client.delete(`${path}/members/${candidate.userId}`, asUser(candidate))
    expect([removal.status, leaving.status]).toEqual([204, 204])
    const { held, reserved } = await seats()
    // The owner has a seat; the two who left may have theirs until the ledger hears of it.
    expect(held + reserved).toBeGreaterThanOrEqual(1)
    expect(held + reserved).toBeLessThanOrEqual(3)
  })

  it('retries only if the platform marks the failure as retryable', async () => {
    const { owner, candidate, path } = await smallTeam()
    let calls = 0
    const flaky = (failures: number) => {
      calls = 0
      const ledgers: LedgerNamespace = {
        getByName: (name) => {
          calls += 1
          if (calls <= failures) throw Object.assign(new Error('reset'), { retryable: true })
          return testEnv.SEATS.getByName(name) as unknown as ReturnType<
            LedgerNamespace['getByName']
          >
        },
      }
      return embedded({ seats: ledgerSeats(ledgers) })
    }
    const input = { userId: candidate.userId, role: 'member' }
    const twice = await flaky(2).post(`${path}/members`, input, asUser(owner))
    await expectUnavailable(twice, 'seats_unavailable')
    expect(calls).toBe(2)
    const once = await flaky(1).post(`${path}/members`, input, asUser(owner))
    expect(once.status).toBe(201)
  })

  it('gives the seat back if the membership certainly was not written [SEAT-14]', async () => {
    const { owner, organization, join, seats } = await smallTeam()
    await limitTo(organization, 3)
    // The outer guard: the actor loses the role between plan and batch, every time it is planned.
    const racing = new Proxy(testEnv.DB, {
      get(target, key) {
        if (key !== 'batch') return target.prepare.bind(target)
        return async (statements: D1PreparedStatement[]) => {
          const answer = await target.batch(statements).catch((error: unknown) => error)
          await target
            .prepare("UPDATE seatgate_memberships SET role = 'member' WHERE user_id = ?")
            .bind(owner.userId)
            .run()
          if (answer instanceof Error) throw answer
          return answer
        }
      },
    })
    const answer = await join(embedded({ database: drizzle(racing) }), asUser(owner))
    expect(await problem(answer)).toMatchObject({ code: 'insufficient_role' })
    await testEnv.DB.prepare("UPDATE seatgate_memberships SET role = 'owner' WHERE user_id = ?")
      .bind(owner.userId)
      .run()
    expect(await seats()).toMatchObject({ held: 2, reserved: 0, available: 1 })
    expect((await join()).status).toBe(201)
  })
})
