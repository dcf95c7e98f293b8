import { expect, it } from 'vitest'
import {
  active,
  createRowMeter,
  createScimKit,
  crowd,
  patch,
  pushedOrganization,
  testEnv,
} from '../../../kit/index.ts'

const FEW = 10
const MANY = 10_000
const ROWS_BEHIND = 4

/** Puts so many pushed users there, each a member. */
async function seed(organizationId: string, count: number): Promise<void> {
  await crowd(organizationId, count)
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_scim_users (organization_id, id, position, user_id, user_name,
       user_name_key, external_id, email, attributes, version, created_at, updated_at)
     SELECT organization_id, 'r' || created_at, created_at, user_id, 'n' || created_at,
       'n' || created_at, 'e' || created_at, 'n' || created_at || '@x.example', '{}', 1, 1, 1
     FROM seatgate_memberships WHERE organization_id = ? AND role = 'member'`
  )
    .bind(organizationId)
    .run()
}

/**
 * Puts an organization with pushed users behind every other one, in the order of ids: a range of an index
 * ends at its first row.
 */
async function seedNeighbour(organizationId: string): Promise<void> {
  await testEnv.DB.prepare(
    `INSERT INTO seatgate_organizations (id, name, slug, owner_user_id, personal,
       enforce_mfa_for_members, created_at, updated_at)
     SELECT '~', name, 'neighbour', owner_user_id, personal, enforce_mfa_for_members, created_at, updated_at
     FROM seatgate_organizations WHERE id = ? ON CONFLICT DO NOTHING`
  )
    .bind(organizationId)
    .run()
  const there = await testEnv.DB.prepare(
    "SELECT count(*) AS n FROM seatgate_scim_users WHERE organization_id = '~'"
  ).first<number>('n')
  if (there === 0) await seed('~', 3)
}

/** Counts the rows that each request reads, with so many pushed users. */
async function rowsRead(count: number): Promise<Readonly<Record<string, number>>> {
  const { around, measure } = createRowMeter()
  const kit = createScimKit({ provider: 'd1', around })
  const organization = await pushedOrganization(kit, MANY + 100)
  await seed(organization.id, count)
  await seedNeighbour(organization.id)
  await organization.ask('GET', '/Users?count=1')
  const last = `/Users/r${count}`
  const title = patch({ op: 'replace', path: 'title', value: 'Lead' })
  const requests: readonly (readonly [string, string, string, unknown?])[] = [
    ['the first page', 'GET', '/Users?count=5'],
    ['the last page', 'GET', `/Users?startIndex=${count - 4}&count=5`],
    ['a name', 'GET', `/Users?filter=userName eq "N${count}"`],
    ['an external id', 'GET', `/Users?filter=externalId eq "e${count}"`],
    ['an address', 'GET', `/Users?filter=emails.value eq "n${count}@x.example"`],
    ['an id', 'GET', `/Users?filter=id eq "r${count}"`],
    ['a name or an id', 'GET', `/Users?filter=userName eq "n1" or externalId eq "e2"`],
    ['one', 'GET', last],
    ['a change', 'PATCH', last, title],
    ['a deactivation', 'PATCH', last, active(false)],
    ['an activation', 'PATCH', last, active(true)],
    ['a new one', 'POST', '/Users', organization.person('new')],
    ['the end of the first', 'DELETE', '/Users/r1'],
  ]
  const read: Record<string, number> = {}
  for (const [name, method, path, body] of requests) {
    const { value, cost } = await measure(kit, () => organization.ask(method, path, body))
    const { status, body: answered } = value
    expect([name, status < 300]).toEqual([name, true])
    if (method === 'GET' && path.includes('filter')) {
      expect(answered.totalResults).toBe(name === 'a name or an id' ? 2 : 1)
    }
    read[name] = cost.answer.read
  }
  const { body } = await organization.ask('GET', '/Users?count=1')
  // The last one has moved into the place of the first.
  expect(body).toMatchObject({ totalResults: count, Resources: [{}] })
  return read
}

it('requests read no more rows at 10,000 users than at ten, but for those behind a range [SCIM-18]', async () => {
  const few = await rowsRead(FEW)
  const many = await rowsRead(MANY)
  for (const [name, read] of Object.entries(many)) {
    // A range of an index reads the row behind its end, if another organization has one there.
    expect(read - (few[name] ?? 0), name).toBeLessThanOrEqual(ROWS_BEHIND)
  }
})
