import { describe, expect, it } from 'vitest'
import { inviteLinkPages } from '../../../src/console/index.ts'
import { createInviteLink, joinRules } from '../../../src/index.ts'
import { addEvents, sinkOf, testEnv, unwrap } from '../../kit/index.ts'
import { acme, operators, readAll } from './console-kit.ts'

// A page of a list has fewer rows.
const MANY = 120

type World = Awaited<ReturnType<typeof many>>

/** An organization with more of everything than a page has, put there by SQL. */
async function many() {
  const world = await acme(
    {
      provider: 'd1',
      sinks: [sinkOf('stream')],
      joining: joinRules({ verifyDomain: () => true, links: {} }),
    },
    { sections: [inviteLinkPages] }
  )
  const { slug } = world
  const row = await testEnv.DB.prepare('SELECT id FROM seatgate_organizations WHERE slug = ?')
    .bind(slug)
    .first<{ id: string }>()
  return { ...world, id: row?.id ?? '' }
}

/** Runs a statement for each number from 1, as `value`. */
const forEach = (sql: string, ...params: readonly unknown[]) =>
  testEnv.DB.prepare(
    `WITH RECURSIVE numbers(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM numbers WHERE value < ${MANY}) ${sql}`
  )
    .bind(...params)
    .run()

const read = ({ pages, owner }: World, path: string, pattern: RegExp) =>
  readAll(pages, owner, path, pattern)

/** All rows are there, each on one page, the newest first, on more than one page. */
function expectEach(found: readonly (readonly string[])[], expected: readonly string[]): void {
  expect(found.length).toBeGreaterThan(1)
  expect(found.flat()).toEqual(expected)
}

const newest = (name: (value: number) => string) =>
  Array.from({ length: MANY }, (_, index) => name(MANY - index))

describe('a list continues with older rows, each shown once', () => {
  it('of members, and of those that a search finds', async () => {
    const world = await many()
    await forEach(`INSERT INTO users (id, email, password_hash, created_at)
      SELECT 'm' || value, 'm' || value || '@many.example', 'none', 0 FROM numbers`)
    await forEach(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       SELECT 'row' || value, ?1, 'm' || value, 'member', 'seat' || value, value, value FROM numbers`,
      world.id
    )
    const pattern = /"row"><bdi>(m\d+)@many/g
    const path = `/org/${world.slug}/members`
    expectEach(
      await read(world, path, pattern),
      newest((value) => `m${value}`)
    )
    const found = await read(world, `${path}?search=m1`, pattern)
    expect(found.flat().length).toBe(1 + 10 + 21)
  })

  it('of invitations', async () => {
    const world = await many()
    await forEach(
      `INSERT INTO seatgate_invitations (id, organization_id, email, role, token_hash, invited_by_id, expires_at,
         created_at, updated_at)
       SELECT 'i' || value, ?1, 'i' || value || '@many.example', 'member', printf('%064d', value), ?2, ?3,
         value, value FROM numbers`,
      world.id,
      world.owner.userId,
      Date.now() + 86_400_000
    )
    const found = await read(world, `/org/${world.slug}/invitations`, /"row"><bdi>(i\d+)@many/g)
    expectEach(
      found,
      newest((value) => `i${value}`)
    )
  })

  it('of links', async () => {
    const world = await many()
    const scope = { caller: { userId: world.owner.userId }, organization: world.slug }
    for (let value = 1; value <= 60; value += 1)
      unwrap(
        await createInviteLink(world.kit.seatgate, scope, { role: 'member', maxUses: 1 + value })
      )
    const found = await read(world, `/org/${world.slug}/invitations/links`, /of (\d+) left/g)
    expect(found.length).toBeGreaterThan(1)
    expect(new Set(found.flat()).size).toBe(60)
  })

  it('of events, with the filters of the first page, and of changes of seats', async () => {
    const world = await many()
    const held = `json_object('held', value, 'reserved', 0, 'limit', 500)`
    await addEvents(world.id, MANY, 50, `'seat.many'`, held)
    const path = `/org/${world.slug}/audit?action_prefix=seat.many`
    const events = await read(world, path, /<dt>held<\/dt><dd><code><bdi>(\d+)</g)
    expectEach(events, newest(String))
    const history = await read(
      world,
      `/org/${world.slug}/seats/history`,
      /seat\.many<\/td><td data-label="Held by members">(\d+)</g
    )
    expectEach(history, newest(String))
  })

  it('of dead letters and attempts', async () => {
    const world = await many()
    await forEach(
      `INSERT INTO seatgate_sink_dead_letters (organization_id, sink_id, sequence, event_id, action, state,
         reason, attempts, died_at, updated_at)
       SELECT ?1, 'stream', value, 'e' || value, 'test.event', 'dead', 'gone', 1, value, value FROM numbers`,
      world.id
    )
    const path = `/org/${world.slug}/sinks/stream/dead-letters`
    const found = await read(world, path, /<th scope="row">(\d+)<\/th>/g)
    // The oldest first: in this order they are tried again.
    expectEach(found, newest(String).toReversed())
  })

  it('of organizations, for operators and for a person', async () => {
    const world = await many()
    operators.add(world.owner.userId)
    await forEach(
      `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, created_at, updated_at)
       SELECT 'o' || value, 'Many ' || value, 'many-' || value, ?1, 1, 1 FROM numbers`,
      world.owner.userId
    )
    await forEach(
      `INSERT INTO seatgate_memberships (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       SELECT 'own' || value, 'o' || value, ?1, 'member', 'ownseat' || value, value, value FROM numbers`,
      world.owner.userId
    )
    const pattern = /<bdi>(Many \d+)<\/bdi>/g
    const searched = await read(world, '/platform?search=Many&status=live', pattern)
    expect(searched.length).toBeGreaterThan(1)
    expect(new Set(searched.flat()).size).toBe(MANY)
    expect(searched.flat().length).toBe(MANY)
    const own = await read(world, '?all', pattern)
    expectEach(
      own,
      newest((value) => `Many ${value}`)
    )
  })
})
