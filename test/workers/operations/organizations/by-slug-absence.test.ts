import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { loadOrganizationFromSlug, type SlugOptions } from '../../../../src/hono/index.ts'
import { suspendMember, updateSlug, type Seatgate } from '../../../../src/index.ts'
import {
  freshSlug,
  sessionOf,
  softDeleted,
  belonging,
  callers,
  listening,
  testEnv,
  unwrap,
  createKit,
  newUser,
  PASSWORD,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'unlimited' })
const { seatgate } = kit

async function rename({ as, owner, slug }: TestOrganization): Promise<string> {
  const input = { slug: freshSlug(), confirmSlug: slug, password: PASSWORD }
  return unwrap(await updateSlug(seatgate, as(owner), input)).slug
}

async function mine(userId: string): Promise<TestOrganization> {
  const [organization] = await belonging(userId, 1)
  return organization!
}

async function suspended(userId: string): Promise<TestOrganization> {
  const organization = await mine(userId)
  unwrap(await suspendMember(seatgate, organization.as(organization.owner), userId))
  return organization
}

/** Everything that is not there for somebody: names that are no ids. */
const ABSENT = {
  'an unknown slug': async () => 'no-such-slug',
  'a foreign slug': async () => (await kit.organization()).slug,
  'a foreign slug in capitals': async () => (await kit.organization()).slug.toUpperCase(),
  'the slug of an own organization that is deleted': async (userId) => {
    const organization = await mine(userId)
    await softDeleted(seatgate, organization)
    return organization.slug
  },
  'PIPE-28 an alias of a foreign organization': async () => {
    const organization = await kit.organization()
    await rename(organization)
    return organization.slug
  },
  'PIPE-28 the second alias of a foreign organization': async () => {
    const organization = await kit.organization()
    const second = await rename(organization)
    await rename({ ...organization, slug: second })
    return second
  },
  'PIPE-29 an own alias that has expired': async (userId) => {
    const organization = await mine(userId)
    await rename(organization)
    await testEnv.DB.prepare(
      'UPDATE seatgate_organization_slug_aliases SET expires_at = ? WHERE old_slug = ?'
    )
      .bind(Date.now(), organization.slug)
      .run()
    return organization.slug
  },
  'PIPE-29 an alias of an own organization that is deleted': async (userId) => {
    const organization = await mine(userId)
    await rename(organization)
    await softDeleted(seatgate, organization)
    return organization.slug
  },
  'PIPE-29 an alias of a foreign organization that is deleted': async () => {
    const organization = await kit.organization()
    await rename(organization)
    await softDeleted(seatgate, organization)
    return organization.slug
  },
  'the slug of an organization that suspended them': async (userId) =>
    (await suspended(userId)).slug,
  'PIPE-28 an alias of an organization that suspended them': async (userId) => {
    const organization = await suspended(userId)
    await rename(organization)
    return organization.slug
  },
  'a name that is none': async () => '%F0%9F%A6%84',
  'a name with a quote': async () => "'%20or%201=1--",
  'a name with a NUL': async () => 'a%00b',
  'a name of a thousand letters': async () => 'a'.repeat(1000),
} satisfies Record<string, (userId: string) => Promise<string>>

/** The same by the id, whose query is another. */
const ABSENT_IDS = {
  'an unknown id': async () => crypto.randomUUID(),
  'a foreign id': async () => (await kit.organization()).id,
  'the id of an own organization that is deleted': async (userId) => {
    const organization = await mine(userId)
    await softDeleted(seatgate, organization)
    return organization.id
  },
  'the id of an organization that suspended them': async (userId) => (await suspended(userId)).id,
} satisfies Record<string, (userId: string) => Promise<string>>

/** Somebody with a session, the answers that a host gives them, and what it asked D1. */
async function visitor(callerOf: (typeof callers)[keyof typeof callers]) {
  const userId = await newUser()
  const session = await sessionOf(userId)
  const { trips, around } = listening()
  const heard = createKit({ provider: 'unlimited', around }).seatgate
  const app = hostOf(heard, { authenticate: () => callerOf(heard, { userId, session }) })
  return {
    userId,
    async visit(name: string, method = 'GET') {
      trips.length = 0
      const response = await app.request(`/o/${name}/projects?org=${name}`, { method })
      return {
        status: response.status,
        headers: Object.fromEntries(response.headers),
        cookies: response.headers.getSetCookie(),
        body: await response.text(),
        asked: [...trips],
      }
    },
  }
}

function hostOf(configured: Seatgate, options: SlugOptions) {
  return new Hono()
    .use('/o/:org/*', loadOrganizationFromSlug(configured, options))
    .all('/o/:org/projects', (c) => c.text('in'))
}

describe.each(Object.entries(callers))('to %s', (_kind, callerOf) => {
  for (const [what, names, unknown] of [
    ['slug', ABSENT, 'another-unknown-slug'],
    ['id', ABSENT_IDS, '00000000-0000-4000-8000-000000000000'],
  ] as const) {
    it.each(Object.entries(names))(
      `%s is answered like any unknown ${what}: byte by byte, in one trip of the same SQL [PIPE-25]`,
      async (_what, nameOf) => {
        const { userId, visit } = await visitor(callerOf)
        const name = await nameOf(userId)
        for (const method of ['GET', 'POST']) {
          const there = await visit(name, method)
          expect(there).toEqual(await visit(unknown, method))
          expect(there).toMatchObject({
            status: 404,
            headers: { 'content-type': 'application/problem+json' },
            cookies: [],
          })
          expect(JSON.parse(there.body)).toMatchObject({ code: 'organization_not_found' })
          expect(there.body).not.toContain(decodeURIComponent(name).toLowerCase())
          expect(there.asked).toHaveLength(1)
        }
      }
    )
  }
})

describe('loadOrganizationFromSlug()', () => {
  // Who is nobody is told to sign in, whatever they ask for: it says nothing about the name.
  it('answers no user in the same way about every organization [PIPE-25]', async () => {
    const organization = await kit.organization()
    const app = hostOf(seatgate, { authenticate: () => null })
    const lost = await sessionOf(await newUser())
    const forgotten = callers['a looked-up caller'](seatgate, {
      userId: '',
      session: { ...lost, id: 'no-such-session' },
    })
    const withSession = hostOf(seatgate, { authenticate: () => forgotten })
    await rename(organization)
    const answers: unknown[] = []
    for (const each of [app, withSession]) {
      for (const name of [organization.id, organization.slug, 'no-such', crypto.randomUUID()]) {
        const response = await each.request(`/o/${name}/projects`)
        answers.push([response.status, Object.fromEntries(response.headers), await response.text()])
      }
    }
    expect(answers[0]).toMatchObject([401, {}, expect.stringContaining('unauthenticated')])
    for (const answer of answers) expect(answer).toEqual(answers[0])
  })

  it('answers a path without the parameter like an unknown slug, and admits no user [PIPE-25]', async () => {
    const userId = await newUser()
    await belonging(userId, 1)
    const authenticate = () => ({ userId })
    const load = loadOrganizationFromSlug(seatgate, { authenticate })
    const app = new Hono()
      .use(load)
      .get('/', (c) => c.text('in'))
      .get('/o/:org', (c) => c.text('in'))
    const [without, unknown] = await Promise.all(
      ['/', '/o/no-such'].map(async (path) => {
        const response = await app.request(path)
        return [response.status, Object.fromEntries(response.headers), await response.text()]
      })
    )
    expect(without).toEqual(unknown)
    expect(without).toMatchObject([404, {}, expect.stringContaining('organization_not_found')])
  })

  it('ends the request with the host’s own answer, and does not call the handler', async () => {
    const userId = await newUser()
    let further = 0
    const app = new Hono()
      .use(
        '/o/:org',
        loadOrganizationFromSlug(seatgate, {
          authenticate: () => ({ userId }),
          onRefusal: (c, { code }) => c.text(code, 418),
        })
      )
      .get('/o/:org', (c) => c.text(String(++further)))
    const response = await app.request('/o/no-such')
    expect([response.status, await response.text()]).toEqual([418, 'organization_not_found'])
    expect(further).toBe(0)
  })
})
