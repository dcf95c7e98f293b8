import * as fc from 'fast-check'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../src/hono/index.ts'
import { suspendMember } from '../../../src/index.ts'
import {
  asUser,
  bySession,
  clientOf,
  embedded,
  host,
  people,
  problem,
  type Person,
  headersOf,
  freshSlug,
  pointerOf,
  sessionOf,
  softDeleted,
  belonging,
  listening,
  losingTrips,
  moveBy,
  movesOf,
  queryOf,
  unwrap,
  createKit,
  join,
  newUser,
  type KitOptions,
} from '../../kit/index.ts'

const PATH = '/organizations/switch'
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }

const kit = createKit({ provider: 'unlimited' })

/** A user of two organizations with a session at the first, and a host that knows them. */
async function commuter(options: KitOptions = {}) {
  const userId = await newUser()
  const [from, to] = await belonging(userId, 2)
  const session = await sessionOf(userId, from!.id)
  const { seatgate } = createKit({ provider: 'unlimited', ...options })
  const router = seatgateRouter(seatgate, { authenticate: () => queryOf(seatgate, session) })
  const app = new Hono().route('/', router)
  return {
    userId,
    session,
    from: from!,
    to: to!,
    client: clientOf((url, init) => app.request(url, init)),
    pointer: () => pointerOf(session),
  }
}

const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString()

describe('POST /organizations/switch', () => {
  const bodies = {
    JSON: [(fields: Record<string, string>) => JSON.stringify(fields), {}],
    'a form': [form, FORM],
    'a form that names its characters': [
      form,
      { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' },
    ],
    'a form in capitals': [form, { 'content-type': 'Application/X-WWW-Form-URLencoded' }],
  } as const

  it.each(Object.entries(bodies))(
    'switches and leads back, from %s [PIPE-54]',
    async (_kind, [write, headers]) => {
      const { userId, from, to, client, pointer } = await commuter()
      const fields = { organization_id: to.id, return_to: '/projects?tab=2#top' }
      const response = await client.post(PATH, write(fields), null, headers)
      expect(response.status).toBe(303)
      expect(response.headers.get('location')).toBe('/projects?tab=2#top')
      expect(response.headers.getSetCookie()).toEqual([])
      expect(await response.text()).toBe('')
      expect(await pointer()).toBe(to.id)
      expect(await movesOf(to.id)).toEqual([
        moveBy(userId, to.id, 'active_switched', from.id, to.id),
      ])
    }
  )

  it.each([undefined, null, '', 7, true, {}, ['/a']])(
    'redirects to "/" if the return path is %j [PIPE-54]',
    async (returnTo) => {
      const { to, client, pointer } = await commuter()
      const response = await client.post(PATH, { organization_id: to.slug, return_to: returnTo })
      expect([response.status, response.headers.get('location')]).toEqual([303, '/'])
      expect(await pointer()).toBe(to.id)
    }
  )

  it.each([
    '//evil.example',
    '///evil.example',
    '/\\evil.example',
    '/\\/evil.example',
    '\\\\evil.example',
    '/a\\b',
    'https://evil.example',
    'http://seatgate.test/a',
    'https:evil.example',
    'javascript:alert(1)',
    'evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/a/..//evil.example',
    '/%2e//evil.example',
    '/%2E%2E//evil.example',
    '/\tevil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '\t//evil.example',
    ' //evil.example',
    '/a\r\nset-cookie: stolen=1',
    '/\u0000/evil.example',
    '/\u007f',
    '/\u0085/evil.example',
  ])('switches, and leads to "/" instead of %j [PIPE-57]', async (returnTo) => {
    const { to, client, pointer } = await commuter()
    const fields = { organization_id: to.id, return_to: returnTo }
    for (const response of [
      await client.post(PATH, fields),
      await client.post(PATH, form(fields), null, FORM),
    ]) {
      expect([response.status, response.headers.get('location')]).toEqual([303, '/'])
      expect(response.headers.getSetCookie()).toEqual([])
    }
    expect(await pointer()).toBe(to.id)
  })

  it.each([
    ['/%2F%2Fevil.example', '/%2F%2Fevil.example'],
    ['/%5Cevil.example', '/%5Cevil.example'],
    ['/%09/evil.example', '/%09/evil.example'],
    ['/a?next=//evil.example', '/a?next=//evil.example'],
    ['/a/../b', '/b'],
    ['/ü', '/%C3%BC'],
  ])('keeps %j, which stays here, as %j [PIPE-57]', async (returnTo, location) => {
    const { to, client } = await commuter()
    const response = await client.post(PATH, { organization_id: to.id, return_to: returnTo })
    expect(response.headers.get('location')).toBe(location)
  })

  it('never returns a path to another site, for any input [PIPE-57]', async () => {
    const { to, client } = await commuter()
    await client.post(PATH, { organization_id: to.id })
    const piece = fc.oneof(
      fc.constantFrom(...'/ \\ . .. // %2f %5c %2e ? # @ : evil.example https: & ='.split(' ')),
      fc.constantFrom('\t', '\n', '\r', '\0', ' ', '\uff0f'),
      fc.string({ maxLength: 3 })
    )
    const anyPath = fc.array(piece, { maxLength: 6 }).map((pieces) => `/${pieces.join('')}`)
    await fc.assert(
      fc.asyncProperty(anyPath, fc.boolean(), async (returnTo, asForm) => {
        const fields = { organization_id: to.id, return_to: returnTo }
        const response = await (asForm
          ? client.post(PATH, form(fields), null, FORM)
          : client.post(PATH, fields))
        const location = response.headers.get('location') ?? ''
        expect(response.status).toBe(303)
        expect(location).toMatch(/^\/(?!\/)[\x21-\x5b\x5d-\x7e]*$/)
        expect(new URL(location, 'http://seatgate.test').origin).toBe('http://seatgate.test')
      }),
      { numRuns: 300, seed: 57 }
    )
  })

  it('takes a trip to load, one to read and one to write', async () => {
    const { trips, around } = listening()
    const { to, client } = await commuter({ around })
    trips.length = 0
    await client.post(PATH, { organization_id: to.id })
    expect(trips).toHaveLength(3)
  })
})

describe('POST /organizations/switch to where they may not be', () => {
  const targets = {
    'is unknown': async () => freshSlug(),
    'has an unknown id': async () => crypto.randomUUID(),
    'is foreign': async () => (await kit.organization()).id,
    'is foreign, by its slug': async () => (await kit.organization()).slug,
    'is deleted': async (userId: string) => {
      const [gone] = await belonging(userId, 1)
      await softDeleted(kit.seatgate, gone!)
      return gone!.id
    },
    'has suspended them': async (userId: string) => {
      const organization = await kit.organization()
      await join(kit, organization, 'member', userId)
      const scope = organization.as(organization.owner)
      unwrap(await suspendMember(kit.seatgate, scope, userId))
      return organization.id
    },
    'is no name': async () => '',
  }

  it.each(Object.entries(targets))(
    'answers the same 404, and moves no pointer, for one that %s [PIPE-55]',
    async (_how, targetOf) => {
      const { userId, from, client, pointer } = await commuter()
      const name = await targetOf(userId)
      const [answer, unknown] = await Promise.all(
        [name, 'no-such-organization'].map(async (organization_id) => {
          const response = await client.post(PATH, { organization_id, return_to: '/a' })
          return [response.status, headersOf(response), await response.text()]
        })
      )
      expect(answer).toEqual(unknown)
      expect(answer).toMatchObject([404, {}, expect.stringContaining('organization_not_found')])
      expect(await pointer()).toBe(from.id)
    }
  )

  it('answers 404 to a caller without a session, and to a service account [PIPE-55]', async () => {
    const userId = await newUser()
    const [home] = await belonging(userId, 1)
    const input = { organization_id: home!.id }
    expect(await problem(await embedded().post(PATH, input, asUser({ userId })))).toMatchObject({
      status: 404,
      code: 'organization_not_found',
    })
    const none = embedded({ sessions: 'none' }, bySession)
    const [ada] = (await people(1)) as [Person]
    expect((await none.post(PATH, input, ada.token)).status).toBe(404)
  })

  it('answers 401 to an anonymous caller', async () => {
    const answer = await embedded().post(PATH, { organization_id: 'acme' })
    expect(await problem(answer)).toMatchObject({ status: 401, code: 'unauthenticated' })
  })

  it.each([
    ['no organization', {}, 422],
    ['a number', { organization_id: 7 }, 422],
    ['null: a form has no way to say it', { organization_id: null }, 422],
    ['no object', [], 422],
    ['no JSON', '{', 400],
    ['too much', { organization_id: 'x'.repeat(70_000) }, 413],
  ])('refuses %s, and moves no pointer', async (_what, body, status) => {
    const { from, client, pointer } = await commuter()
    expect((await client.post(PATH, body)).status).toBe(status)
    expect(await pointer()).toBe(from.id)
  })

  it('refuses a form without the organization, and one that is too large', async () => {
    const { client } = await commuter()
    expect((await client.post(PATH, 'return_to=%2Fa', null, FORM)).status).toBe(422)
    const large = form({ organization_id: 'x'.repeat(70_000) })
    expect((await client.post(PATH, large, null, FORM)).status).toBe(413)
  })

  it.each([1, 2, 3])('answers 503 where D1 loses trip %i', async (trip) => {
    const { from, to, client, pointer } = await commuter({ around: losingTrips([trip]) })
    const answer = await client.post(PATH, { organization_id: to.id })
    expect(answer.headers.get('retry-after')).toBe('5')
    expect(await problem(answer)).toMatchObject({ status: 503, code: 'unavailable' })
    expect(await pointer()).toBe(from.id)
  })

  // A form that is sent twice: the second has loaded the pointer before the first moved it.
  it('does not answer a second submission as if the organization did not exist', async () => {
    let held: (() => Promise<void>) | null = null
    const { to, client, pointer } = await commuter({
      async around({ asked }, run) {
        const first = asked.some((sql) => sql.startsWith('update "seatgate_sessions"'))
          ? held
          : null
        if (first) held = null
        await first?.()
        return run()
      },
    })
    let second: Response | undefined
    held = async () => {
      second = await client.post(PATH, { organization_id: to.id })
    }
    const first = await client.post(PATH, { organization_id: to.id })
    expect(await pointer()).toBe(to.id)
    expect(second?.status).toBe(303)
    expect([303, 409]).toContain(first.status)
  })
})

describe('other methods on the path of the switch', () => {
  it.each(['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE'])(
    '%s never switches [PIPE-56]',
    async (method) => {
      const { from, to, client, pointer } = await commuter()
      const query = form({ organization_id: to.id, return_to: '/a' })
      const bodies = ['GET', 'HEAD'].includes(method)
        ? [undefined]
        : [undefined, { organization_id: to.id }]
      for (const body of bodies) {
        const response = await client.send(method, `${PATH}?${query}`, body, null)
        expect([401, 404, 405]).toContain(response.status)
        expect(response.headers.get('location')).toBeNull()
      }
      expect(await pointer()).toBe(from.id)
      expect(await movesOf(to.id)).toEqual([])
    }
  )

  it('is the same in the reference host, where POST switches [PIPE-56]', async () => {
    const [ada] = (await people(1)) as [Person]
    const created = await host.post('/organizations', { name: 'Acme' }, ada.token)
    const { id } = await created.json<{ id: string }>()
    const ask = (method: string, body?: string) =>
      host.fetch(`${PATH}?organization_id=${id}`, {
        method,
        redirect: 'manual',
        headers: { authorization: `Bearer ${ada.token}`, ...FORM },
        ...(body !== undefined && { body }),
      })
    const active = async () => (await host.get('/active-organization', ada.token)).json()
    expect((await ask('GET')).status).toBe(404)
    expect(await active()).toEqual({ organization: null })
    const switched = await ask('POST', form({ organization_id: id, return_to: '/a' }))
    expect([switched.status, switched.headers.get('location')]).toEqual([303, '/a'])
    expect(switched.headers.getSetCookie()).toEqual([])
    expect(await active()).toMatchObject({ organization: { id }, role: 'owner' })
  })
})
