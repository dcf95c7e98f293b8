/**
 * Lists from a replica of D1. The local D1 has sessions and bookmarks and one state; a replica that lags
 * answers here with what it answered before.
 */
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import { seatgateRouter } from '../../../src/hono/index.ts'
import {
  add,
  createKit,
  createRolesKit,
  join,
  newUser,
  owning,
  roleOf,
  testEnv,
  unwrap,
  type Kit,
  type KitOrganization,
} from '../../kit/index.ts'

const HEADER = 'x-seatgate-bookmark'
const BOOKMARK = /^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$/

type Answering = (answer: () => Promise<D1Result[]>) => Promise<D1Result[]>

/** D1 whose trips to the primary and to the replica are known, and whose replica can be replaced. */
function observed() {
  const trips: string[] = []
  const asked: string[] = []
  const replica: { answering: Answering } = { answering: (answer) => answer() }
  const client = {
    prepare: (sql: string) => testEnv.DB.prepare(sql),
    batch(statements: D1PreparedStatement[]) {
      trips.push('primary without a session')
      return testEnv.DB.batch(statements)
    },
    withSession(from: string) {
      asked.push(from)
      const session = testEnv.DB.withSession(from)
      const isPrimary = from === 'first-primary'
      return {
        prepare: (sql: string) => session.prepare(sql),
        getBookmark: () => session.getBookmark(),
        batch(statements: D1PreparedStatement[]) {
          trips.push(isPrimary ? 'primary' : 'replica')
          const answer = () => session.batch(statements)
          return isPrimary ? answer() : replica.answering(answer)
        },
      }
    },
  } as unknown as D1Database
  return { client, trips, asked, replica }
}

async function scene(kit: Kit = createKit({ provider: 'd1' })) {
  const organization = await kit.organization()
  const { client, trips, asked, replica } = observed()
  const db = drizzle(client)
  const seatgate = {
    ...kit.seatgate,
    db,
    seatContext: { ...kit.seatgate.seatContext, db },
  }
  let userId = organization.owner
  const routes = (reads?: 'replica') =>
    new Hono().route(
      '/',
      seatgateRouter(seatgate, { authenticate: () => ({ userId }), ...(reads && { reads }) })
    )
  const app = routes('replica')
  const send = (path: string, init: RequestInit = {}, on = app) => {
    trips.length = 0
    asked.length = 0
    return on.request(`http://seatgate.test${path}`, init)
  }
  const members = (bookmark?: string) =>
    send(`/organizations/${organization.id}/members`, {
      headers: bookmark === undefined ? {} : { [HEADER]: bookmark },
    })
  // The first batch of a database looks at its schema, too.
  await members()
  return {
    kit,
    organization,
    trips,
    asked,
    replica,
    send,
    members,
    plain: routes(),
    actAs: (id: string) => (userId = id),
  }
}

const usersIn = async (response: Response) => {
  const { data } = await response.json<{ data: { userId: string }[] }>()
  return data.map(({ userId }) => userId)
}

const post = (body: object): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

describe("reads: 'replica'", () => {
  it('reads a list from the replica and the access from the primary, at the same time', async () => {
    const { organization, members, trips, asked } = await scene()
    const response = await members()
    expect(await usersIn(response)).toEqual([organization.owner])
    expect(trips.toSorted()).toEqual(['primary', 'replica'])
    expect(asked.toSorted()).toEqual(['first-primary', 'first-unconstrained'])
    expect(response.headers.get(HEADER)).toMatch(BOOKMARK)
  })

  it('sends the bookmark of a change to the client, and reads from it when the client returns it', async () => {
    const { organization, send, members, trips, asked } = await scene()
    const userId = await newUser()
    const added = await send(
      `/organizations/${organization.id}/members`,
      post({ userId, role: 'member' })
    )
    expect(added.status).toBe(201)
    expect(new Set(trips)).toEqual(new Set(['primary']))
    const bookmark = added.headers.get(HEADER)!
    expect(bookmark).toMatch(BOOKMARK)
    const response = await members(bookmark)
    expect(asked).toContain(bookmark)
    expect(await usersIn(response)).toContain(userId)
    expect(response.headers.get(HEADER)! >= bookmark).toBe(true)
  })

  it.each(['', 'nonsense', '../..', '00000000-00000000-00000000', `${'f'.repeat(8)}-0`])(
    'treats the bookmark "%s" like an absent one',
    async (bookmark) => {
      const { members, asked } = await scene()
      expect((await members(bookmark)).status).toBe(200)
      expect(asked.toSorted()).toEqual(['first-primary', 'first-unconstrained'])
    }
  )

  it('answers a well-formed bookmark that no database gave', async () => {
    const { members } = await scene()
    const invented = `ffffffff-ffffffff-ffffffff-${'f'.repeat(32)}`
    expect((await members(invented)).status).toBe(200)
  })

  it('reads the primary if the replica does not answer', async () => {
    const { organization, members, replica, trips } = await scene()
    replica.answering = () => Promise.reject(new Error('D1_ERROR: unknown bookmark'))
    const response = await members()
    expect(await usersIn(response)).toEqual([organization.owner])
    expect(trips.toSorted()).toEqual(['primary', 'primary', 'replica'])
    expect(response.headers.get(HEADER)).toBeNull()
  })

  it('refuses a removed member who is still in the replica', async () => {
    const { kit, organization, members, replica, actAs } = await scene()
    const member = await join(kit, organization)
    actAs(member)
    lagging(replica)
    expect((await members()).status).toBe(200)
    await remove(organization, member)
    expect((await members()).status).toBe(404)
  })

  it('shows the whole list to a new member who is not yet in the replica', async () => {
    const { kit, organization, members, replica, actAs, trips } = await scene()
    const userId = await newUser()
    actAs(userId)
    lagging(replica)
    expect((await members()).status).toBe(404)
    unwrap(await add(kit, organization, userId))
    const response = await members()
    expect((await usersIn(response)).toSorted()).toEqual([organization.owner, userId].toSorted())
    expect(trips.toSorted()).toEqual(['primary', 'primary', 'replica'])
  })

  it('shows who has a right by a new group a whole list', async () => {
    const { kit, organization, send, replica, actAs } = await scene()
    const member = await join(kit, organization)
    actAs(member)
    lagging(replica)
    const audit = () => send(`/organizations/${organization.id}/audit`)
    expect((await audit()).status).toBe(403)
    await testEnv.DB.prepare('UPDATE seatgate_memberships SET group_roles = ? WHERE user_id = ?')
      .bind('["admin"]', member)
      .run()
    const { data } = await (await audit()).json<{ data: unknown[] }>()
    expect(data).not.toEqual([])
  })

  it('shows who has a right by a new permission of their own role a whole list', async () => {
    const kit = createRolesKit()
    const { organization, send, replica, actAs } = await scene(kit)
    const role = await roleOf(kit, organization, ['project:read'])
    actAs(await join(kit, organization, role))
    lagging(replica)
    const audit = () => send(`/organizations/${organization.id}/audit`)
    expect((await audit()).status).toBe(403)
    const owner = organization.as(organization.owner)
    unwrap(await owning.updateRole(kit.context, owner, role, { permissions: ['audit:read'] }))
    const { data } = await (await audit()).json<{ data: unknown[] }>()
    expect(data).not.toEqual([])
  })

  it('may show a list as it was, without a bookmark', async () => {
    const { kit, organization, members, replica } = await scene()
    lagging(replica)
    await members()
    await join(kit, organization)
    expect(await usersIn(await members())).toEqual([organization.owner])
  })

  it.each(['', '/members', '/invitations', '/audit', '/join-requests'])(
    'reads /organizations/:org%s, or the list of organizations, like the primary',
    async (path) => {
      const { organization, send, plain, trips } = await scene()
      const url = path === '' ? '/organizations' : `/organizations/${organization.id}${path}`
      const here = await (await send(url, {}, plain)).json()
      expect(trips).toEqual(['primary without a session'])
      const response = await send(url)
      expect(await response.json()).toEqual(here)
      expect(response.status).toBe(200)
      expect(trips).toContain('replica')
    }
  )

  it('is chosen by the host: without it there is one trip and no header', async () => {
    const { organization, send, plain, trips } = await scene()
    const response = await send(`/organizations/${organization.id}/members`, {}, plain)
    expect(trips).toEqual(['primary without a session'])
    expect(response.headers.get(HEADER)).toBeNull()
  })

  it('is refused for a database without sessions, and for another text', async () => {
    const { seatgate } = createKit()
    const authenticate = () => null
    expect(() => seatgateRouter(seatgate, { authenticate, reads: 'replica' })).toThrow(
      'withSession'
    )
    expect(() => seatgateRouter(seatgate, { authenticate, reads: 'near' as never })).toThrow(
      '"primary" or "replica"'
    )
  })
})

/** From now on the replica answers each kind of batch as it did at first. */
function lagging(replica: { answering: Answering }): void {
  let first: D1Result[] | null = null
  replica.answering = async (answer) => (first ??= await answer())
}

async function remove(organization: KitOrganization, userId: string): Promise<void> {
  unwrap(await organization.remove(userId, organization.owner))
}
