import { Hono, type Context } from 'hono'
import { describe, expect, expectTypeOf, it } from 'vitest'
import {
  loadOrganizationFromSlug,
  RefusalException,
  requireRole,
  type OrganizationEnv,
} from '../../../src/hono/index.ts'
import type { Membership, Organization, Principal } from '../../../src/index.ts'
import {
  asUser,
  byName,
  clientOf,
  db,
  problem,
  seatgateWith,
  smallTeam,
  headersOf,
  testEnv,
} from '../../kit/index.ts'

const seatgate = seatgateWith()
const load = loadOrganizationFromSlug(seatgate, { authenticate: byName })

const app = new Hono()
  .get('/public', (c) => {
    expectTypeOf(c.var).not.toHaveProperty('organization')
    return c.json(Object.keys(c.var))
  })
  .use('/o/:org/*', load)
  .get('/o/:org/whoami', (c) => {
    expectTypeOf(c.var.organization).toEqualTypeOf<Organization>()
    expectTypeOf(c.var.membership).toEqualTypeOf<Membership | null>()
    expectTypeOf(c.var.caller).toEqualTypeOf<Principal>()
    const { caller, membership, organization } = c.var
    return c.json({ caller, membership, organization })
  })
  .get('/o/:org/owners', requireRole(seatgate, 'owner'), (c) => c.text(c.var.role))
  .get('/o/:org/members', requireRole(seatgate, 'member'), (c) => c.text('in'))
  .get('/o/:org/either', requireRole(seatgate, 'owner', 'member'), (c) => c.text('in'))

const client = clientOf((url, init) => app.request(url, init))

describe('loadOrganizationFromSlug()', () => {
  it('loads caller, organization and membership for a member, by id or slug', async () => {
    const { member, organization } = await smallTeam()
    for (const name of [organization.id, organization.slug.toUpperCase()]) {
      const response = await client.get(`/o/${name}/whoami`, asUser(member))
      expect(response.status).toBe(200)
      expect(await response.json()).toEqual({
        caller: { userId: member.userId, operator: false },
        organization,
        membership: {
          id: expect.any(String),
          organizationId: organization.id,
          userId: member.userId,
          role: 'member',
          status: 'active',
          createdAt: expect.any(String),
          updatedAt: expect.any(String),
        },
      })
    }
  })

  it('sets no variable on routes where it is not mounted', async () => {
    const response = await client.get('/public')
    expect(await response.json()).toEqual([])
  })

  it('answers 401 to an anonymous caller and 404 to strangers, operators and suspended members', async () => {
    const { candidate, member, organization } = await smallTeam()
    const path = `/o/${organization.id}/whoami`
    await testEnv.DB.prepare(
      "UPDATE seatgate_memberships SET status = 'suspended', seat_id = NULL WHERE user_id = ?"
    )
      .bind(member.userId)
      .run()
    expect(await problem(await client.get(path))).toMatchObject({
      status: 401,
      code: 'unauthenticated',
    })
    for (const token of [asUser(candidate), `operator:${candidate.userId}`, asUser(member)]) {
      expect(await problem(await client.get(path, token))).toMatchObject({
        status: 404,
        code: 'organization_not_found',
      })
    }
  })

  it('answers a stranger about an organization that exists as about one that does not', async () => {
    const { candidate, organization } = await smallTeam()
    const [there, nowhere] = await Promise.all(
      [organization.slug, 'no-such-slug'].map(async (name) => {
        const response = await client.get(`/o/${name}/whoami`, asUser(candidate))
        return [response.status, headersOf(response), await response.text()]
      })
    )
    expect(there).toEqual(nowhere)
  })

  it('reads another parameter if configured so', async () => {
    const { owner, organization: there } = await smallTeam()
    const other = new Hono()
      .use(
        '/t/:team/*',
        loadOrganizationFromSlug(seatgate, { authenticate: byName, parameter: 'team' })
      )
      .get('/t/:team/name', (c) => c.text(c.var.organization.name))
    const response = await other.request(`/t/${there.slug}/name`, {
      headers: { authorization: `Bearer ${asUser(owner)}` },
    })
    expect(await response.text()).toBe('Acme')
  })

  it('takes one round trip to D1', async () => {
    const { owner, organization: there } = await smallTeam()
    let trips = 0
    const counted = new Proxy(db, {
      get(target, key) {
        if (key === 'batch') trips += 1
        return Reflect.get(target, key, target)
      },
    })
    const own = new Hono()
      .use(
        '/o/:org/*',
        loadOrganizationFromSlug(seatgateWith({ database: counted }), { authenticate: byName })
      )
      .get('/o/:org/x', (c) => c.text('x'))
    trips = 0
    await own.request(`/o/${there.id}/x`, { headers: { authorization: `Bearer ${asUser(owner)}` } })
    expect(trips).toBe(1)
  })

  it('answers 503 and Retry-After while D1 does not answer', async () => {
    const reports: string[] = []
    const down = seatgateWith({
      database: new Proxy(db, {
        get: (target, key) =>
          key === 'batch'
            ? () => Promise.reject(new Error('reset'))
            : Reflect.get(target, key, target),
      }),
      report: ({ event }) => reports.push(event),
    })
    const own = new Hono().use('/o/:org', loadOrganizationFromSlug(down, { authenticate: byName }))
    const response = await own.request('/o/acme', { headers: { authorization: 'Bearer user:ada' } })
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await problem(response)).toMatchObject({ status: 503, code: 'unavailable' })
    expect(reports).toEqual(['store_unavailable'])
  })

  it('throws at start without authenticate', () => {
    expect(() => loadOrganizationFromSlug(seatgate, {} as never)).toThrow(
      /loadOrganizationFromSlug: authenticate/
    )
  })
})

describe('requireRole()', () => {
  it('is a set and not a hierarchy', async () => {
    const { owner, member, organization } = await smallTeam()
    const statusOf = async (end: string, token: string) =>
      (await client.get(`/o/${organization.id}/${end}`, token)).status
    expect(await statusOf('owners', asUser(owner))).toBe(200)
    expect(await statusOf('owners', asUser(member))).toBe(403)
    expect(await statusOf('either', asUser(member))).toBe(200)
    expect(await statusOf('members', asUser(owner))).toBe(403)
    await testEnv.DB.prepare("UPDATE seatgate_memberships SET role = 'admin' WHERE user_id = ?")
      .bind(member.userId)
      .run()
    expect(await statusOf('either', asUser(member))).toBe(403)
  })

  it('decides after absence: a stranger sees no roles', async () => {
    const { candidate, organization } = await smallTeam()
    const response = await client.get(`/o/${organization.id}/owners`, asUser(candidate))
    expect(await problem(response)).toMatchObject({ code: 'organization_not_found' })
  })

  it.each([
    [['emperor'], /requireMembership: "emperor"/],
    [['owner', 'emperor'], /requireMembership: "emperor"/],
    [[], /requireRole: pass at least one role/],
  ])('throws at start for %j', (roles, message) => {
    expect(() => requireRole(seatgate, ...roles)).toThrow(message)
  })

  it('needs the variables of loadOrganizationFromSlug() in its types', () => {
    const guard = requireRole(seatgate, 'owner')
    type Given = Parameters<typeof guard>[0]
    expectTypeOf<Given>().toEqualTypeOf<Context<OrganizationEnv>>()
  })
})

describe('RefusalException', () => {
  it('answers as a problem without any onError', async () => {
    const own = new Hono().get('/', () => {
      throw new RefusalException({ code: 'seat_limit_reached', limit: 5, used: 5 })
    })
    const response = await own.request('/')
    expect(response.status).toBe(409)
    expect(await response.json()).toMatchObject({ code: 'seat_limit_reached', limit: 5, used: 5 })
  })

  it('hands its refusal to a host with a format of its own', async () => {
    const { member, organization } = await smallTeam()
    const own = new Hono()
      .route('/', app)
      .onError((error, c) =>
        error instanceof RefusalException
          ? c.json({ no: error.refusal.code }, error.status)
          : c.text('?', 500)
      )
    const response = await own.request(`/o/${organization.id}/owners`, {
      headers: { authorization: `Bearer ${asUser(member)}` },
    })
    expect([response.status, await response.json()]).toEqual([403, { no: 'insufficient_role' }])
  })
})
