import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { loadActiveOrganization, type Authenticate } from '../../../../src/hono/index.ts'
import {
  loadActiveOrganization as load,
  type Caller,
  type Seatgate,
} from '../../../../src/index.ts'
import {
  pointerOf,
  sessionOf,
  softDeleted,
  askWhere,
  belonging,
  callers,
  listening,
  losingTrips,
  queryOf,
  sessionRow,
  telling,
  testEnv,
  createKit,
  newUser,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })

/** A world that counts, and the answer of a host in it. */
async function asking(callerOf: (seatgate: Seatgate) => Caller | null) {
  const { trips, around } = listening()
  const { seatgate } = createKit({ provider: 'unlimited', around })
  const answer = await askWhere(seatgate, callerOf(seatgate))
  return { ...answer, trips }
}

const EMPTY = { organization: null, membership: null, role: null, permissions: [] }

describe('loadActiveOrganization()', () => {
  it('lets anonymous callers and users without a session through, and makes no query [PIPE-13 PIPE-22]', async () => {
    const userId = await newUser()
    for (const caller of [null, { userId }, { type: 'user', userId } as const]) {
      const { status, variables, trips } = await asking(() => caller)
      expect(status).toBe(200)
      expect(variables).toEqual({ caller, ...EMPTY })
      expect(trips).toEqual([])
    }
  })

  it('lets through an unknown session [PIPE-13 PIPE-22]', async () => {
    const gone = { id: 'no-such-session', activeOrganizationId: null }
    const { status, variables, trips } = await asking((seatgate) => queryOf(seatgate, gone))
    expect(status).toBe(200)
    expect(variables).toEqual({ caller: null, ...EMPTY })
    expect(trips).toHaveLength(1)
  })

  it.each(Object.entries(callers))(
    'does not move an empty pointer of a session of %s [PIPE-14 PIPE-22]',
    async (_kind, callerOf) => {
      const userId = await newUser()
      await belonging(userId, 1)
      const session = await sessionOf(userId)
      const row = await sessionRow(session)
      const { status, variables } = await asking((seatgate) =>
        callerOf(seatgate, { userId, session })
      )
      expect(status).toBe(200)
      expect(variables).toEqual({ caller: { userId, session }, ...EMPTY })
      expect(await sessionRow(session)).toEqual(row)
    }
  )

  it.each(Object.entries(callers))(
    'loads organization, membership and role of %s in one trip, and writes no row [PIPE-15]',
    async (_kind, callerOf) => {
      const userId = await newUser()
      const [first, second] = await belonging(userId, 2)
      await testEnv.DB.prepare(
        "UPDATE seatgate_memberships SET role = 'admin' WHERE organization_id = ?"
      )
        .bind(second!.id)
        .run()
      for (const [organization, role] of [
        [first!, 'member'],
        [second!, 'admin'],
      ] as const) {
        const session = await sessionOf(userId, organization.id)
        const row = await sessionRow(session)
        const { status, variables, trips } = await asking((seatgate) =>
          callerOf(seatgate, { userId, session })
        )
        expect(status).toBe(200)
        expect(variables).toMatchObject({
          caller: { userId, session },
          organization: { id: organization.id, slug: organization.slug },
          membership: { organizationId: organization.id, userId, role, status: 'active' },
          role,
        })
        expect(trips).toHaveLength(1)
        expect(trips[0]!.every((asked) => /^select /i.test(asked))).toBe(true)
        expect(await sessionRow(session)).toEqual(row)
      }
    }
  )

  it('reads a session’s own pointer, and no other session’s', async () => {
    const userId = await newUser()
    const [first, second] = await belonging(userId, 2)
    const sessions = [await sessionOf(userId, first!.id), await sessionOf(userId, second!.id)]
    const names = await Promise.all(
      sessions.map(async (session) => {
        const { organization } = await load(kit.seatgate, {
          caller: queryOf(kit.seatgate, session),
        })
        return organization?.id
      })
    )
    expect(names).toEqual([first!.id, second!.id])
  })

  it('loads the organization that a service account is bound to, without a membership', async () => {
    const organization = await kit.organization()
    const caller = {
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: organization.id,
      role: 'admin',
    } as const
    const there = await asking(() => caller)
    expect(there.variables).toMatchObject({
      caller,
      organization: { id: organization.id },
      membership: null,
      role: 'admin',
    })
    expect(there.trips).toHaveLength(1)
    await softDeleted(kit.seatgate, organization)
    const gone = await asking(() => caller)
    expect(gone.status).toBe(200)
    expect(gone.variables).toEqual({ caller, ...EMPTY })
    expect(gone.trips, 'nothing is mended for it').toHaveLength(1)
  })

  it('loads no row for the host itself', async () => {
    const { variables, trips } = await asking(() => ({ type: 'system' }))
    expect(variables).toEqual({ caller: { type: 'system' }, ...EMPTY })
    expect(trips).toEqual([])
  })

  it('answers 503 while D1 does not answer, instead of taking the caller for an anonymous one', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const session = await sessionOf(userId, home!.id)
    const reports: string[] = []
    const { seatgate } = createKit({
      provider: 'unlimited',
      around: losingTrips([1]),
      report: ({ event }) => reports.push(event),
    })
    const authenticate = () => ({ userId, session })
    const response = await telling(seatgate, { authenticate }).request('/where')
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('5')
    expect(await response.json()).toMatchObject({ code: 'unavailable' })
    expect(response.headers.getSetCookie()).toEqual([])
    expect(reports).toEqual(['store_unavailable'])
    expect(await pointerOf(session)).toBe(home!.id)
    const own = createKit({ provider: 'unlimited', around: losingTrips([1]) }).seatgate
    const onRefusal = () => new Response('Back soon.', { status: 500 })
    const page = await telling(own, { authenticate, onRefusal }).request('/where')
    expect([page.status, await page.text()]).toEqual([500, 'Back soon.'])
  })

  it('waits for a host that takes its time to name the caller', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const session = await sessionOf(userId, home!.id)
    const authenticate: Authenticate = async () => ({ userId, session })
    const response = await telling(kit.seatgate, { authenticate }).request('/where')
    expect(await response.json()).toMatchObject({ organization: { id: home!.id } })
  })

  it('throws at set-up, naming the missing or wrong argument [PIPE-23]', () => {
    const { seatgate } = kit
    const authenticate = () => null
    for (const options of [{}, { authenticate: undefined }, { authenticate: 'bearer' }]) {
      expect(() => loadActiveOrganization(seatgate, options as never)).toThrow(
        new TypeError('loadActiveOrganization: authenticate must be a function.')
      )
    }
    for (const onRefusal of [null, 'page', {}]) {
      expect(() =>
        loadActiveOrganization(seatgate, { authenticate, onRefusal: onRefusal as never })
      ).toThrow(new TypeError('loadActiveOrganization: onRefusal must be a function.'))
    }
  })

  it('throws where the host names a caller without an id', async () => {
    const app = new Hono()
      .use(loadActiveOrganization(kit.seatgate, { authenticate: () => ({ userId: '' }) }))
      .get('/', (c) => c.text('in'))
      .onError((error, c) => c.text(error.message, 500))
    expect(await (await app.request('/')).text()).toMatch(/has no caller/)
  })
})
