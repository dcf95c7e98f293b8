import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  loadOrganizationFromSlug,
  type Authenticate,
  type OrganizationEnv,
  type SlugOptions,
} from '../../../../src/hono/index.ts'
import type { Caller, Seatgate } from '../../../../src/index.ts'
import {
  host,
  postOrganization,
  people,
  type Person,
  pointerOf,
  sessionOf,
  askWhere,
  belonging,
  callers,
  listening,
  movesOf,
  sessionRow,
  testEnv,
  createKit,
  newUser,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

/** A host that tells who is in which organization. */
function telling(configured: Seatgate, caller: Caller | null, options: Partial<SlugOptions> = {}) {
  const authenticate: Authenticate = () => caller
  return new Hono<OrganizationEnv>()
    .use('/o/:org/*', loadOrganizationFromSlug(configured, { authenticate, ...options }))
    .all('/o/:org/where', (c) => c.json(c.var))
}

describe('loadOrganizationFromSlug()', () => {
  it.each(Object.entries(callers))(
    'loads the organization of the parameter org for %s, in one trip [PIPE-24 PIPE-26]',
    async (_kind, callerOf) => {
      const userId = await newUser()
      const [, home] = await belonging(userId, 2)
      const session = await sessionOf(userId)
      const { trips, around } = listening()
      const heard = createKit({ provider: 'unlimited', around }).seatgate
      const app = telling(heard, callerOf(heard, { userId, session }))
      for (const name of [home!.slug, home!.slug.toUpperCase(), home!.id, home!.id.toUpperCase()]) {
        trips.length = 0
        const response = await app.request(`/o/${name}/where`)
        expect(response.status).toBe(200)
        expect(response.headers.getSetCookie()).toEqual([])
        expect(await response.json()).toMatchObject({
          caller: { userId, session },
          organization: { id: home!.id, slug: home!.slug },
          membership: { organizationId: home!.id, userId, status: 'active' },
          role: 'member',
        })
        expect(trips).toHaveLength(1)
        expect(trips[0]!.every((asked) => asked.startsWith('select '))).toBe(true)
      }
    }
  )

  it('loads a service account only in its own organization [PIPE-26]', async () => {
    const [home, other] = [await kit.organization(), await kit.organization()]
    const machine = {
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: home.id,
      role: 'admin',
    } as const
    const app = telling(seatgate, machine)
    expect(await (await app.request(`/o/${home.slug}/where`)).json()).toMatchObject({
      caller: machine,
      organization: { id: home.id },
      membership: null,
      role: 'admin',
    })
    const foreign = await app.request(`/o/${other.slug}/where`)
    const unknown = await app.request('/o/no-such/where')
    expect([foreign.status, await foreign.text()]).toEqual([404, await unknown.text()])
  })

  it.each(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'])(
    'never moves the stored pointer, for any method: %s [PIPE-27]',
    async (method) => {
      const userId = await newUser()
      const homes = await belonging(userId, 2)
      for (const pointer of [null, homes[0]!.id, homes[1]!.id, 'stale']) {
        const session = await sessionOf(userId, pointer)
        const row = await sessionRow(session)
        const app = telling(seatgate, { userId, session })
        for (const { slug } of homes) {
          expect((await app.request(`/o/${slug}/where`, { method })).status).toBe(200)
        }
        await app.request('/o/no-such/where', { method })
        expect(await sessionRow(session)).toEqual(row)
      }
      for (const { id } of homes) expect(await movesOf(id)).toEqual([])
    }
  )

  it('is active for this request only [PIPE-27]', async () => {
    const userId = await newUser()
    const [stored, visited] = await belonging(userId, 2)
    const session = await sessionOf(userId, stored!.id)
    const caller = { userId, session }
    await telling(seatgate, caller).request(`/o/${visited!.slug}/where`)
    expect((await askWhere(seatgate, caller)).variables.organization?.id).toBe(stored!.id)
    expect(await pointerOf(session)).toBe(stored!.id)
  })

  it('does not move the pointer of the reference host’s session [PIPE-27]', async () => {
    const [owner] = (await people(1)) as [Person]
    const stored = await postOrganization(owner)
    const visited = await postOrganization(owner)
    await host.put('/active-organization', { organizationId: stored.id }, owner.token)
    const response = await host.get(`/o/${visited.slug}`, owner.token)
    expect(await response.json()).toEqual({ organization: visited, role: 'owner' })
    expect(response.headers.getSetCookie()).toEqual([])
    expect(await (await host.get('/active-organization', owner.token)).json()).toEqual({
      organization: stored,
      role: 'owner',
    })
  })

  it('replaces all that was on c.var before', async () => {
    const userId = await newUser()
    const [stored, visited] = await belonging(userId, 2)
    await testEnv.DB.prepare(
      "UPDATE seatgate_memberships SET role = 'admin' WHERE organization_id = ?"
    )
      .bind(visited!.id)
      .run()
    const caller = { userId, session: { id: 'any', activeOrganizationId: stored!.id } }
    const app = new Hono()
      .use(async (c, next) => {
        c.set('organization' as never, { id: 'before' } as never)
        c.set('role' as never, 'owner' as never)
        await next()
      })
      .route('/', telling(seatgate, caller))
    const response = await app.request(`/o/${visited!.slug}/where`)
    expect(await response.json()).toMatchObject({
      organization: { id: visited!.id },
      role: 'admin',
    })
  })

  it('reads another parameter if configured so [PIPE-24]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const authenticate = () => ({ userId })
    const app = new Hono()
      .use('/t/:team/:org', loadOrganizationFromSlug(seatgate, { authenticate, parameter: 'team' }))
      .get('/t/:team/:org', (c) => c.text(c.var.organization.id))
    expect(await (await app.request(`/t/${home!.slug}/no-such`)).text()).toBe(home!.id)
    expect((await app.request(`/t/no-such/${home!.slug}`)).status).toBe(404)
  })

  it('throws at set-up, naming the missing or wrong argument [PIPE-24]', () => {
    const authenticate = () => null
    const made = (options: object) => () => loadOrganizationFromSlug(seatgate, options as never)
    for (const options of [{}, { authenticate: null }, { authenticate: 'bearer' }]) {
      expect(made(options)).toThrow(
        new TypeError('loadOrganizationFromSlug: authenticate must be a function.')
      )
    }
    for (const parameter of ['', 7, null]) {
      expect(made({ authenticate, parameter })).toThrow(
        new TypeError('loadOrganizationFromSlug: parameter must be a name.')
      )
    }
    for (const onRefusal of [null, 'page', {}]) {
      expect(made({ authenticate, onRefusal })).toThrow(
        new TypeError('loadOrganizationFromSlug: onRefusal must be a function.')
      )
    }
    expect(made({ authenticate })).not.toThrow()
  })
})
