import { Hono } from 'hono'
import { describe, expect, it, vi } from 'vitest'
import {
  loadActiveOrganization,
  putActiveOrganization,
  type ScopeEnv,
  type ScopeVariables,
} from '../../../../src/hono/index.ts'
import {
  putActiveOrganization as put,
  suspendMember,
  type ActiveOrganization,
  type Caller,
  type RefusalOf,
  type Result,
  type Seatgate,
  type SessionStore,
  type SessionStoreRefusal,
} from '../../../../src/index.ts'
import {
  pointerOf,
  sessionOf,
  softDeleted,
  belonging,
  callers,
  deleteSession,
  listening,
  losingTrips,
  moveBy,
  movesOf,
  queryOf,
  sessionRow,
  sessionsElsewhere,
  testEnv,
  unwrap,
  createKit,
  join,
  newUser,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

/** Loads the scope, puts the pointer, and tells what was on `c.var` before and after. */
async function putting(configured: Seatgate, caller: Caller | null, organization: string | null) {
  const seen: { before?: ScopeVariables; after?: ScopeVariables; keys?: string[] } = {}
  let result: Result<ActiveOrganization> | undefined
  const response = await new Hono<ScopeEnv>()
    .use(loadActiveOrganization(configured, { authenticate: () => caller }))
    .put('/', async (c) => {
      seen.before = c.var
      const set = vi.spyOn(c, 'set')
      result = await putActiveOrganization(configured, c, organization)
      seen.keys = set.mock.calls.map(([key]) => key)
      seen.after = c.var
      return c.text('done')
    })
    .request('/', { method: 'PUT' })
  expect(response.headers.getSetCookie()).toEqual([])
  return { result: result!, before: seen.before!, after: seen.after!, keys: seen.keys! }
}

/** A user of two organizations whose session points at the first. */
async function commuter() {
  const userId = await newUser()
  const [from, to] = await belonging(userId, 2)
  const session = await sessionOf(userId, from!.id)
  return { userId, session, from: from!, to: to!, caller: { userId, session } }
}

describe.each(Object.entries(callers))('putActiveOrganization() of %s', (_kind, callerOf) => {
  it('moves the pointer, refreshes the scope, and touches no other row [PIPE-2 PIPE-11]', async () => {
    const who = await commuter()
    const { userId, session, to } = who
    const row = await sessionRow(session)
    const { result, after } = await putting(seatgate, callerOf(seatgate, who), to.id)
    const refreshed = { id: session.id, activeOrganizationId: to.id }
    const { organization, membership } = unwrap(result)
    expect(unwrap(result).session).toEqual(refreshed)
    expect(organization).toMatchObject({ id: to.id, slug: to.slug })
    expect(membership).toMatchObject({ organizationId: to.id, userId, role: 'member' })
    expect(after).toEqual({
      caller: { userId, session: refreshed },
      organization,
      membership,
      role: 'member',
      permissions: [],
    })
    expect(await sessionRow(session)).toEqual({ ...row, active_organization_id: to.id })
  })

  it('clears the pointer and empties the scope [PIPE-6]', async () => {
    const who = await commuter()
    const { userId, session } = who
    const { result, after } = await putting(seatgate, callerOf(seatgate, who), null)
    const cleared = { id: session.id, activeOrganizationId: null }
    expect(result).toEqual({
      ok: true,
      value: { session: cleared, organization: null, membership: null, permissions: [] },
    })
    expect(after).toEqual({
      caller: { userId, session: cleared },
      organization: null,
      membership: null,
      role: null,
      permissions: [],
    })
    expect(await pointerOf(session)).toBeNull()
  })

  it('takes the organization by its slug', async () => {
    const who = await commuter()
    const { result } = await putting(seatgate, callerOf(seatgate, who), who.to.slug.toUpperCase())
    expect(unwrap(result).organization?.id).toBe(who.to.id)
    expect(await pointerOf(who.session)).toBe(who.to.id)
  })

  it('takes a trip to read and one to write, and no third', async () => {
    const who = await commuter()
    const { trips, around } = listening()
    const heard = createKit({ provider: 'unlimited', around }).seatgate
    unwrap(await put(heard, { caller: callerOf(heard, who) }, who.to.id))
    expect(trips).toHaveLength(2)
    unwrap(await put(heard, { caller: queryOf(heard, who.session) }, who.to.id))
    expect(trips, 'it points there already').toHaveLength(3)
  })
})

describe('putActiveOrganization()', () => {
  it('puts each variable once [PIPE-3]', async () => {
    const { session, to } = await commuter()
    for (const organization of [to.id, null]) {
      const { keys } = await putting(seatgate, queryOf(seatgate, session), organization)
      expect(keys.toSorted()).toEqual([
        'caller',
        'membership',
        'organization',
        'permissions',
        'role',
      ])
    }
  })

  it('copies a role that it does not know, and leaves no role where there is no role [PIPE-7]', async () => {
    const { userId, session, to } = await commuter()
    const caller = queryOf(seatgate, session)
    await testEnv.DB.prepare("UPDATE seatgate_memberships SET role = 'Wizard 2' WHERE user_id = ?")
      .bind(userId)
      .run()
    expect((await putting(seatgate, caller, to.id)).after.role).toBe('Wizard 2')
    expect((await putting(seatgate, caller, null)).after.role).toBeNull()
  })

  it('leaves everything else about the caller as it was [PIPE-8]', async () => {
    const { userId, session, to } = await commuter()
    const person = { type: 'user', userId, operator: true, impersonatedBy: 'root' } as const
    for (const [organization, pointer] of [
      [to.id, to.id],
      [null, null],
    ] as const) {
      const pointing = { id: session.id, activeOrganizationId: await pointerOf(session) }
      const { result, after } = await putting(
        seatgate,
        { ...person, session: pointing },
        organization
      )
      unwrap(result)
      expect(after.caller).toEqual({
        ...person,
        session: { id: session.id, activeOrganizationId: pointer },
      })
    }
  })

  it('records each deliberate switch once, with both organizations [PIPE-12]', async () => {
    const { userId, session, from, to } = await commuter()
    const go = async (organization: string | null) =>
      unwrap(await put(seatgate, { caller: queryOf(seatgate, session) }, organization))
    const move = (of: string, a: string | null, b: string | null) =>
      moveBy(userId, of, 'active_switched', a, b)
    await go(to.id)
    await go(to.id)
    await go(to.slug)
    expect(await movesOf(to.id)).toEqual([move(to.id, from.id, to.id)])
    await go(null)
    await go(null)
    expect(await movesOf(to.id)).toEqual([move(to.id, from.id, to.id), move(to.id, to.id, null)])
    await go(from.id)
    expect(await movesOf(from.id)).toEqual([move(from.id, null, from.id)])
  })

  it('records the request, and the operator who acts as the user [PIPE-12]', async () => {
    const { userId, session, to } = await commuter()
    const caller = { userId, impersonatedBy: 'root', session }
    unwrap(await put(seatgate, { caller, requestId: 'ray-1' }, to.id))
    const event = await testEnv.DB.prepare(
      `SELECT actor_type, actor_id, effective_user_id, request_id FROM seatgate_audit_events
       WHERE organization_id = ? AND action = 'organization.active_switched'`
    )
      .bind(to.id)
      .first()
    expect(event).toEqual({
      actor_type: 'operator',
      actor_id: 'root',
      effective_user_id: userId,
      request_id: 'ray-1',
    })
  })

  it('moves no pointer without its event [PIPE-12]', async () => {
    const { caller, session, from, to } = await commuter()
    const around = losingTrips([2])
    const lossy = createKit({ provider: 'unlimited', around }).seatgate
    expect(await put(lossy, { caller }, to.id)).toEqual({
      ok: false,
      error: { code: 'unavailable' },
    })
    expect(await pointerOf(session)).toBe(from.id)
    expect(await movesOf(to.id)).toEqual([])
  })
})

describe('putActiveOrganization() refused', () => {
  const targets = {
    'is unknown': async () => 'no-such-organization',
    'has an id of no organization': async () => crypto.randomUUID(),
    'is somebody else’s': async () => (await kit.organization()).id,
    'is somebody else’s, by its slug': async () => (await kit.organization()).slug,
    'has suspended them': async (userId: string) => {
      const organization = await kit.organization()
      await join(kit, organization, 'member', userId)
      unwrap(await suspendMember(seatgate, organization.as(organization.owner), userId))
      return organization.id
    },
  }

  it.each(Object.entries(targets))(
    'leaves scope, pointer and store as they were where the organization %s [PIPE-4]',
    async (_how, targetOf) => {
      const { userId, session, caller, from } = await commuter()
      const target = await targetOf(userId)
      const elsewhere = sessionsElsewhere(session)
      const other = createKit({ provider: 'unlimited', sessions: elsewhere.store }).seatgate
      for (const configured of [seatgate, other]) {
        const { result, before, after, keys } = await putting(configured, caller, target)
        expect(result).toEqual({ ok: false, error: { code: 'not_a_member' } })
        expect(before.organization?.id).toBe(from.id)
        expect(after).toEqual(before)
        expect(keys).toEqual([])
      }
      expect(elsewhere.updates).toEqual([])
      expect(await pointerOf(session)).toBe(from.id)
      expect(await movesOf(from.id)).toEqual([])
    }
  )

  it('answers not_a_member for an organization that is deleted [PIPE-5]', async () => {
    const { caller, session, from, to } = await commuter()
    await softDeleted(seatgate, to)
    for (const name of [to.id, to.slug]) {
      const { result, after } = await putting(seatgate, caller, name)
      expect(result).toEqual({ ok: false, error: { code: 'not_a_member' } })
      expect(after.organization?.id).toBe(from.id)
    }
    expect(await pointerOf(session)).toBe(from.id)
  })

  it('moves no pointer into an organization that was deleted since the read [PIPE-5]', async () => {
    const { caller, session, from, to } = await commuter()
    let first = true
    const racing = createKit({
      provider: 'unlimited',
      async around({ asked }, run) {
        const writes = asked.some((sql) => sql.startsWith('update "seatgate_sessions"'))
        if (writes && first) {
          first = false
          await softDeleted(seatgate, to)
        }
        return run()
      },
    }).seatgate
    expect(await put(racing, { caller }, to.id)).toEqual({
      ok: false,
      error: { code: 'not_a_member' },
    })
    expect(await pointerOf(session)).toBe(from.id)
  })

  it('answers no_session to a caller without a session, for any organization [PIPE-9]', async () => {
    const { userId, session, to } = await commuter()
    const none = createKit({ provider: 'unlimited', sessions: 'none' }).seatgate
    for (const name of [to.id, 'no-such-organization', null]) {
      expect((await putting(seatgate, { userId }, name)).result).toEqual({
        ok: false,
        error: { code: 'no_session' },
      })
      expect((await putting(none, { userId, session }, name)).result).toEqual({
        ok: false,
        error: { code: 'no_session' },
      })
    }
  })

  it('answers no_scope to an anonymous caller, before any option is looked at [PIPE-9]', async () => {
    let result: unknown
    const unread = new Proxy({} as Seatgate, {
      get: (_target, key) => {
        throw new Error(`${String(key)} was read`)
      },
    })
    const app = new Hono()
      .get('/never-loaded', async (c) => {
        result = await putActiveOrganization(unread, c, 'acme')
        return c.json(Object.keys(c.var))
      })
      .use(loadActiveOrganization(seatgate, { authenticate: () => null }))
      .get('/nobody', async (c) => {
        result = await putActiveOrganization(unread, c as never, 'acme')
        return c.json(c.var)
      })
    expect(await (await app.request('/never-loaded')).json()).toEqual([])
    expect(result).toEqual({ ok: false, error: { code: 'no_scope' } })
    result = undefined
    expect(await (await app.request('/nobody')).json()).toEqual({
      caller: null,
      organization: null,
      membership: null,
      role: null,
      permissions: [],
    })
    expect(result).toEqual({ ok: false, error: { code: 'no_scope' } })
  })

  it('answers no_scope to a service account and to the host, and makes no change [PIPE-8 PIPE-9]', async () => {
    const { to } = await commuter()
    const machine = {
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: to.id,
      role: 'admin',
    } as const
    for (const caller of [machine, { type: 'system' } as const]) {
      for (const name of [to.id, null]) {
        const { result, before, after } = await putting(seatgate, caller, name)
        expect(result).toEqual({ ok: false, error: { code: 'no_scope' } })
        expect(after).toEqual(before)
        expect(after.caller).toEqual(caller)
      }
    }
  })

  it('answers not_found if the session has ended since the read [PIPE-10]', async () => {
    const { caller, session, to } = await commuter()
    await deleteSession(session)
    const { result, before, after } = await putting(seatgate, caller, to.id)
    expect(result).toEqual({ ok: false, error: { code: 'not_found' } })
    expect(after).toEqual(before)
    expect(await movesOf(to.id)).toEqual([])
  })

  it.each<RefusalOf<SessionStoreRefusal>>([
    { code: 'not_found' },
    { code: 'operation_in_progress' },
    { code: 'hook_refused', reason: 'read_only', detail: 'Sessions are frozen.' },
  ])('returns the refusal of the store: $code [PIPE-10]', async (error) => {
    const { caller, to } = await commuter()
    const store: SessionStore = {
      updateActiveOrganization: async () => ({ ok: false, error }),
      async endActiveOrganization() {},
    }
    const refusing = createKit({ provider: 'unlimited', sessions: store }).seatgate
    for (const name of [to.id, null]) {
      const { result, before, after } = await putting(refusing, caller, name)
      expect(result).toEqual({ ok: false, error })
      expect(after).toEqual(before)
    }
    expect(await movesOf(to.id)).toEqual([])
  })

  it.each([1, 2])('answers unavailable where D1 loses trip %i', async (trip) => {
    const { caller, to } = await commuter()
    const reports: string[] = []
    const lossy = createKit({
      provider: 'unlimited',
      around: losingTrips([trip]),
      report: ({ event }) => reports.push(event),
    }).seatgate
    expect(await put(lossy, { caller }, to.id)).toEqual({
      ok: false,
      error: { code: 'unavailable' },
    })
    expect(reports).toEqual(['store_unavailable'])
  })
})
