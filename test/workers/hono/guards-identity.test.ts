import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  loadOrganizationFromSlug,
  requireOrganizationMfa,
  requireSudo,
  type RequireMfaOptions,
  type RequireSudoOptions,
  type ScopeVariables,
} from '../../../src/hono/index.ts'
import { setMfaPolicy, type Principal, type Report } from '../../../src/index.ts'
import { listening, unwrap, createKit } from '../../kit/index.ts'

/** A world that must not ask D1, and what it reported. */
function quiet() {
  const reports: Report[] = []
  const { seatgate } = createKit({
    provider: 'unlimited',
    around: () => Promise.reject(new Error('D1 was asked')),
    report: (report) => reports.push(report),
  })
  return { seatgate, reports }
}

const { seatgate } = quiet()

const strict = { slug: 'acme', enforceMfaForMembers: true }
const lax = { slug: 'acme', enforceMfaForMembers: false }
const ada: Principal = { userId: 'ada' }
const machine: Principal = {
  type: 'service_account',
  serviceAccountId: 'importer',
  organizationId: 'acme-id',
  role: 'admin',
}

/** What a check may say that is not a plain yes. */
const RUBBISH: [string, unknown][] = [
  ['no', false],
  ['nothing', undefined],
  ['null', null],
  ['a number', 1],
  ['a text', 'true'],
  ['an object', { enrolled: true }],
  ['a list', [true]],
  ['a boxed yes', Object(true)],
]

const FAILURES: [string, () => never | Promise<never>][] = [
  [
    'throws',
    () => {
      throw new Error('no such table')
    },
  ],
  ['rejects', () => Promise.reject(new Error('no such table'))],
  [
    'throws what is no error',
    () => {
      throw null
    },
  ],
]

type Loose = Readonly<Record<string, unknown>>

/** Sends a request to a page behind a guard. */
async function visit(
  guard: ReturnType<typeof requireSudo>,
  variables: Loose,
  path = '/o/acme/settings?tab=2&x=%2F'
) {
  const app = new Hono<{ Variables: ScopeVariables }>()
    .use(async (c, next) => {
      for (const [name, value] of Object.entries(variables)) c.set(name as never, value as never)
      await next()
    })
    .use(guard)
    .all('*', (c) => c.json({ behind: c.var }))
  const response = await app.request(`https://app.example${path}`)
  return { status: response.status, body: await response.json<object>() }
}

describe('requireOrganizationMfa()', () => {
  const guard = (mfaCheck: unknown, more: Partial<RequireMfaOptions> = {}, of = seatgate) =>
    requireOrganizationMfa(of, { mfaCheck: mfaCheck as never, ...more })
  const refusedAt = (returnTo: string, enrollmentPath = '/users/settings/mfa') => ({
    status: 403,
    body: {
      type: 'urn:seatgate:refusal:org_mfa_required',
      title: expect.any(String),
      status: 403,
      code: 'org_mfa_required',
      enrollmentPath,
      returnTo,
    },
  })
  const BACK = '/o/acme/settings?tab=2&x=%2F'

  it('throws at set-up, naming the missing or wrong argument [PIPE-43]', () => {
    for (const options of [{}, { mfaCheck: true }, { mfaCheck: null }, { mfaCheck: 'has_mfa' }]) {
      expect(() => requireOrganizationMfa(seatgate, options as never)).toThrow(
        new TypeError('requireOrganizationMfa: mfaCheck must be a function.')
      )
    }
    for (const onRefusal of [null, 'page', {}]) {
      expect(() => guard(() => true, { onRefusal: onRefusal as never })).toThrow(
        new TypeError('requireOrganizationMfa: onRefusal must be a function.')
      )
    }
  })

  it.each<[string, Loose]>([
    ['there is no caller', { caller: null, organization: strict }],
    ['there is no organization', { caller: ada, organization: null }],
    ['a service account asks', { caller: machine, organization: strict }],
    ['the host itself asks', { caller: { type: 'system' }, organization: strict }],
    ['there is no such policy', { caller: ada, organization: lax }],
  ])('lets through without asking where %s [PIPE-44]', async (_how, variables) => {
    const asked: string[] = []
    const { status, body } = await visit(
      guard((userId: string) => asked.push(userId)),
      variables
    )
    expect([status, body]).toEqual([200, { behind: variables }])
    expect(asked).toEqual([])
  })

  it('admits a user with a second factor, asked by their id [PIPE-44]', async () => {
    const asked: unknown[] = []
    const variables = { caller: ada, organization: strict }
    for (const mfaCheck of [
      (...told: unknown[]) => asked.push(told) > 0,
      async (...told: unknown[]) => asked.push(told) > 0,
    ]) {
      expect((await visit(guard(mfaCheck), variables)).status).toBe(200)
    }
    expect(asked).toEqual([['ada'], ['ada']])
  })

  it.each(RUBBISH)(
    'turns away a caller without a second factor, if the check returns %s [PIPE-45]',
    async (_what, said) => {
      for (const mfaCheck of [() => said, async () => said]) {
        expect(await visit(guard(mfaCheck), { caller: ada, organization: strict })).toEqual(
          refusedAt(BACK)
        )
      }
    }
  )

  it.each(FAILURES)(
    'turns every user away and reports it where the check %s [PIPE-45]',
    async (_how, check) => {
      const { seatgate: watched, reports } = quiet()
      const answer = await visit(guard(check, {}, watched), { caller: ada, organization: strict })
      expect(answer).toEqual(refusedAt(BACK))
      expect(reports.map(({ event }) => event)).toEqual(['mfa_check_failed'])
    }
  )

  it('redirects them to the host’s enrollment path [PIPE-43 PIPE-45]', async () => {
    const own = guard(() => false, { enrollmentPath: '/me/security' })
    expect(await visit(own, { caller: ada, organization: strict })).toEqual(
      refusedAt(BACK, '/me/security')
    )
  })

  it.each([
    '//evil.example',
    '//evil.example/a?b=c',
    '///evil.example',
    '/\\evil.example',
    '/.//evil.example',
  ])('does not take %j for a way back [PIPE-46]', async (path) => {
    expect(
      await visit(
        guard(() => false),
        { caller: ada, organization: strict },
        path
      )
    ).toEqual(refusedAt('/organizations/acme'))
  })

  it('answers as the host configures, and does not call the handler [PIPE-45]', async () => {
    const onRefusal: RequireMfaOptions['onRefusal'] = (c, refusal) => c.json({ refusal }, 418)
    const own = guard(() => false, { onRefusal })
    expect(await visit(own, { caller: ada, organization: strict })).toEqual({
      status: 418,
      body: {
        refusal: {
          code: 'org_mfa_required',
          enrollmentPath: '/users/settings/mfa',
          returnTo: BACK,
        },
      },
    })
  })

  it('holds members to a policy from the next request on, at no trip of its own [PIPE-44 PIPE-45]', async () => {
    const kit = createKit({ provider: 'unlimited' })
    const { slug, owner, as } = await kit.organization()
    const { trips, around } = listening()
    const heard = createKit({ provider: 'unlimited', around }).seatgate
    const app = new Hono()
      .use(
        '/o/:org/*',
        loadOrganizationFromSlug(heard, { authenticate: () => ({ userId: owner }) })
      )
      .use(requireOrganizationMfa(heard, { mfaCheck: () => false }))
      .get('*', (c) => c.text('in'))
    expect((await app.request(`/o/${slug}/x`)).status).toBe(200)
    const mfaCheck = (_userId: string) => true
    unwrap(await setMfaPolicy(kit.seatgate, as(owner), { enabled: true }, { mfaCheck }))
    const turnedAway = await app.request(`/o/${slug}/x?y=z`)
    expect(await turnedAway.json()).toMatchObject({ returnTo: `/o/${slug}/x?y=z` })
    expect(trips).toHaveLength(2)
    unwrap(await setMfaPolicy(kit.seatgate, as(owner), { enabled: false }))
    expect((await app.request(`/o/${slug}/x`)).status).toBe(200)
  })
})

describe('requireSudo()', () => {
  const guard = (isFresh: unknown, more: Partial<RequireSudoOptions> = {}, of = seatgate) =>
    requireSudo(of, { isFresh: isFresh as never, ...more })
  const STALE = {
    status: 403,
    body: {
      type: 'urn:seatgate:refusal:stale_sudo',
      title: expect.any(String),
      status: 403,
      code: 'stale_sudo',
    },
  }

  it('throws at set-up, naming the missing or wrong argument', () => {
    for (const options of [{}, { isFresh: true }, { isFresh: null }]) {
      expect(() => requireSudo(seatgate, options as never)).toThrow(
        new TypeError('requireSudo: isFresh must be a function.')
      )
    }
    expect(() => guard(() => true, { onRefusal: 'page' as never })).toThrow(
      new TypeError('requireSudo: onRefusal must be a function.')
    )
  })

  it('admits a user with a fresh proof of identity', async () => {
    const asked: unknown[] = []
    for (const isFresh of [
      (c: { req: { path: string } }, caller: unknown) => asked.push([c.req.path, caller]) > 0,
      async (c: { req: { path: string } }, caller: unknown) => asked.push([c.req.path, caller]) > 0,
    ]) {
      const answer = await visit(guard(isFresh), { caller: ada })
      expect(answer).toEqual({ status: 200, body: { behind: { caller: ada } } })
    }
    expect(asked).toEqual([
      ['/o/acme/settings', ada],
      ['/o/acme/settings', ada],
    ])
  })

  it.each<[string, Loose]>([
    ['is a service account', { caller: machine }],
    ['is the host itself', { caller: { type: 'system' } }],
  ])('turns away a caller who %s, without a query', async (_who, variables) => {
    let asked = 0
    expect(
      await visit(
        guard(() => ++asked > 0),
        variables
      )
    ).toEqual(STALE)
    expect(asked).toBe(0)
  })

  it.each<[string, Loose]>([
    ['there is no caller', { caller: null }],
    ['an anonymous caller asks', { caller: { type: 'anonymous' } }],
  ])('answers unauthenticated, without asking, where %s [C3]', async (_who, variables) => {
    let asked = 0
    const { status, body } = await visit(
      guard(() => ++asked > 0),
      variables
    )
    expect([status, body]).toMatchObject([401, { code: 'unauthenticated' }])
    expect(asked).toBe(0)
  })

  it.each(RUBBISH)('turns people away if the check returns %s', async (_what, said) => {
    for (const isFresh of [() => said, async () => said]) {
      expect(await visit(guard(isFresh), { caller: ada })).toEqual(STALE)
    }
  })

  it.each(FAILURES)('turns people away and reports it where the check %s', async (_how, check) => {
    const { seatgate: watched, reports } = quiet()
    expect(await visit(guard(check, {}, watched), { caller: ada })).toEqual(STALE)
    expect(reports.map(({ event }) => event)).toEqual(['sudo_check_failed'])
  })

  it('answers as the host configures, and does not call the handler', async () => {
    const onRefusal: RequireSudoOptions['onRefusal'] = (c, refusal) => c.json({ refusal }, 418)
    expect(
      await visit(
        guard(() => false, { onRefusal }),
        { caller: ada }
      )
    ).toEqual({
      status: 418,
      body: { refusal: { code: 'stale_sudo' } },
    })
  })
})
