import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { loadOrganizationFromSlug } from '../../../../src/hono/index.ts'
import {
  restoreOrganization,
  updateSlug,
  type Caller,
  type Seatgate,
} from '../../../../src/index.ts'
import {
  type FlatOptions,
  host,
  postMember,
  postOrganization,
  people,
  type Person,
  freshSlug,
  pointerOf,
  sessionOf,
  softDeleted,
  belonging,
  callers,
  listening,
  movesOf,
  testEnv,
  unwrap,
  createKit,
  join,
  newUser,
  operator,
  PASSWORD,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

async function rename(
  { as, owner }: Pick<TestOrganization, 'as' | 'owner'>,
  from: string,
  to = freshSlug(),
  by: Seatgate = seatgate
): Promise<string> {
  const input = { slug: to, confirmSlug: from, password: PASSWORD }
  return unwrap(await updateSlug(by, as(owner), input)).slug
}

function hostOf(caller: Caller, configured = seatgate) {
  return new Hono()
    .use('/o/:org/*', loadOrganizationFromSlug(configured, { authenticate: () => caller }))
    .all('/o/:org/*', (c) => c.text('in'))
}

/** A member, and their organization under its old and its new slug. */
async function moved() {
  const userId = await newUser()
  const [organization] = await belonging(userId, 1)
  const newSlug = await rename(organization!, organization!.slug)
  const session = await sessionOf(userId)
  return { userId, session, organization: organization!, oldSlug: organization!.slug, newSlug }
}

const locationOf = (response: Response) => response.headers.get('location')

describe('an old slug, for a member', () => {
  it.each([
    ['GET', 302],
    ['HEAD', 302],
    ['POST', 307],
    ['PUT', 307],
    ['PATCH', 307],
    ['DELETE', 307],
    ['OPTIONS', 307],
  ])(
    'redirects %s with %i: no-store, no body, no cookie [PIPE-30 PIPE-31]',
    async (method, status) => {
      const { userId, oldSlug, newSlug } = await moved()
      const response = await hostOf({ userId }).request(`/o/${oldSlug}/a/b?c=d&e`, {
        method,
        ...(status === 307 && method !== 'OPTIONS' && { body: 'x=1' }),
      })
      expect(response.status).toBe(status)
      expect(Object.fromEntries(response.headers)).toEqual({
        'cache-control': 'no-store',
        location: `/o/${newSlug}/a/b?c=d&e`,
      })
      expect(await response.text()).toBe('')
      expect(locationOf(response)).not.toContain(oldSlug)
    }
  )

  it.each(Object.entries(callers))(
    'redirects %s in one trip [PIPE-30]',
    async (_kind, callerOf) => {
      const { userId, session, oldSlug, newSlug } = await moved()
      const { trips, around } = listening()
      const heard = createKit({ provider: 'unlimited', around }).seatgate
      const app = hostOf(callerOf(heard, { userId, session }), heard)
      expect(locationOf(await app.request(`/o/${oldSlug}/x`))).toBe(`/o/${newSlug}/x`)
      expect(trips).toHaveLength(1)
    }
  )

  it('redirects to a page that answers [PIPE-30]', async () => {
    const { userId, oldSlug } = await moved()
    const app = hostOf({ userId })
    const there = await app.request(locationOf(await app.request(`/o/${oldSlug}/x`))!)
    expect([there.status, await there.text()]).toEqual([200, 'in'])
  })

  it('moves no pointer and records no event [PIPE-27 PIPE-30]', async () => {
    const { userId, session, organization, oldSlug } = await moved()
    await hostOf({ userId, session }).request(`/o/${oldSlug}/x`)
    expect(await pointerOf(session)).toBeNull()
    expect(await movesOf(organization.id)).toEqual([])
  })

  it('keeps the rest of the path and the query byte for byte [PIPE-32]', async () => {
    const { userId, oldSlug, newSlug } = await moved()
    const app = hostOf({ userId })
    for (const [from, to] of [
      [`/${oldSlug}/x/${oldSlug}`, `/${newSlug}/x/${oldSlug}`],
      [`/${oldSlug}/caf%C3%A9/%2F/a%20b//c/`, `/${newSlug}/caf%C3%A9/%2F/a%20b//c/`],
      [`/${oldSlug}//evil.example`, `/${newSlug}//evil.example`],
      [`/${oldSlug}?org=${oldSlug}`, `/${newSlug}?org=${newSlug}`],
      [`/${oldSlug}?org=${oldSlug}2&q=${oldSlug}`, `/${newSlug}?org=${oldSlug}2&q=${oldSlug}`],
      [`/${oldSlug}?a=%20+b&&c==&org`, `/${newSlug}?a=%20+b&&c==&org`],
      [`/${oldSlug.toUpperCase()}/x`, `/${newSlug}/x`],
      [`/%${oldSlug.charCodeAt(0).toString(16)}${oldSlug.slice(1)}/x`, `/${newSlug}/x`],
    ] as const) {
      expect(locationOf(await app.request(`/o${from}`)), from).toBe(`/o${to}`)
    }
  })

  it('does not mangle a path that holds the slug elsewhere [PIPE-32]', async () => {
    const userId = await newUser()
    const [organization] = await belonging(userId, 1)
    await rename(organization!, organization!.slug, 'org')
    const newSlug = await rename(organization!, 'org', freshSlug())
    const authenticate = () => ({ userId })
    const app = new Hono().use('/org/:org/*', loadOrganizationFromSlug(seatgate, { authenticate }))
    expect(locationOf(await app.request('/org/org/x?org=old2'))).toBe(`/org/${newSlug}/x?org=old2`)
    expect(locationOf(await app.request('/org/org?org=org'))).toBe(`/org/${newSlug}?org=${newSlug}`)
  })

  it('finds its place in a sub-app, under a base path and in a pattern [PIPE-32]', async () => {
    const { userId, oldSlug, newSlug } = await moved()
    const load = loadOrganizationFromSlug(seatgate, { authenticate: () => ({ userId }) })
    const bare = new Hono().use('/:org/*', load)
    const ways: [Pick<Hono, 'request'>, string][] = [
      [new Hono().route('/api', new Hono().route('/v1', bare)), '/api/v1/'],
      [new Hono().basePath('/app').route('/o', bare), '/app/o/'],
      [new Hono().use('/t/:org{[a-z0-9-]+}/*', load), '/t/'],
      [new Hono().use('/t/:org{[^/]+}/*', load), '/t/'],
      [new Hono().get('/s/:org/x', load, (c) => c.text('in')), '/s/'],
      [new Hono().route(`/${oldSlug}`, bare), `/${oldSlug}/`],
    ]
    for (const [app, before] of ways) {
      const response = await app.request(`${before}${oldSlug}/x?y=z`)
      expect([response.status, locationOf(response)]).toEqual([302, `${before}${newSlug}/x?y=z`])
    }
  })

  it('leads from each of several old slugs to the present one, in one hop [PIPE-34]', async () => {
    const { userId, organization, oldSlug, newSlug } = await moved()
    const third = await rename(organization, newSlug)
    const fourth = await rename(organization, third)
    const app = hostOf({ userId })
    for (const slug of [oldSlug, newSlug, third]) {
      expect(locationOf(await app.request(`/o/${slug}/x`))).toBe(`/o/${fourth}/x`)
    }
    expect((await app.request(`/o/${fourth}/x`)).status).toBe(200)
  })

  it('does not redirect from a slug that the organization has again [PIPE-33]', async () => {
    const { userId, organization, oldSlug, newSlug } = await moved()
    await rename(organization, newSlug, oldSlug)
    const app = hostOf({ userId })
    expect((await app.request(`/o/${oldSlug}/x`)).status).toBe(200)
    expect(locationOf(await app.request(`/o/${newSlug}/x`))).toBe(`/o/${oldSlug}/x`)
  })

  it('does not redirect from an alias of the current slug to itself [PIPE-33]', async () => {
    const { userId, oldSlug, newSlug } = await moved()
    await testEnv.DB.prepare(
      'UPDATE seatgate_organization_slug_aliases SET old_slug = ? WHERE old_slug = ?'
    )
      .bind(newSlug, oldSlug)
      .run()
    expect((await hostOf({ userId }).request(`/o/${newSlug}/x`)).status).toBe(200)
  })

  it('loses to an organization of theirs that has the slug now [PIPE-33]', async () => {
    const { userId, organization, oldSlug } = await moved()
    await softDeleted(seatgate, organization)
    const successor = await kit.organization()
    await join(kit, successor, 'member', userId)
    await rename(successor, successor.slug, oldSlug)
    unwrap(await restoreOrganization(seatgate, { caller: operator }, organization.id))
    const app = new Hono()
      .use('/o/:org', loadOrganizationFromSlug(seatgate, { authenticate: () => ({ userId }) }))
      .get('/o/:org', (c) => c.text(c.var.organization.id))
    expect(await (await app.request(`/o/${oldSlug}`)).text()).toBe(successor.id)
  })

  it('loses to a foreign organization that has the slug now [PIPE-33]', async () => {
    const { userId, organization, oldSlug } = await moved()
    await softDeleted(seatgate, organization)
    const successor = await kit.organization()
    await rename(successor, successor.slug, oldSlug)
    unwrap(await restoreOrganization(seatgate, { caller: operator }, organization.id))
    const response = await hostOf({ userId }).request(`/o/${oldSlug}/x`)
    expect([response.status, locationOf(response)]).toEqual([404, null])
  })

  it('redirects every member, and no other caller [PIPE-28 PIPE-30]', async () => {
    const { organization, oldSlug, newSlug } = await moved()
    const machine: Caller = {
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: (await kit.organization()).id,
      role: 'owner',
    }
    for (const caller of [
      { userId: organization.owner },
      { userId: await join(kit, organization) },
    ]) {
      expect(locationOf(await hostOf(caller).request(`/o/${oldSlug}/x`))).toBe(`/o/${newSlug}/x`)
    }
    for (const caller of [{ userId: await newUser() }, operator, machine]) {
      const response = await hostOf(caller).request(`/o/${oldSlug}/x`)
      expect([response.status, locationOf(response)]).toEqual([404, null])
    }
  })

  it('redirects to the last millisecond of its days, and not longer [PIPE-29 PIPE-30]', async () => {
    const clock = { now: Date.now() }
    const options: Partial<FlatOptions> = { slugAliasDays: 2, now: () => new Date(clock.now) }
    const clocked = createKit({ provider: 'unlimited', ...options }).seatgate
    const userId = await newUser()
    const [organization] = await belonging(userId, 1)
    const oldSlug = organization!.slug
    const newSlug = await rename(organization!, oldSlug, freshSlug(), clocked)
    const app = hostOf({ userId }, clocked)
    clock.now += 2 * 24 * 60 * 60 * 1000 - 1
    expect(locationOf(await app.request(`/o/${oldSlug}/x`))).toBe(`/o/${newSlug}/x`)
    clock.now += 1
    expect((await app.request(`/o/${oldSlug}/x`)).status).toBe(404)
  })

  it('answers 503 and not 404 while D1 does not answer', async () => {
    const { userId, oldSlug } = await moved()
    const down = createKit({
      provider: 'unlimited',
      around: () => Promise.reject(new Error('Network connection lost.')),
    }).seatgate
    const response = await hostOf({ userId }, down).request(`/o/${oldSlug}/x`)
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  })

  it('writes a slug of other letters as a URL has it', async () => {
    const slugFormat = /^[\p{Ll}0-9-]+$/u
    const anyLetters = createKit({ provider: 'unlimited', slugFormat }).seatgate
    const userId = await newUser()
    const [organization] = await belonging(userId, 1)
    await rename(organization!, organization!.slug, 'строй', anyLetters)
    const app = hostOf({ userId }, anyLetters)
    const response = await app.request(`/o/${organization!.slug}/x`)
    expect([response.status, locationOf(response)]).toEqual([
      302,
      `/o/${encodeURIComponent('строй')}/x`,
    ])
    expect((await app.request(locationOf(response)!)).status).toBe(200)
  })
})

describe('GET /o/:org of the reference host', () => {
  it('redirects members from an old slug, and answers others as for an unknown slug [PIPE-28 PIPE-30]', async () => {
    const [owner, member, stranger] = (await people(3)) as [Person, Person, Person]
    const organization = await postOrganization(owner)
    await postMember(organization, owner, member)
    const as = (userId: string) => ({ caller: { userId }, organization: organization.id })
    const newSlug = `${organization.slug}-new`
    await rename({ as, owner: owner.userId }, organization.slug, newSlug)
    const ask = (token: string) =>
      host.fetch(`/o/${organization.slug}?x=1`, {
        redirect: 'manual',
        headers: { authorization: `Bearer ${token}` },
      })
    const redirect = await ask(member.token)
    expect([redirect.status, locationOf(redirect), redirect.headers.get('cache-control')]).toEqual([
      302,
      `/o/${newSlug}?x=1`,
      'no-store',
    ])
    const [old, unknown] = [await ask(stranger.token), await host.get('/o/no-such', stranger.token)]
    expect([old.status, await old.text()]).toEqual([404, await unknown.text()])
  })
})
