import { expect, it } from 'vitest'
import { groups } from '../../../../src/hono/groups/index.ts'
import {
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
const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'

/** Puts so many pushed users there, each in the first of so many groups, which carries a role. */
async function seed(organizationId: string, count: number): Promise<void> {
  await crowd(organizationId, count)
  const statements = [
    `INSERT INTO seatgate_scim_users (organization_id, id, position, user_id, user_name,
       user_name_key, external_id, email, attributes, version, created_at, updated_at)
     SELECT organization_id, 'r' || created_at, created_at, user_id, 'n' || created_at,
       'n' || created_at, 'e' || created_at, 'n' || created_at || '@x.example', '{}', 1, 1, 1
     FROM seatgate_memberships WHERE organization_id = ?1 AND role = 'member'`,
    `INSERT INTO seatgate_groups (organization_id, id, name, name_key, role, external_id, members,
       version, created_at, updated_at)
     SELECT organization_id, 'g' || created_at, 'G' || created_at, 'g' || created_at,
       CASE created_at WHEN 1 THEN 'admin' END, 'e' || created_at,
       CASE created_at WHEN 1 THEN ${count - 1} ELSE 0 END, 1, created_at, 1
     FROM seatgate_memberships WHERE organization_id = ?1 AND role = 'member'`,
    `INSERT INTO seatgate_group_members (organization_id, group_id, user_id, created_at)
     SELECT organization_id, 'g1', user_id, 1
     FROM seatgate_memberships WHERE organization_id = ?1 AND role = 'member' AND created_at > 1`,
    `UPDATE seatgate_memberships SET group_roles = '["admin"]'
     WHERE organization_id = ?1 AND role = 'member' AND created_at > 1`,
  ]
  await testEnv.DB.batch(statements.map((sql) => testEnv.DB.prepare(sql).bind(organizationId)))
}

/** Counts the rows that each request reads, with so many groups, and so many members of the first. */
async function rowsRead(count: number): Promise<Readonly<Record<string, number>>> {
  const { around, measure } = createRowMeter()
  // Beyond what the options allow, to see what grows.
  const part = { ...groups(), limit: 2 * MANY, memberLimit: 2 * MANY }
  const kit = createScimKit({ provider: 'd1', around, groups: part })
  const organization = await pushedOrganization(kit, MANY + 100)
  await seed(organization.id, count)
  await organization.ask('GET', '/Groups?count=1')
  const members = (op: string, id: string) => patch({ op, path: 'members', value: [{ value: id }] })
  const requests: readonly (readonly [string, string, string, unknown?])[] = [
    ['a name', 'GET', `/Groups?filter=displayName eq "g${count}"`],
    ['an external id', 'GET', `/Groups?filter=externalId eq "e${count}"`],
    ['an id', 'GET', `/Groups?filter=id eq "g${count}"`],
    ['one', 'GET', `/Groups/g${count}`],
    ['one without its members', 'GET', '/Groups/g1?excludedAttributes=members'],
    ['a member comes', 'PATCH', '/Groups/g1', members('add', 'r1')],
    ['a member comes again', 'PATCH', '/Groups/g1', members('add', 'r1')],
    ['a member goes', 'PATCH', '/Groups/g1', members('remove', 'r2')],
    [
      'a member goes by a filter',
      'PATCH',
      '/Groups/g1',
      patch({ op: 'remove', path: 'members[value eq "r3"]' }),
    ],
    ['a new name', 'PATCH', '/Groups/g2', patch({ op: 'replace', value: { displayName: 'New' } })],
    [
      'all of one',
      'PUT',
      '/Groups/g3',
      { schemas: [GROUP], displayName: 'All', members: [{ value: 'r4' }] },
    ],
    ['the end of one', 'DELETE', '/Groups/g4'],
    ['a page', 'GET', '/Groups?count=5&excludedAttributes=members'],
    ['a new one', 'POST', '/Groups', { schemas: [GROUP], displayName: 'Another' }],
  ]
  const read: Record<string, number> = {}
  for (const [name, method, path, body] of requests) {
    const { value, cost } = await measure(kit, () => organization.ask(method, path, body))
    expect([name, value.status < 300]).toEqual([name, true])
    if (path.includes('filter') && method === 'GET') expect(value.body.totalResults).toBe(1)
    read[name] = cost.answer.read
  }
  return read
}

// A page says how many groups there are, and a new one is refused beyond the limit.
const COUNTED = new Map([
  ['a page', 1],
  ['a new one', 2],
])

it('requests on groups read no more rows at 10,000 groups and members than at ten, but for numbers of groups [SCIM-23]', async () => {
  const few = await rowsRead(FEW)
  const many = await rowsRead(MANY)
  for (const [name, read] of Object.entries(many)) {
    const counted = (COUNTED.get(name) ?? 0) * (MANY - FEW)
    expect(read - (few[name] ?? 0), name).toBeLessThanOrEqual(counted + ROWS_BEHIND)
  }
})
