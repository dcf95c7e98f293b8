import { drizzle } from 'drizzle-orm/d1'
import { sql } from 'drizzle-orm'
import { numeric, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  addMember,
  changeRole,
  commitTogether,
  createInvitation,
  joinOrganization,
  listMembers,
  listOrganizations,
  prepareMember,
  type PrincipalQuery,
} from '../../../../src/index.ts'
import { hasUserId } from '../../../../src/database/database.ts'
import {
  createJoiningKit,
  openOrganization,
  testEnv,
  unwrap,
  codeOf,
  type KitOptions,
} from '../../../kit/index.ts'

const others = { name: text('name'), verifiedAt: integer('verified_at', { mode: 'timestamp_ms' }) }
const withIntegers = sqliteTable('users_integer', {
  id: integer('id').primaryKey(),
  email: text('email').notNull(),
  ...others,
})
const withNumbers = sqliteTable('users_numeric', {
  id: numeric('id').primaryKey(),
  email: text('email').notNull(),
  ...others,
})
const inAnyCase = sqliteTable('users_nocase', {
  id: text('id').primaryKey(),
  email: text('email').notNull(),
  ...others,
})
const asText = sqliteTable('users_text', {
  id: text('id').primaryKey(),
  email: text('email').notNull(),
  ...others,
})

const NUMBERS = ['2.0', '02', ' 2', '2 ', '2e0', '+2', '2.', '0x2', '20e-1', '\uff12']
const CASES = ['ABC', 'Abc', 'abc ', ' abc', 'ab', 'abcd', '\u0430bc']

const tables = [
  ['INTEGER', withIntegers, '2', NUMBERS],
  ['NUMERIC', withNumbers, '2', NUMBERS],
  ['TEXT COLLATE NOCASE', inAnyCase, 'abc', CASES],
  ['TEXT', asText, 'abc', CASES],
] as const

beforeAll(async () => {
  const create = ['INTEGER', 'NUMERIC', 'TEXT COLLATE NOCASE', 'TEXT'].map((type, index) => {
    const name = ['integer', 'numeric', 'nocase', 'text'][index]
    return testEnv.DB.prepare(
      `CREATE TABLE users_${name} (id ${type} PRIMARY KEY, email TEXT NOT NULL, name TEXT, verified_at INTEGER)`
    )
  })
  const fill = tables.map(([type, , id], index) => {
    const name = ['integer', 'numeric', 'nocase', 'text'][index]
    return testEnv.DB.prepare(
      `INSERT INTO users_${name} VALUES (?, ?, 'Ann', 1), (?, 'ben@other.example', 'Ben', 1)`
    ).bind(id, `ann@${type.replaceAll(/\W/g, '').toLowerCase()}.example`, `${id}0`)
  })
  await testEnv.DB.batch([...create, ...fill])
})

describe.each(tables)('ids of users in a column of %s', (type, users, id, spellings) => {
  const options: KitOptions = {
    users,
    emailVerification: { column: users.verifiedAt, markVerified: () => [] },
  }
  const kit = createJoiningKit(options)
  const { seatgate } = kit
  const email = `ann@${type.replaceAll(/\W/g, '').toLowerCase()}.example`

  it('are compared as text: another spelling is no user [B1]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const unknown = { code: 'validation_error', errors: { userId: [expect.any(String)] } }
    for (const userId of spellings) {
      const added = await addMember(seatgate, scope, { userId, role: 'member' })
      expect(added, userId).toEqual({ ok: false, error: unknown })
      const bySystem = { caller: { type: 'system' }, organization: organization.id } as const
      const prepared = await prepareMember(seatgate, bySystem, { userId, role: 'member' })
      const committed = await commitTogether(seatgate, unwrap(prepared), {})
      expect(committed, userId).toMatchObject({ ok: false, error: unknown })
    }
    const { membership } = unwrap(await addMember(seatgate, scope, { userId: id, role: 'member' }))
    expect(membership.userId).toBe(id)
    for (const userId of spellings) {
      expect(codeOf(await addMember(seatgate, scope, { userId, role: 'member' }))).toBe(
        'validation_error'
      )
      expect(codeOf(await changeRole(seatgate, scope, userId, { role: 'admin' }))).toBe('not_found')
    }
    expect(unwrap(await listMembers(seatgate, scope)).data).toHaveLength(2)
  })

  it('are text in lists, and found by search [B1]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    await addMember(seatgate, scope, { userId: id, role: 'member' })
    const found = unwrap(await listMembers(seatgate, scope, { search: 'ann' })).data
    expect(found).toEqual([
      expect.objectContaining({ userId: id, user: { id, email, name: 'Ann' } }),
    ])
  })

  it('are the same person to invitations and to domains, and no other spelling is [B1]', async () => {
    const organization = await openOrganization(kit, 'auto')
    const scope = organization.as(organization.owner)
    const { token } = unwrap(await createInvitation(seatgate, scope, { email, role: 'member' }))
    for (const userId of spellings) {
      const caller = { userId }
      expect(codeOf(await acceptInvitation(seatgate, { caller }, { token }))).not.toBe('ok')
      const joined = await joinOrganization(
        seatgate,
        { caller },
        { organizationId: organization.id }
      )
      expect(codeOf(joined)).toBe('organization_not_found')
    }
    expect(codeOf(await acceptInvitation(seatgate, { caller: { userId: id } }, { token }))).toBe(
      'ok'
    )
    const again = await createInvitation(seatgate, scope, { email, role: 'member' })
    expect(codeOf(again)).toBe('already_member')
  })

  it('are found by the index of the host’s own key [B1]', async () => {
    const db = drizzle(testEnv.DB)
    const query = db
      .select({ found: sql`1` })
      .from(users)
      .where(hasUserId(users, '2'))
      .toSQL()
    const plan = await testEnv.DB.prepare(`EXPLAIN QUERY PLAN ${query.sql}`)
      .bind(...query.params)
      .all<{ detail: string }>()
    expect(plan.results.map(({ detail }) => detail).join()).toMatch(/^SEARCH users_\w+ USING/)
  })

  it('of a session are text too, for any type of the host’s column [B1]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    await addMember(seatgate, scope, { userId: id, role: 'member' })
    const caller: PrincipalQuery = {
      userId: sql`(select id from ${users} where email = ${email})`,
      statement: seatgate.db
        .select({ userId: users.id })
        .from(users)
        .where(sql`email = ${email}`),
      principal: ([row]) => ({ userId: String(row?.userId) }),
    }
    const own = unwrap(await listOrganizations(seatgate, { caller }))
    expect(own.data.map(({ organization: { id: place } }) => place)).toContain(organization.id)
    const numbered = { ...caller, principal: () => ({ userId: 2 as unknown as string }) }
    await expect(listOrganizations(seatgate, { caller: numbered })).rejects.toThrow(TypeError)
  })
})
