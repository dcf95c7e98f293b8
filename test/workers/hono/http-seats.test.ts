import { describe, expect, it } from 'vitest'
import { d1Seats, ledgerSeats } from '../../../src/index.ts'
import {
  anOperator,
  asUser,
  embedded,
  host,
  ledgersThat,
  limitTo,
  postOrganization,
  people,
  person,
  problem,
  rowCounts,
  smallTeam,
  type Person,
  testEnv,
} from '../../kit/index.ts'

const operations = embedded()

describe('GET /organizations/:org/seats', () => {
  it('shows members and operators how many seats there are, and strangers no number', async () => {
    const { member, candidate, organization, path } = await smallTeam()
    const unlimited = {
      limit: 'unlimited',
      held: 2,
      reserved: 0,
      available: 'unlimited',
      overLimit: false,
      version: 0,
    }
    for (const name of [organization.id, organization.slug.toUpperCase()]) {
      const response = await host.get(`/organizations/${name}/seats`, member.token)
      expect([response.status, await response.json()]).toEqual([200, unlimited])
    }
    const byOperator = await operations.get(`${path}/seats`, anOperator)
    expect(await byOperator.json()).toEqual(unlimited)
    const stranger = await host.get(`${path}/seats`, candidate.token)
    expect(await problem(stranger)).toMatchObject({ status: 404, code: 'organization_not_found' })
  })

  it.each([
    ['the ledger', () => host, (person: Person) => person.token],
    ['D1 alone', () => embedded({ seats: d1Seats() }), asUser],
  ])(
    'shows "unknown" if the stored limit is unknown, and refuses growth: %s',
    async (_w, via, as) => {
      const [owner, candidate] = (await people(2)) as [Person, Person]
      // Without a ledger that has started already: the entitlement is there before it.
      const { id } = await postOrganization(
        { token: asUser(owner) },
        {},
        embedded({ seats: d1Seats() })
      )
      await testEnv.DB.prepare(
        "INSERT INTO seatgate_entitlements (organization_id, version, limit_kind, limit_seats, reason, updated_at) VALUES (?, 1, 'unknown', NULL, NULL, 1)"
      )
        .bind(id)
        .run()
      const client = via()
      const seats = await client.get(`/organizations/${id}/seats`, as(owner))
      expect(await seats.json()).toMatchObject({ limit: 'unknown', available: 'unknown', held: 1 })
      const input = { userId: candidate.userId, role: 'member' }
      const answer = await client.post(`/organizations/${id}/members`, input, as(owner))
      expect(await problem(answer)).toMatchObject({ status: 503, code: 'seats_unavailable' })
    }
  )
})

describe('PUT /organizations/:org/seats/limit', () => {
  it('answers 200 with the seats under the new limit, and is in force at once', async () => {
    const { path, join } = await smallTeam()
    const response = await operations.put(`${path}/seats/limit`, { limit: 2 }, anOperator)
    expect([response.status, await response.json()]).toEqual([
      200,
      { limit: 2, held: 2, reserved: 0, available: 0, overLimit: false, version: 1 },
    ])
    const refused = await join()
    expect(refused.status).toBe(409)
    expect(await refused.json()).toEqual({
      type: 'urn:seatgate:refusal:seat_limit_reached',
      title: expect.any(String),
      status: 409,
      code: 'seat_limit_reached',
      limit: 2,
      used: 2,
    })
    const raised = await operations.put(`${path}/seats/limit`, { limit: 'unlimited' }, anOperator)
    expect(await raised.json()).toMatchObject({
      limit: 'unlimited',
      version: 2,
      available: 'unlimited',
    })
    expect((await join()).status).toBe(201)
  })

  it('is for operators: members are refused, strangers get not found', async () => {
    const { owner, candidate, path } = await smallTeam()
    const before = await rowCounts()
    for (const input of [{ limit: 5 }, { limit: -1 }, '{']) {
      expect(
        await problem(await host.put(`${path}/seats/limit`, input, owner.token))
      ).toMatchObject({
        status: 403,
        code: 'insufficient_role',
      })
      const stranger = await host.put(`${path}/seats/limit`, input, candidate.token)
      expect(await problem(stranger)).toMatchObject({ status: 404, code: 'organization_not_found' })
    }
    const unknown = `/organizations/${crypto.randomUUID()}/seats/limit`
    expect((await operations.put(unknown, { limit: 5 }, anOperator)).status).toBe(404)
    expect(await rowCounts()).toEqual(before)
  })

  it.each([
    [{}, 'limit'],
    [{ limit: null }, 'limit'],
    [{ limit: -1 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ limit: '5' }, 'limit'],
    [{ limit: 'unknown' }, 'limit'],
    ['{"limit": 1e999}', 'limit'],
    [{ limit: 2 ** 53 }, 'limit'],
    [{ limit: true }, 'limit'],
    [{ limit: 5, version: 0 }, 'version'],
    [{ limit: 5, version: 1.5 }, 'version'],
    [{ limit: 5, version: '2' }, 'version'],
    [{ limit: 5, version: Number.MAX_SAFE_INTEGER }, 'version'],
    [{ limit: 5, version: Number.MAX_SAFE_INTEGER - 1 }, 'version'],
    [{ limit: 5, version: 2 ** 52 + 1 }, 'version'],
    ['{"limit": 5, "version": 1e300}', 'version'],
    ['{"limit": 5, "version": 9007199254740993}', 'version'],
    [{ limit: 5, version: -1 }, 'version'],
    [{ limit: 5, reason: 'x'.repeat(501) }, 'reason'],
    [{ limit: 5, reason: 7 }, 'reason'],
    ['null', 'body'],
  ])('refuses %j [BILL-23]', async (input, field) => {
    const { path } = await smallTeam()
    const before = await rowCounts()
    const answer = await operations.put(`${path}/seats/limit`, input, anOperator)
    expect(await problem(answer)).toEqual({
      status: 422,
      code: 'validation_error',
      fields: [field],
    })
    expect(await rowCounts()).toEqual(before)
  })

  it('ignores a version that is not newer, and returns the one in force [BILL-25 B10]', async () => {
    const { path, seats } = await smallTeam()
    const put = (input: object) => operations.put(`${path}/seats/limit`, input, anOperator)
    await put({ limit: 10, version: 5 })
    const before = await rowCounts()
    for (const version of [5, 4, 1]) {
      const response = await put({ limit: 3, version })
      expect(await response.json()).toMatchObject({
        status: 409,
        code: 'outdated_version',
        limit: 10,
        version: 5,
      })
      const same = await put({ limit: 10, version })
      expect(same.status).toBe(200)
      expect(await same.json()).toMatchObject({ limit: 10, version: 5 })
    }
    expect(await rowCounts()).toEqual(before)
    expect(await (await put({ limit: 4 })).json()).toMatchObject({ limit: 4, version: 6 })
    expect(await (await put({ limit: 7, version: 100 })).json()).toMatchObject({ version: 100 })
    expect(await seats()).toMatchObject({ limit: 7, version: 100 })
  })

  it('sets a limit that was asked for without a version, no matter which versions came before [B10]', async () => {
    const { path, seats } = await smallTeam()
    const put = (input: object) => operations.put(`${path}/seats/limit`, input, anOperator)
    expect((await put({ limit: 3, version: Number.MAX_SAFE_INTEGER })).status).toBe(422)
    expect((await put({ limit: 3, version: 2 ** 52 })).status).toBe(200)
    for (const limit of [4, 5, 6, 'unlimited', 7]) {
      expect(await (await put({ limit })).json()).toMatchObject({ limit })
    }
    expect(await seats()).toMatchObject({ limit: 7, version: 2 ** 52 + 5 })
  })

  it('refuses a limit behind the last version that a number can have [B10]', async () => {
    const { path } = await smallTeam()
    const put = (input: object) => operations.put(`${path}/seats/limit`, input, anOperator)
    await put({ limit: 3 })
    await testEnv.DB.prepare(
      'UPDATE seatgate_entitlements SET version = ? WHERE organization_id = ?'
    )
      .bind(Number.MAX_SAFE_INTEGER, path.split('/')[2])
      .run()
    expect(await problem(await put({ limit: 4 }))).toEqual({
      status: 422,
      code: 'validation_error',
      fields: ['version'],
    })
  })

  it('never gives the ledger another limit than D1 has under one version [BILL-25]', async () => {
    const { path, seats } = await smallTeam()
    const deaf = embedded({
      seats: ledgerSeats(ledgersThat('setLimit', () => Promise.reject(new Error('reset')))),
    })
    const unheard = await deaf.put(`${path}/seats/limit`, { limit: 2, version: 5 }, anOperator)
    expect(unheard.status).toBe(503)
    await operations.put(`${path}/seats/limit`, { limit: 50, version: 5 }, anOperator)
    const stored = await testEnv.DB.prepare(
      'SELECT version, limit_seats AS seats FROM seatgate_entitlements WHERE organization_id = ?'
    )
      .bind(path.split('/')[2])
      .first()
    expect(stored).toEqual({ version: 5, seats: 2 })
    expect(await seats()).toMatchObject({ limit: 2, version: 5 })
  })

  it('a limit of 0 is enforced: the owner stays, and no other user is added [SEAT-11]', async () => {
    const [owner, candidate] = (await people(2)) as [Person, Person]
    const strict = embedded({ defaultSeatLimit: 0 })
    const { id } = await postOrganization({ token: asUser(owner) }, {}, strict)
    const seats = await strict.get(`/organizations/${id}/seats`, asUser(owner))
    expect(await seats.json()).toMatchObject({ limit: 0, held: 1, available: 0, overLimit: true })
    const input = { userId: candidate.userId, role: 'member' }
    const answer = await strict.post(`/organizations/${id}/members`, input, asUser(owner))
    expect(await answer.json()).toMatchObject({ code: 'seat_limit_reached', limit: 0, used: 1 })
  })

  it('lowering it below use keeps every user, refuses growth, lets people go [SEAT-44 SEAT-45]', async () => {
    const { owner, member, organization, path, join, seats } = await smallTeam()
    expect((await join()).status).toBe(201)
    await limitTo(organization, 1)
    expect(await seats()).toMatchObject({ limit: 1, held: 3, available: 0, overLimit: true })
    const { userId } = await person()
    const growth = () => host.post(`${path}/members`, { userId, role: 'member' }, owner.token)
    expect(await problem(await growth())).toMatchObject({ code: 'seat_limit_reached' })
    const rename = await host.patch(path, { name: 'Still here' }, owner.token)
    const promotion = await host.patch(
      `${path}/members/${member.userId}`,
      { role: 'admin' },
      owner.token
    )
    expect([rename.status, promotion.status]).toEqual([200, 200])
    expect((await host.delete(`${path}/members/${member.userId}`, member.token)).status).toBe(204)
    expect(await seats()).toMatchObject({ held: 2, overLimit: true })
    await limitTo(organization, 3)
    expect(await seats()).toMatchObject({ held: 2, available: 1, overLimit: false })
    expect((await growth()).status).toBe(201)
  })

  it('keeps versions in order when several operators change it at once', async () => {
    const { path, seats } = await smallTeam()
    await Promise.all(
      [3, 4, 5, 6].map((limit) => operations.put(`${path}/seats/limit`, { limit }, anOperator))
    )
    const stored = await testEnv.DB.prepare(
      'SELECT version, limit_seats AS "limit" FROM seatgate_entitlements WHERE organization_id = ?'
    )
      .bind(path.split('/')[2])
      .first<{ version: number; limit: number }>()
    expect(await seats()).toMatchObject({ version: stored?.version, limit: stored?.limit })
  })
})

describe('seats and members', () => {
  it('gives the last of the seats to exactly as many as there are [SEAT-2]', async () => {
    const { owner, organization, path, seats } = await smallTeam()
    await limitTo(organization, 5)
    const contenders = await people(10)
    const answers = await Promise.all(
      contenders.map(({ userId }) =>
        host.post(`${path}/members`, { userId, role: 'member' }, owner.token)
      )
    )
    const refused = answers.filter(({ status }) => status !== 201)
    expect(refused).toHaveLength(7)
    for (const answer of refused) {
      expect(await answer.json()).toMatchObject({ code: 'seat_limit_reached', limit: 5, used: 5 })
    }
    expect(await seats()).toMatchObject({ held: 5, available: 0 })
  })

  it('frees a seat before the removal is answered [SEAT-23]', async () => {
    const { owner, member, organization, path, join } = await smallTeam()
    await limitTo(organization, 2)
    expect((await join()).status).toBe(409)
    await host.delete(`${path}/members/${member.userId}`, owner.token)
    expect((await join()).status).toBe(201)
  })

  it('answers members that they are in before it counts [SEAT-12]', async () => {
    const { owner, member, organization, path } = await smallTeam()
    await limitTo(organization, 1)
    const add = (role: string) =>
      host.post(`${path}/members`, { userId: member.userId, role }, owner.token)
    expect((await add('member')).status).toBe(200)
    expect((await add('admin')).status).toBe(409)
    expect(await problem(await add('admin'))).toMatchObject({ code: 'already_member' })
  })
})
