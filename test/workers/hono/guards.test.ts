import { Hono, type MiddlewareHandler } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  loadActiveOrganization,
  loadOrganizationFromSlug,
  requireMembership,
  requireOrganizationMfa,
  requireRole,
  requireSudo,
  type Authenticate,
  type RequireMembershipOptions,
  type ScopeVariables,
} from '../../../src/hono/index.ts'
import type { Caller, Membership, Organization, Principal } from '../../../src/index.ts'
import {
  sessionOf,
  stalePointer,
  belonging,
  listening,
  createKit,
  newUser,
} from '../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })

/** D1 is never to be asked here: what is decided, is decided on what was loaded before. */
const { seatgate } = createKit({
  provider: 'unlimited',
  around: () => Promise.reject(new Error('D1 was asked')),
})

const NOW = '2031-02-03T04:05:06.789Z'

const acme: Organization = {
  id: 'acme-id',
  name: 'Acme',
  slug: 'acme',
  founderUserId: 'ada',
  personal: false,
  enforceMfaForMembers: false,
  createdAt: NOW,
  updatedAt: NOW,
}

function inAcme(role: string, userId = 'ada'): ScopeVariables {
  const membership: Membership = {
    id: 'membership-id',
    organizationId: acme.id,
    userId,
    role,
    status: 'active',
    createdAt: NOW,
    updatedAt: NOW,
  }
  return { caller: { userId }, organization: acme, membership, role, permissions: [] }
}

function machine(role: string, organizationId = acme.id): ScopeVariables {
  const caller: Principal = {
    type: 'service_account',
    serviceAccountId: 'importer',
    organizationId,
    role,
  }
  return { caller, organization: acme, membership: null, role, permissions: [] }
}

/** Sends a request with these variables through a guard, and tells what is behind it. */
async function through(guard: MiddlewareHandler, variables: Partial<ScopeVariables>) {
  const app = new Hono()
    .use(async (c, next) => {
      for (const [name, value] of Object.entries(variables)) c.set(name as never, value as never)
      await next()
    })
    .use(guard)
    .all('*', (c) => c.json({ behind: c.var }))
  const response = await app.request('/o/acme/settings')
  return { status: response.status, body: await response.json<object>() }
}

const UNAUTHENTICATED = {
  status: 401,
  body: {
    code: 'unauthenticated',
    status: 401,
    title: expect.any(String),
    type: expect.any(String),
  },
}

const NO_ORGANIZATION = {
  status: 409,
  body: {
    code: 'no_active_organization',
    status: 409,
    title: expect.any(String),
    type: expect.any(String),
  },
}

describe('requireMembership() at set-up', () => {
  it('names the role that is not configured [PIPE-35]', () => {
    for (const [roles, stranger] of [
      [['manager'], 'manager'],
      [['owner', 'Admin'], 'Admin'],
      [['owner', ''], ''],
      [[7], '7'],
      [['owner', null], 'null'],
      [[undefined], 'undefined'],
      [[{}], '[object Object]'],
    ] as const) {
      expect(() => requireMembership(seatgate, { roles: roles as never })).toThrow(
        new TypeError(`requireMembership: "${stranger}" is not a configured role.`)
      )
    }
  })

  it('takes a list of roles only [PIPE-35]', () => {
    for (const roles of ['owner', { owner: true }, new Set(['owner']), 7, null]) {
      expect(() => requireMembership(seatgate, { roles: roles as never })).toThrow(
        new TypeError('requireMembership: roles must be a list.')
      )
    }
  })

  it('takes only a function to answer refusals with [PIPE-35]', () => {
    for (const onRefusal of [null, 'page', {}, 7]) {
      expect(() => requireMembership(seatgate, { onRefusal: onRefusal as never })).toThrow(
        new TypeError('requireMembership: onRefusal must be a function.')
      )
    }
  })

  it('asks of requireRole at least one role, each configured [PIPE-35 PIPE-36]', () => {
    expect(() => requireRole(seatgate)).toThrow(
      new TypeError('requireRole: pass at least one role.')
    )
    expect(() => requireRole(seatgate, 'owner', 'boss')).toThrow(/"boss" is not a configured role/)
    expect(() => requireRole(seatgate, 'owner', 'admin', 'member')).not.toThrow()
  })

  it('takes no roles, any of the configured ones, and a host’s own [PIPE-36]', () => {
    const own = createKit({
      provider: 'unlimited',
      roles: ['captain', 'crew'],
      ownerRole: 'captain',
      invitationAdminRoles: ['captain'],
    }).seatgate
    const made: [typeof own, RequireMembershipOptions | undefined][] = [
      [seatgate, undefined],
      [seatgate, {}],
      [seatgate, { roles: [] }],
      [seatgate, { roles: ['member'] }],
      [seatgate, { roles: ['owner', 'admin', 'member'] }],
      [own, { roles: ['crew'] }],
    ]
    for (const [configured, options] of made) {
      expect(() => requireMembership(configured, options)).not.toThrow()
    }
    expect(() => requireMembership(own, { roles: ['member'] })).toThrow(/"member" is not a/)
  })
})

describe('requireMembership()', () => {
  it.each<[string, Partial<ScopeVariables>]>([
    ['there is no organization', { ...inAcme('owner'), organization: null }],
    ['there is no membership', { ...inAcme('owner'), membership: null }],
    ['there is no role', { ...inAcme('owner'), role: null }],
    ['a service account has no organization', { ...machine('admin'), organization: null }],
    ['a service account has no role', { ...machine('admin'), role: null }],
  ])('turns away, with roles and without, where %s [PIPE-37]', async (_how, variables) => {
    for (const options of [{}, { roles: ['owner'] }, { roles: ['owner', 'admin', 'member'] }]) {
      expect(await through(requireMembership(seatgate, options), variables)).toEqual(
        NO_ORGANIZATION
      )
    }
  })

  it.each<[string, Partial<ScopeVariables>]>([
    ['there is no caller', { caller: null, organization: null, membership: null, role: null }],
    ['there is no caller, but an organization', { ...inAcme('owner'), caller: null }],
    ['an anonymous caller asks', { ...inAcme('owner'), caller: { type: 'anonymous' } }],
  ])('answers unauthenticated, with roles and without, where %s [C3 PIPE-37]', async (...row) => {
    for (const options of [{}, { roles: ['owner'] }, { roles: ['owner', 'admin', 'member'] }]) {
      expect(await through(requireMembership(seatgate, options), row[1])).toEqual(UNAUTHENTICATED)
    }
  })

  it.each<[string, Partial<ScopeVariables>]>([
    ['nothing', {}],
    ['the caller alone', { caller: { userId: 'ada' } }],
    ['the organization alone', { organization: acme, role: 'owner' }],
  ])(
    'throws with the first request where its loader is missing: %s [C3]',
    async (_what, loaded) => {
      const guards: Record<string, MiddlewareHandler> = {
        requireMembership: requireMembership(seatgate),
        requireOrganizationMfa: requireOrganizationMfa(seatgate, { mfaCheck: () => true }),
        ...(!('caller' in loaded) && {
          requireSudo: requireSudo(seatgate, { isFresh: () => true }),
        }),
      }
      for (const [name, guard] of Object.entries(guards)) {
        const errors: Error[] = []
        const app = new Hono()
          .use(async (c, next) => {
            for (const [key, value] of Object.entries(loaded)) c.set(key as never, value as never)
            await next()
          })
          .use(guard)
          .all('*', (c) => c.text('in'))
          .onError((error, c) => c.text(String(errors.push(error)), 500))
        expect((await app.request('/')).status).toBe(500)
        expect(errors).toEqual([
          new TypeError(
            `${name}: put loadActiveOrganization or loadOrganizationFromSlug before it.`
          ),
        ])
      }
    }
  )

  it.each(['owner', 'admin', 'member', 'wizard'])(
    'lets every member in without roles, and makes no change: %s [PIPE-38 PIPE-41]',
    async (role) => {
      for (const options of [undefined, {}, { roles: [] }]) {
        const variables = inAcme(role)
        expect(await through(requireMembership(seatgate, options), variables)).toEqual({
          status: 200,
          body: { behind: variables },
        })
      }
    }
  )

  it('admits a role on the list, a set and not a hierarchy [PIPE-39 PIPE-40 PIPE-41]', async () => {
    const all = ['owner', 'admin', 'member']
    const lists = [['owner'], ['admin'], ['member'], ['owner', 'admin'], ['member', 'owner'], all]
    for (const roles of lists) {
      for (const guard of [
        requireMembership(seatgate, { roles }),
        requireRole(seatgate, ...roles),
      ]) {
        for (const role of [...all, 'wizard']) {
          const variables = inAcme(role)
          const { status, body } = await through(guard, variables)
          if (roles.includes(role)) {
            expect([status, body]).toEqual([200, { behind: variables }])
          } else {
            expect([status, body]).toMatchObject([
              403,
              { code: 'insufficient_role', requiredRoles: roles },
            ])
          }
        }
      }
    }
  })

  it('does not take an admin for an owner [PIPE-40]', async () => {
    expect(await through(requireRole(seatgate, 'owner'), inAcme('admin'))).toMatchObject({
      status: 403,
      body: { code: 'insufficient_role', requiredRoles: ['owner'] },
    })
  })

  it('checks the role of a service account like that of a user [PIPE-42]', async () => {
    const statusOf = async (role: string, ...roles: string[]) =>
      (await through(requireMembership(seatgate, { roles }), machine(role))).status
    expect(await statusOf('admin')).toBe(200)
    expect(await statusOf('admin', 'owner', 'admin')).toBe(200)
    expect(await statusOf('admin', 'owner')).toBe(403)
    expect(await statusOf('member', 'owner', 'admin')).toBe(403)
    expect(await statusOf('root', 'owner', 'admin', 'member')).toBe(403)
  })

  it('turns a service account away from an organization that is not its own [PIPE-42]', async () => {
    const foreign = machine('owner', 'other-id')
    for (const options of [{}, { roles: ['owner'] }]) {
      expect(await through(requireMembership(seatgate, options), foreign)).toEqual(NO_ORGANIZATION)
    }
  })

  it('answers as the host configures, and does not call the handler [PIPE-37 PIPE-39]', async () => {
    const seen: unknown[] = []
    const guard = requireMembership(seatgate, {
      roles: ['owner'],
      onRefusal: (c, refusal) => {
        seen.push(refusal)
        return c.json({ own: refusal.code }, 418)
      },
    })
    for (const variables of [{ ...inAcme('owner'), organization: null }, inAcme('admin')]) {
      expect((await through(guard, variables)).status).toBe(418)
    }
    expect(seen).toEqual([
      { code: 'no_active_organization' },
      { code: 'insufficient_role', requiredRoles: ['owner'] },
    ])
  })
})

describe('requireMembership() behind a loader', () => {
  /** A host with both loaders, and what it asked D1. */
  function hostOf(caller: Caller | null) {
    const { trips, around } = listening()
    const heard = createKit({ provider: 'unlimited', around }).seatgate
    const authenticate: Authenticate = () => caller
    const app = new Hono()
      .use('/active', loadActiveOrganization(heard, { authenticate }), requireMembership(heard))
      .use('/o/:org/*', loadOrganizationFromSlug(heard, { authenticate }))
      .use('/o/:org/admins', requireRole(heard, 'owner', 'admin'))
      .all('*', (c) => c.text('in'))
    return {
      trips,
      async statusOf(path: string) {
        trips.length = 0
        return (await app.request(path)).status
      },
    }
  }

  it('decides on the loaded organization: a stale pointer admits no user [PIPE-37 PIPE-38 PIPE-41]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const live = hostOf({ userId, session: await sessionOf(userId, home!.id) })
    expect(await live.statusOf('/active')).toBe(200)
    expect(live.trips).toHaveLength(1)
    const stale = hostOf((await stalePointer('the membership is suspended', 0)).caller)
    expect(await stale.statusOf('/active')).toBe(409)
    for (const caller of [{ userId }, { type: 'system' } as const]) {
      expect(await hostOf(caller).statusOf('/active')).toBe(409)
    }
  })

  it('answers 401 to a request without a session, before the organization [C3]', async () => {
    for (const caller of [null, { type: 'anonymous' } as const]) {
      expect(await hostOf(caller).statusOf('/active')).toBe(401)
    }
  })

  it('admits a service account to its own organization, with its role [PIPE-42]', async () => {
    const [home, other] = [await kit.organization(), await kit.organization()]
    const bound = (role: string) =>
      hostOf({
        type: 'service_account',
        serviceAccountId: 'importer',
        organizationId: home.id,
        role,
      })
    expect(await bound('admin').statusOf('/active')).toBe(200)
    expect(await bound('admin').statusOf(`/o/${home.slug}/admins`)).toBe(200)
    expect(await bound('member').statusOf(`/o/${home.slug}/admins`)).toBe(403)
    expect(await bound('owner').statusOf(`/o/${other.slug}/admins`)).toBe(404)
    expect(await bound('owner').statusOf(`/o/${other.slug}/x`)).toBe(404)
  })
})
