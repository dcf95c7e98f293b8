import { describe, expect, it } from 'vitest'
import {
  loadActiveOrganization,
  requireStepUp,
  stepUpRoutes,
  type HostAdapter,
  type OperatorAction,
} from '../../../src/hono/index.ts'
import { addMember, forwardOrganization, setSeatLimit } from '../../../src/index.ts'
import {
  adapterOf,
  createKit,
  failing,
  Hono,
  hostOf,
  logging,
  newOrganization,
  newUsers,
  seeded,
  stepUp,
  testEnv,
  unwrap,
} from '../../kit/index.ts'

const ways: readonly (readonly [string, HostAdapter['logAudit']])[] = [
  ['throws', failing],
  ['rejects', () => Promise.reject(new Error('The log is down.'))],
  ['hangs', () => new Promise(() => {})],
  ['answers junk', () => 'logged' as unknown],
  ['answers a failure', () => ({ ok: false })],
]

describe('log_audit raises: the third failure mode of the recipe', () => {
  it.each(ways)(
    'a log that %s changes neither status nor state, and counts one metric [BILL-9]',
    async (_how, logAudit) => {
      const { kit, failures } = logging(logAudit)
      const organization = await newOrganization(kit)
      const limited = await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 7 })
      expect(limited).toMatchObject({ ok: true, value: { limit: 7 } })
      await kit.settled()
      expect(failures()).toBe(0)
      await forwardOrganization(kit.seatgate, organization.id)
      expect(failures()).toBe(1)
      expect(await organizationLimit(organization.id)).toBe(7)
    }
  )
})

const organizationLimit = async (id: string) =>
  (
    await testEnv.DB.prepare(
      'SELECT limit_seats FROM seatgate_entitlements WHERE organization_id = ?'
    )
      .bind(id)
      .first<{ limit_seats: number }>()
  )?.limit_seats

describe('logAudit', () => {
  it('receives only the actions of operators, after their commit, once each [BILL-11]', async () => {
    const received: (readonly [string | null, OperatorAction, number | undefined])[] = []
    let organizationId = ''
    const { kit } = logging(async (user, action) => {
      received.push([user?.id ?? null, action, await organizationLimit(organizationId)])
      return { ok: true }
    })
    const organization = await newOrganization(kit)
    organizationId = organization.id
    const [userId = ''] = await newUsers(1)
    unwrap(
      await addMember(kit.seatgate, organization.as(organization.owner), { userId, role: 'member' })
    )
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 9 }))
    await forwardOrganization(kit.seatgate, organization.id)
    await forwardOrganization(kit.seatgate, organization.id)
    expect(
      received.map(([user, { action, organizationId: of }, limit]) => [user, action, of, limit])
    ).toEqual([['operator', 'seat.limit_changed', organization.id, 9]])
  })

  it('is tried again until it returns', async () => {
    let attempts = 0
    const { kit, advance } = logging(() => {
      attempts += 1
      if (attempts < 3) throw new Error('The log is down.')
    })
    const organization = await newOrganization(kit)
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 9 }))
    for (let run = 0; run < 5; run++) {
      await forwardOrganization(kit.seatgate, organization.id)
      advance(3600)
    }
    expect(attempts).toBe(3)
  })

  it('receives no secret, token, payload or body, with any proof [BILL-10]', async () => {
    const received: unknown[] = []
    const { kit, post } = logging((_user, action) => void received.push(action))
    const random = seeded(7)
    const secrets: string[] = []
    const secretValue = () => {
      const secret = `secret-${Math.floor(random() * 1e12).toString(36)}`
      secrets.push(secret)
      return secret
    }
    const keys = ['code', 'password', 'token', 'apiKey', 'body', 'deep']
    const anything = (depth: number): unknown => {
      if (depth === 0 || random() < 0.3) return secretValue()
      if (random() < 0.3) return Array.from({ length: 2 }, () => anything(depth - 1))
      return Object.fromEntries(
        keys.slice(0, 1 + Math.floor(random() * 6)).map((key) => [key, anything(depth - 1)])
      )
    }
    for (let run = 0; run < 40; run++) {
      await post(
        '/step-up',
        { action: 'billing.requeue', params: anything(3) },
        { user: `user-${run}` }
      )
    }
    await forwardOrganization(kit.seatgate, 'system')
    expect(received.length).toBeGreaterThan(39)
    expect(secrets.length).toBeGreaterThan(100)
    const text = JSON.stringify(received)
    expect(secrets.filter((secret) => text.includes(secret))).toEqual([])
    expect(text).not.toMatch(/password|token|apiKey|123456|session/i)
  })
})

describe('step-up', () => {
  const right = { action: 'billing.requeue', params: { code: '123456' } }
  const wrong = { action: 'billing.requeue', params: { code: '000000' } }

  /** An admin page behind the guard of a host. */
  function page({ kit, host }: Pick<ReturnType<typeof logging>, 'kit' | 'host'>) {
    const app = new Hono()
      .use(loadActiveOrganization(kit.seatgate, { authenticate: (c) => host.authenticate(c) }))
      .post('/admin/replay', requireStepUp(kit.seatgate, host), (c) => c.text('replayed'))
    return async ({ user = 'ada', session = 'one' } = {}) => {
      const headers = { 'x-user': user, 'x-session': session }
      return (await app.request('/admin/replay', { method: 'POST', headers })).status
    }
  }

  it('makes one session fresh for 300 s on the clock, and ends at log-out [BILL-15]', async () => {
    const test = logging(() => undefined)
    const replay = page(test)
    expect(await replay()).toBe(403)
    expect(await test.post('/step-up/challenge', { action: 'billing.requeue' })).toEqual([
      200,
      { kind: 'totp', action: 'billing.requeue' },
    ])
    expect(await replay()).toBe(403)
    expect((await test.post('/step-up', right))[0]).toBe(200)
    expect(await replay()).toBe(200)
    // Another session of the same user, and another user with this session.
    expect(await replay({ session: 'two' })).toBe(403)
    expect(await replay({ user: 'ben' })).toBe(403)
    test.advance(299)
    expect(await replay()).toBe(200)
    test.advance(1)
    expect(await replay()).toBe(403)
    expect((await test.post('/step-up', right))[0]).toBe(200)
    expect(await test.remove('/step-up')).toBe(204)
    expect(await replay()).toBe(403)
  })

  it('leaves no row behind once it no longer counts', async () => {
    const test = logging(() => undefined)
    const session = crypto.randomUUID()
    expect((await test.post('/step-up', right, { session }))[0]).toBe(200)
    const rows = () =>
      testEnv.DB.prepare('SELECT * FROM seatgate_step_ups WHERE session_id = ?').bind(session).all()
    expect((await rows()).results).toHaveLength(1)
    test.advance(301)
    await test.sweep()
    expect((await rows()).results).toEqual([])
  })

  it('records success and denial, and not an abandoned form [BILL-16]', async () => {
    const test = logging(() => undefined)
    const user = crypto.randomUUID()
    const own = async () =>
      (await test.events('operator.')).filter(({ actorId }) => actorId === user)
    expect(
      (await test.post('/step-up/challenge', { action: 'billing.requeue' }, { user }))[0]
    ).toBe(200)
    expect(await test.remove('/step-up', { user })).toBe(204)
    expect(await own()).toEqual([])
    const [status, { code }] = await test.post('/step-up', wrong, { user })
    expect([status, code]).toEqual([403, 'step_up_failed'])
    expect((await test.post('/step-up', right, { user }))[0]).toBe(200)
    const about = { user_id: user, act: 'billing.requeue' }
    expect(await own()).toMatchObject([
      { action: 'operator.step_up', outcome: 'success', metadata: about },
      { action: 'operator.step_up', outcome: 'failure', metadata: about },
    ])
  })

  it('takes five proofs in 15 minutes, in all sessions together, and records the cap once [BILL-17]', async () => {
    let checks = 0
    const test = logging(() => undefined)
    const user = crypto.randomUUID()
    const verify = test.host.verify
    Object.assign(test.host, {
      verify: (...given: Parameters<typeof verify>) => {
        checks += 1
        return verify(...given)
      },
    })
    const attempts = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        test.post('/step-up', wrong, { user, session: `session-${index}` })
      )
    )
    expect(attempts.filter(([status]) => status === 403)).toHaveLength(5)
    expect(attempts.filter(([status]) => status === 429)).toHaveLength(7)
    expect(checks).toBe(5)
    // Also the right one, until the window ends.
    expect(await test.post('/step-up', right, { user })).toMatchObject([
      429,
      { code: 'rate_limited', retryAfterSeconds: 900 },
    ])
    const blocked = (await test.events('operator.step_up_block')).filter(
      ({ actorId }) => actorId === user
    )
    expect(blocked).toMatchObject([{ outcome: 'failure', metadata: { attempts: 5 } }])
    test.advance(901)
    expect((await test.post('/step-up', right, { user }))[0]).toBe(200)
  })

  it('that fails itself is no success and counts', async () => {
    const test = logging(() => undefined)
    Object.assign(test.host, { verify: async () => failing() })
    const [status, { code }] = await test.post('/step-up', right)
    expect([status, code]).toEqual([503, 'unavailable'])
    expect(await page(test)()).toBe(403)
  })

  it.each([
    ['production', 403],
    ['staging', 403],
    ['development', 403],
    ['test', 200],
  ])(
    'that is not configured denies destructive actions in %s: %i [BILL-13 BILL-14]',
    async (environment, status) => {
      const kit = createKit({ provider: 'd1' })
      const host = hostOf(() => adapterOf(), {
        environment,
        session: () => ({ id: 'one', activeOrganizationId: null }),
      })
      expect(await page({ kit, host })()).toBe(status)
    }
  )

  it.each([
    ['production', 403],
    ['staging', 403],
    ['development', 403],
    ['test', 200],
  ])('is never approved by its own challenge in %s: %i [BILL-14]', async (environment, status) => {
    const kit = createKit({ provider: 'd1' })
    const approving = adapterOf({
      ...stepUp,
      stepUpChallenge: () => ({ kind: 'auto', approved: true }),
    })
    const session = crypto.randomUUID()
    const host = hostOf(() => approving, {
      environment,
      session: () => ({ id: session, activeOrganizationId: null }),
    })
    const routes = stepUpRoutes(kit.seatgate, host, { authenticate: (c) => host.authenticate(c) })
    const answered = await routes.request('/step-up/challenge', {
      method: 'POST',
      headers: { 'x-user': 'ada', 'content-type': 'application/json' },
      body: JSON.stringify({ action: 'billing.requeue' }),
    })
    expect(await answered.text()).not.toContain('approved')
    expect(await page({ kit, host })()).toBe(status)
  })

  it.each([
    [{}, 422],
    [{ action: 'Billing' }, 422],
    [{ action: 'x'.repeat(65) }, 422],
    [null, 422],
  ])('refuses the input %j', async (body, status) => {
    const test = logging(() => undefined)
    expect((await test.post('/step-up', body))[0]).toBe(status)
    expect((await test.post('/step-up/challenge', body))[0]).toBe(status)
  })
})
