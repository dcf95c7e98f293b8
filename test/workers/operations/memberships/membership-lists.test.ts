import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  changeRole,
  countMembers,
  countMembersWithoutMfa,
  deleteUser,
  listMembers,
  removeMember,
  restoreMember,
  suspendMember,
  type Member,
  type MembersInput,
  type OrganizationScope,
} from '../../../../src/index.ts'
import {
  NUMBERS,
  kitWithHooks,
  sessionOf,
  softDeleted,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  newUser,
  PASSWORD,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKit({ provider: 'd1' })
const { seatgate } = kit

/** Somebody with a name and an address, in this organization. */
async function named(organization: TestOrganization, email: string, name: string | null) {
  const userId = await newUser()
  await testEnv.DB.prepare('UPDATE users SET email = ?, name = ? WHERE id = ?')
    .bind(email, name, userId)
    .run()
  return join(kit, organization, 'member', userId)
}

/** So many plain members more, one a millisecond, put there by SQL. */
async function crowd({ id }: TestOrganization, prefix: string, count = 120): Promise<void> {
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      `INSERT INTO users (id, email, password_hash, created_at)
       SELECT ?1 || '-' || value, ?1 || '-' || value || '@example.com', 'none', 0
       FROM json_each(?2) WHERE value <= ?3`
    ).bind(prefix, NUMBERS, count),
    testEnv.DB.prepare(
      `INSERT INTO seatgate_memberships
         (id, organization_id, user_id, role, seat_id, created_at, updated_at)
       SELECT ?1 || '-m' || value, ?4, ?1 || '-' || value, 'member', ?1 || '-s' || value, value, value
       FROM json_each(?2) WHERE value <= ?3`
    ).bind(prefix, NUMBERS, count, id),
  ])
}

async function list(organization: TestOrganization, input: MembersInput = {}) {
  return unwrap(await listMembers(seatgate, organization.as(organization.owner), input))
}

async function search(organization: TestOrganization, text: string): Promise<string[]> {
  return (await list(organization, { search: text })).data.map(({ userId }) => userId)
}

async function pages(organization: TestOrganization, input: MembersInput): Promise<Member[][]> {
  const found: Member[][] = []
  let cursor: string | null = null
  do {
    const page = await list(organization, { ...input, ...(cursor !== null && { cursor }) })
    found.push([...page.data])
    cursor = page.nextCursor
  } while (cursor !== null && found.length < 20)
  return found
}

describe('listMembers', () => {
  it('has the newest first, with the person, fifty by default [ORG-118]', async () => {
    const organization = await kit.organization()
    const prefix = crypto.randomUUID()
    await crowd(organization, prefix)
    const first = await list(organization)
    expect(first.data).toHaveLength(50)
    expect(first.data[0]).toMatchObject({
      userId: organization.owner,
      role: 'owner',
      status: 'active',
      user: {
        id: organization.owner,
        email: `${organization.owner}@example.com`,
        name: null,
      },
      lastActiveAt: null,
    })
    expect(first.data.slice(1).map(({ userId }) => userId)).toEqual(
      Array.from({ length: 49 }, (_, index) => `${prefix}-${120 - index}`)
    )
    const all = await pages(organization, {})
    expect(all.map((page) => page.length)).toEqual([50, 50, 21])
    expect((await list(organization, { limit: 100 })).data).toHaveLength(100)
    const times = all.flat().map(({ createdAt }) => createdAt)
    expect(times).toEqual(times.toSorted().toReversed())
    expect(new Set(all.flat().map(({ userId }) => userId)).size).toBe(121)
  })

  it('has no person where the host has no table of users [ORG-118]', async () => {
    const organization = await kit.organization()
    const { users: _users, ...rest } = kit.seatgate
    const asOwner = organization.as(organization.owner)
    const { data } = unwrap(await listMembers({ ...rest, users: null }, asOwner))
    expect(data).toMatchObject([{ userId: organization.owner, user: null }])
    const searched = await listMembers({ ...rest, users: null }, asOwner, { search: 'a' })
    expect(unwrap(searched).data).toEqual([])
  })

  it('was last active only where a session works in this very organization [ORG-119]', async () => {
    const here = await kit.organization()
    const there = await kit.organization()
    const userId = await join(kit, here)
    await join(kit, there, 'member', userId)
    const seen = async (organization: TestOrganization) =>
      (await list(organization)).data.find((member) => member.userId === userId)?.lastActiveAt
    const at = async (organizationId: string | null, time: number) => {
      const { id } = await sessionOf(userId, organizationId)
      await testEnv.DB.prepare(
        'UPDATE seatgate_sessions SET last_active_at = ? WHERE token_hash = ?'
      )
        .bind(time, id)
        .run()
    }
    await at(null, 9_000)
    await at(there.id, 8_000)
    expect(await seen(here)).toBeNull()
    await at(here.id, 3_000)
    await at(here.id, 5_000)
    await at(here.id, 4_000)
    expect(await seen(here)).toBe(new Date(5_000).toISOString())
    expect(await seen(there)).toBe(new Date(8_000).toISOString())
    // Somebody else's session in this organization says nothing of this member.
    await sessionOf(here.owner, here.id)
    expect(await seen(here)).toBe(new Date(5_000).toISOString())
    expect((await list(there)).data.find((member) => member.userId === there.owner)).toMatchObject({
      lastActiveAt: null,
    })
  })
})

describe('a search among members', () => {
  it('finds the beginning of a name or an address, capital or small', async () => {
    const organization = await kit.organization()
    const tag = crypto.randomUUID().slice(0, 8)
    const ada = await named(organization, `ada-${tag}@example.com`, 'Countess Lovelace')
    const ben = await named(organization, `ben-${tag}@example.com`, 'adamant')
    const cem = await named(organization, `cem-${tag}@ada.example`, null)
    expect(new Set(await search(organization, 'ada'))).toEqual(new Set([ada, ben]))
    expect(new Set(await search(organization, 'ADA'))).toEqual(new Set([ada, ben]))
    expect(await search(organization, 'COUNTESS l')).toEqual([ada])
    expect(await search(organization, 'lovelace')).toEqual([])
    expect(await search(organization, `Cem-${tag}`)).toEqual([cem])
    expect(await search(organization, `cem-${tag}@ada.example`)).toEqual([cem])
    expect(await search(organization, `cem-${tag}@ada.example.com`)).toEqual([])
  })

  it.each(['%', '_', '*', '?', '\\', "'", '"', '[a-z]', '%da', '_da'])(
    'reads %s literally',
    async (text) => {
      const organization = await kit.organization()
      const tag = crypto.randomUUID().slice(0, 8)
      await named(organization, `ada-${tag}@example.com`, 'Ada')
      expect(await search(organization, text)).toEqual([])
      const odd = await named(organization, `odd-${tag}@example.com`, `${text} and more`)
      expect(await search(organization, text)).toEqual([odd])
    }
  )

  it('finds no user of another organization', async () => {
    const [here, there] = [await kit.organization(), await kit.organization()]
    const tag = crypto.randomUUID()
    const mine = await named(here, `${tag}-1@example.com`, 'Same')
    const theirs = await named(there, `${tag}-2@example.com`, 'Same')
    expect(await search(here, tag)).toEqual([mine])
    expect(await search(there, 'same')).toEqual([theirs])
    const foreign = { caller: { userId: here.owner }, organization: there.id }
    expect(await listMembers(seatgate, foreign, { search: tag })).toEqual({
      ok: false,
      error: { code: 'organization_not_found' },
    })
  })

  it('is followed from page to page, each member once, suspended ones too', async () => {
    const organization = await kit.organization()
    const [wanted, others] = [crypto.randomUUID(), crypto.randomUUID()]
    await crowd(organization, wanted, 25)
    await crowd(organization, others, 25)
    unwrap(await suspendMember(seatgate, organization.as(organization.owner), `${wanted}-7`))
    const found = await pages(organization, { search: wanted, limit: 10 })
    expect(found.map((page) => page.length)).toEqual([10, 10, 5])
    expect(found.flat().map(({ userId }) => userId)).toEqual(
      Array.from({ length: 25 }, (_, index) => `${wanted}-${25 - index}`)
    )
    expect(found.flat().find(({ userId }) => userId === `${wanted}-7`)?.status).toBe('suspended')
  })

  it.each([[''], ['x'.repeat(256)], ['two\nlines'], [7]])('refuses %j', async (text) => {
    const organization = await kit.organization()
    const input = { search: text } as MembersInput
    const answer = await listMembers(seatgate, organization.as(organization.owner), input)
    expect(codeOf(answer)).toBe('validation_error')
  })
})

describe.each(enforcing)('countMembers (%s)', (provider) => {
  it('is the number of all members, on any page, after every change [ORG-120]', async () => {
    const kit = kitWithHooks({ provider })
    const { seatgate } = kit
    const organization = await kit.organization()
    const other = await kit.organization()
    const scope = organization.as(organization.owner)
    const expectCount = async (active: number, suspended: number) => {
      expect(unwrap(await countMembers(seatgate, scope))).toEqual({ active, suspended })
      const rows = await pages(organization, { limit: 2 })
      const of = (status: string) => rows.flat().filter((member) => member.status === status)
      expect([of('active').length, of('suspended').length]).toEqual([active, suspended])
    }
    await expectCount(1, 0)
    const [ann, ben, cem] = [
      await join(kit, organization),
      await join(kit, organization, 'admin'),
      await join(kit, organization),
    ] as const
    await expectCount(4, 0)
    unwrap(await suspendMember(seatgate, scope, ann))
    unwrap(await suspendMember(seatgate, scope, ben))
    await expectCount(2, 2)
    unwrap(await restoreMember(seatgate, scope, ann))
    await expectCount(3, 1)
    unwrap(await changeRole(seatgate, scope, ann, { role: 'admin' }))
    await expectCount(3, 1)
    unwrap(await removeMember(seatgate, scope, ben))
    await expectCount(3, 0)
    unwrap(await deleteUser(seatgate, { caller: { userId: cem } }, { password: PASSWORD }))
    await expectCount(2, 0)
    expect(unwrap(await countMembers(seatgate, other.as(other.owner)))).toEqual({
      active: 1,
      suspended: 0,
    })
  })
})

describe('countMembers', () => {
  it('does not page [ORG-120]', async () => {
    const organization = await kit.organization()
    await crowd(organization, crypto.randomUUID())
    expect(unwrap(await countMembers(seatgate, organization.as(organization.owner)))).toEqual({
      active: 121,
      suspended: 0,
    })
  })

  it('shows a stranger no data, and no member of a deleted organization', async () => {
    const organization = await kit.organization()
    const stranger = organization.as(await newUser())
    expect(codeOf(await countMembers(seatgate, stranger))).toBe('organization_not_found')
    await softDeleted(seatgate, organization)
    const asOwner = organization.as(organization.owner)
    expect(codeOf(await countMembers(seatgate, asOwner))).toBe('organization_not_found')
  })
})

describe('members without a scope', () => {
  it.each([
    ['listMembers', listMembers],
    ['countMembers', countMembers],
    ['countMembersWithoutMfa', countMembersWithoutMfa],
  ] as const)('%s throws without an organization [ORG-121]', async (_name, read) => {
    for (const caller of [{ userId: await newUser() }, { type: 'system' } as const]) {
      for (const scope of [{ caller }, { caller, organization: undefined }]) {
        const unscoped = scope as unknown as OrganizationScope
        await expect(read(seatgate, unscoped)).rejects.toThrow(TypeError)
      }
    }
    const nobody = { organization: 'acme' } as unknown as OrganizationScope
    await expect(read(seatgate, nobody)).rejects.toThrow(TypeError)
  })
})

describe('countMembersWithoutMfa', () => {
  const credentials = sqliteTable('second_factors', {
    id: text('id').primaryKey(),
    userId: text('user_id').notNull(),
    enabled: integer('enabled', { mode: 'boolean' }).notNull(),
  })

  beforeAll(async () => {
    await testEnv.DB.exec(
      'CREATE TABLE IF NOT EXISTS second_factors ' +
        '(id TEXT PRIMARY KEY, user_id TEXT NOT NULL, enabled INTEGER NOT NULL)'
    )
  })

  const enrol = (userId: string, enabled: number) =>
    testEnv.DB.prepare('INSERT INTO second_factors VALUES (?, ?, ?)')
      .bind(crypto.randomUUID(), userId, enabled)
      .run()

  it('is all active members where there is no table of credentials [ORG-122]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const [first] = [await join(kit, organization), await join(kit, organization)]
    await enrol(first!, 1)
    expect(unwrap(await countMembersWithoutMfa(seatgate, scope))).toBe(3)
    unwrap(await suspendMember(seatgate, scope, first!))
    const { active } = unwrap(await countMembers(seatgate, scope))
    expect(unwrap(await countMembersWithoutMfa(seatgate, scope))).toBe(active)
    expect(active).toBe(2)
  })

  it('lists members without a credential in use [ORG-122]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    const scope = organization.as(organization.owner)
    const count = async () => unwrap(await countMembersWithoutMfa(seatgate, scope, credentials))
    const [ann, ben, cem] = [
      await join(kit, organization),
      await join(kit, organization),
      await join(kit, organization),
    ] as const
    await enrol(other.owner, 1)
    await enrol(await newUser(), 1)
    expect(await count()).toBe(4)
    await enrol(ann, 1)
    await enrol(ann, 1)
    expect(await count(), 'two credentials are one person').toBe(3)
    await enrol(ben, 0)
    expect(await count(), 'one that is not in use protects no member').toBe(3)
    await enrol(ben, 1)
    expect(await count()).toBe(2)
    unwrap(await suspendMember(seatgate, scope, cem))
    expect(await count(), 'a suspended member needs none').toBe(1)
    await enrol(organization.owner, 1)
    expect(await count()).toBe(0)
    unwrap(await restoreMember(seatgate, scope, cem))
    expect(await count()).toBe(1)
  })

  it('is shown to administrators of members [ORG-122]', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization)
    const admin = await join(kit, organization, 'admin')
    const codes: [string, string][] = [
      [admin, 'ok'],
      [member, 'insufficient_role'],
      [await newUser(), 'organization_not_found'],
    ]
    for (const [userId, code] of codes) {
      const answer = await countMembersWithoutMfa(seatgate, organization.as(userId), credentials)
      expect(codeOf(answer)).toBe(code)
    }
  })
})
