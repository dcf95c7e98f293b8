import { describe, expect, it } from 'vitest'
import {
  HostAdapterError,
  loadActiveOrganization,
  requireAdminScope,
  seatgateRouter,
  hostAdapter,
  type HostAdapter,
} from '../../../src/hono/index.ts'
import {
  addMember,
  forwardOrganization,
  listMembers,
  setSeatLimit,
  type Report,
} from '../../../src/index.ts'
import { testHostAdapter } from '../../../src/testing/index.ts'
import {
  adapterOf,
  createKit,
  failing,
  Hono,
  hostOf,
  newOrganization,
  newUsers,
  requestOf,
  stepUp,
  unwrap,
  users,
  type HostUser,
} from '../../kit/index.ts'

const codeOfError = (make: () => unknown) => {
  try {
    make()
    return null
  } catch (error) {
    return error instanceof HostAdapterError ? error.code : String(error)
  }
}

describe('the adapter at start', () => {
  it.each(['production', 'staging', 'preview', '', undefined])(
    'is refused with a stable code if it is missing and the environment is %j [BILL-2 BILL-3]',
    (environment) => {
      expect(codeOfError(() => hostOf(() => null, { environment }))).toBe('host_adapter_missing')
    }
  )

  it.each(['development', 'test'])(
    'may be absent in %s, and then admits no user [BILL-2]',
    async (environment) => {
      const host = hostOf(() => null, { environment })
      const headers = { 'x-user': 'admin' }
      expect(await requestOf((c) => host.authenticate(c), headers)).toBeNull()
      expect(await requestOf((c) => host.isAdmin(c), headers)).toBe(false)
    }
  )

  it.each(['currentUser', 'requireAdmin', 'userSchema', 'logAudit', 'actorId'] as const)(
    'is refused without %s, so that no request finds it missing [BILL-21]',
    (name) => {
      const adapter = { ...adapterOf(), [name]: undefined } as unknown as HostAdapter<HostUser>
      expect(codeOfError(() => hostOf(() => adapter))).toBe('host_adapter_incomplete')
    }
  )

  it.each(['stepUpChallenge', 'verifyStepUp'] as const)(
    'is refused with %s and not the other [BILL-12]',
    (name) => {
      const adapter = adapterOf({ [name]: stepUp[name] })
      expect(codeOfError(() => hostOf(() => adapter))).toBe('host_adapter_half_step_up')
    }
  )

  it('takes no unknown option and no wrong number', () => {
    expect(() => hostOf(() => adapterOf(), { enviroment: 'x' } as object)).toThrow(TypeError)
    expect(() => hostOf(() => adapterOf(), { freshSeconds: 0 })).toThrow(TypeError)
    expect(() => hostOf(() => adapterOf(), { mostAttempts: 1.5 })).toThrow(TypeError)
  })

  it('for tests is refused in production, here and by its own factory [BILL-19]', () => {
    for (const environment of ['production', 'staging', undefined]) {
      expect(() => testHostAdapter(environment)).toThrow(TypeError)
      const made = testHostAdapter('test') as unknown as HostAdapter<HostUser>
      expect(codeOfError(() => hostOf(() => made, { environment }))).toBe('host_adapter_test_only')
    }
  })
})

describe('the adapter in a request', () => {
  it('is resolved for each call, so a new one needs no rebuild [BILL-1]', async () => {
    let current = adapterOf()
    const host = hostOf(() => current)
    const guard = host.requireAdmin()
    const app = new Hono().use(guard).get('/', (c) => c.text('admin page'))
    const ask = async () => (await app.request('/', { headers: { 'x-user': 'admin' } })).status
    expect(await ask()).toBe(200)
    current = adapterOf({ isAdmin: () => false })
    expect(await ask()).toBe(403)
    current = adapterOf({ requireAdmin: () => async (c) => c.redirect('/sign-in') })
    expect(await ask()).toBe(302)
    current = null as unknown as HostAdapter<HostUser>
    expect(await ask()).toBe(403)
  })

  it('finds the user of a request or of a plain object, and null without scope [BILL-4]', async () => {
    const host = hostOf(() => adapterOf())
    expect(await requestOf((c) => host.authenticate(c))).toBeNull()
    expect(await requestOf((c) => host.authenticate(c), { 'x-user': 'ada' })).toEqual({
      userId: 'ada',
    })
    expect(adapterOf().currentUser({ userId: 'ada' })).toMatchObject({ id: 'ada' })
    expect(adapterOf().currentUser({})).toBeNull()
    const reports: Report[] = []
    const throwing = hostOf(() => adapterOf({ currentUser: failing }), {
      report: (report) => reports.push(report),
    })
    expect(await requestOf((c) => throwing.authenticate(c), { 'x-user': 'ada' })).toBeNull()
    expect(reports.map(({ event }) => event)).toEqual(['host_user_failed'])
  })

  it.each([
    [7, '7'],
    ['ada', 'ada'],
    [null, null],
    ['', null],
    [Number.NaN, null],
    [1.5, null],
    [{}, null],
  ])('has %j as the id %j [BILL-6]', async (id, userId) => {
    const host = hostOf(() => adapterOf({ currentUser: () => ({ id: id as string }) }))
    expect((await requestOf((c) => host.authenticate(c)))?.userId ?? null).toBe(userId)
  })

  it('rejects others than administrators before a handler runs, as the host chooses [BILL-5]', async () => {
    let handled = 0
    const admin = (guard: HostAdapter['requireAdmin']) =>
      new Hono()
        .use(hostOf(() => adapterOf({ requireAdmin: guard })).requireAdmin())
        .get('/', (c) => {
          handled += 1
          return c.text('admin page')
        })
    const ways: readonly (readonly [HostAdapter['requireAdmin'], number])[] = [
      [() => async (c) => c.text('no', 403), 403],
      [() => async (c) => c.redirect('/sign-in'), 302],
      [
        () => async () => {
          throw new Error('no')
        },
        500,
      ],
      // Answers with no response, and lets no request on.
      [() => async () => undefined, 403],
      [() => null as unknown as ReturnType<HostAdapter['requireAdmin']>, 403],
      [failing, 403],
    ]
    for (const [guard, status] of ways) {
      const app = admin(guard)
      app.onError((_error, c) => c.text('error', 500))
      expect((await app.request('/', { headers: { 'x-user': 'admin' } })).status).toBe(status)
    }
    expect(handled).toBe(0)
    expect(
      (await admin(adapterOf().requireAdmin).request('/', { headers: { 'x-user': 'admin' } }))
        .status
    ).toBe(200)
    expect(handled).toBe(1)
  })

  it.each([
    ['absent', undefined],
    ['throwing', failing],
    ['answering a truthy text', () => 'yes' as unknown as boolean],
    ['answering no', () => false],
  ])(
    'has no administrator with isAdmin %s, with any fields of the user [BILL-8]',
    async (_how, isAdmin) => {
      const adapter = adapterOf({
        currentUser: () => ({ id: 'ada', admin: true, role: 'admin' }) as HostUser,
      })
      const { isAdmin: _, ...without } = adapter
      const host = hostOf(() => (isAdmin ? { ...without, isAdmin } : without))
      expect(await requestOf((c) => host.authenticate(c))).toEqual({ userId: 'ada' })
      const app = new Hono().use(host.requireAdmin()).get('/', (c) => c.text('admin page'))
      expect((await app.request('/', { headers: { 'x-user': 'admin' } })).status).toBe(403)
    }
  )

  it('without a table of users shows no names and looks no user up [BILL-7]', async () => {
    for (const schema of [users, null]) {
      const host = hostOf(() => adapterOf({ userSchema: () => schema }))
      const kit = createKit({
        provider: 'd1',
        ...(host.users
          ? { users: host.users }
          : { users: null as never, emailVerification: null as never }),
      })
      const organization = await newOrganization(kit)
      const members = unwrap(
        await listMembers(kit.seatgate, organization.as(organization.owner), {})
      )
      expect(members.data[0]?.user?.email ?? null).toBe(
        schema && `${organization.owner}@example.com`
      )
      const input = { userId: 'no-user-of-this-name', role: 'member' }
      const added = await addMember(kit.seatgate, organization.as(organization.owner), input)
      expect(added.ok).toBe(schema === null)
    }
  })

  it('opens the operator routes only to administrators', async () => {
    const kit = createKit({ provider: 'd1' })
    const host = hostOf(() => adapterOf())
    const router = seatgateRouter(kit.seatgate, { authenticate: (c) => host.authenticate(c) })
    const ask = async (user: string) =>
      (await router.request('/operator/organizations', { headers: { 'x-user': user } })).status
    expect(await ask('ada')).toBe(403)
    expect(await ask('admin')).toBe(200)
  })

  it('answers the admin page of another organization as one that does not exist [BILL-18]', async () => {
    const kit = createKit({ provider: 'd1' })
    const own = await newOrganization(kit)
    const other = await newOrganization(kit)
    const [stranger = ''] = await newUsers(1)
    const host = hostOf(() => adapterOf({ isAdmin: ({ id }) => id === 'admin-1' }), {
      session: () => ({ id: 'session-1', activeOrganizationId: own.id }),
    })
    const app = new Hono()
      .use(loadActiveOrganization(kit.seatgate, { authenticate: (c) => host.authenticate(c) }))
      .get('/admin', requireAdminScope(kit.seatgate), (c) => c.text('all'))
      .get('/admin/:org', requireAdminScope(kit.seatgate), (c) => c.text('one'))
    const ask = async (user: string, path: string) => {
      const response = await app.request(path, { headers: user === '' ? {} : { 'x-user': user } })
      return [
        response.status,
        ((await response.json().catch(() => ({}))) as { code?: string }).code,
      ]
    }
    expect(await ask('', '/admin')).toEqual([401, 'unauthenticated'])
    expect(await ask(own.owner, `/admin/${own.id}`)).toEqual([200, undefined])
    expect(await ask(own.owner, '/admin')).toEqual([403, 'insufficient_role'])
    expect(await ask('admin-1', '/admin')).toEqual([200, undefined])
    const absent = [404, 'organization_not_found']
    expect(await ask(own.owner, `/admin/${other.id}`)).toEqual(absent)
    expect(await ask(own.owner, '/admin/no-such-organization')).toEqual(absent)
    expect(await ask(stranger, `/admin/${own.id}`)).toEqual(absent)
    expect(await ask('admin-1', `/admin/${other.id}`)).toEqual(absent)
  })
})

describe('the adapter for tests', () => {
  it('keeps a user for each test, and the actions that were logged [BILL-19]', async () => {
    const adapter = testHostAdapter('test')
    const other = testHostAdapter('test')
    adapter.signIn({ id: 'ada', admin: true })
    expect([adapter.currentUser({})?.id, other.currentUser({})]).toEqual(['ada', null])
    const host = hostAdapter({
      adapter: () => adapter as unknown as HostAdapter,
      environment: 'test',
    })
    expect(await requestOf((c) => host.authenticate(c))).toEqual({ userId: 'ada', operator: true })
    const kit = createKit({ provider: 'd1', sinks: [host.auditSink()] })
    const organization = await newOrganization(kit)
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    await forwardOrganization(kit.seatgate, organization.id)
    expect(adapter.logged).toMatchObject([
      { user: { id: 'operator' }, action: { action: 'seat.limit_changed' } },
    ])
    expect(other.logged).toEqual([])
  })
})
