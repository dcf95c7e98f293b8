import { describe, expect, it } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  addToGroup,
  createGroup,
  deleteGroup,
  groupRoutes,
  groups,
  listGroupMembers,
  listGroups,
  removeFromGroup,
  updateGroup,
} from '../../../../src/hono/groups/index.ts'
import { createSeatgate, d1Seats, suspendMember } from '../../../../src/index.ts'
import {
  actionsOf,
  asUser,
  codeOf,
  createGroupsKit,
  db,
  expectSound,
  groupOf,
  join,
  newUser,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createGroupsKit()
const { context, client } = kit
const owned = (organization: TestOrganization) => organization.as(organization.owner)

async function inIt(organization: TestOrganization, id: string) {
  const page = unwrap(await listGroupMembers(context, owned(organization), id, { limit: 200 }))
  return page.data.map(({ userId }) => userId)
}

describe('a group', () => {
  it('has only active members of its organization, and adds all users of a request or no user [GROUP-2]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    const member = await join(kit, organization, 'member')
    const away = await join(kit, organization, 'member')
    unwrap(await suspendMember(kit.seatgate, owned(organization), away))
    const group = await groupOf(kit, organization)
    const scope = owned(organization)
    for (const stranger of [await newUser(), other.owner, away, 'nobody']) {
      const userIds = [member, stranger]
      const refused = await addToGroup(context, scope, group.id, { userIds })
      expect(refused).toMatchObject({ ok: false, error: { code: 'validation_error' } })
    }
    expect(await inIt(organization, group.id)).toEqual([])
    const userIds = [member, organization.owner, member]
    const added = unwrap(await addToGroup(context, scope, group.id, { userIds }))
    expect(added.members).toBe(2)
    expect(await inIt(organization, group.id)).toEqual([member, organization.owner].toSorted())
  })

  it('lists its members page by page, also those whose ids are not ASCII [GROUP-2]', async () => {
    const organization = await kit.organization()
    const ids = ['\u7528\u6237', 'Zo\u00eb'].map((name) => `${name}-${crypto.randomUUID()}`)
    for (const id of ids) {
      const email = `${crypto.randomUUID()}@example.com`
      const row = { id, email, passwordHash: 'none', createdAt: new Date(0) }
      await db.insert(users).values(row)
      await join(kit, organization, 'member', id)
    }
    const { id } = await groupOf(kit, organization)
    const scope = owned(organization)
    unwrap(await addToGroup(context, scope, id, { userIds: ids }))
    const first = unwrap(await listGroupMembers(context, scope, id, { limit: 1 }))
    const cursor = first.nextCursor ?? ''
    const second = unwrap(await listGroupMembers(context, scope, id, { limit: 1, cursor }))
    const shown = [...first.data, ...second.data].map(({ userId }) => userId)
    expect(shown).toEqual(ids.toSorted())
    expect(second.nextCursor).toBeNull()
  })

  it('has a name that is unique in its organization [GROUP-6]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    const scope = owned(organization)
    const first = unwrap(await createGroup(context, scope, { name: 'Design' }))
    const second = unwrap(await createGroup(context, scope, { name: 'Sales' }))
    expect(codeOf(await createGroup(context, scope, { name: 'DESIGN' }))).toBe('validation_error')
    expect(codeOf(await updateGroup(context, scope, second.id, { name: 'design' }))).toBe(
      'validation_error'
    )
    expect(unwrap(await updateGroup(context, scope, first.id, { name: 'DESIGN' })).name).toBe(
      'DESIGN'
    )
    unwrap(await createGroup(context, owned(other), { name: 'Design' }))
    // What looks the same is the same name, and is stored without the blanks around it.
    unwrap(await updateGroup(context, scope, second.id, { name: ' Caf\u00e9 ' }))
    const alike = ['Cafe\u0301', 'CAF\u00c9', 'Ca\u200bf\u00e9', 'Caf\u00e9\u2060', ' Caf\u00e9']
    for (const name of alike) {
      expect(codeOf(await createGroup(context, scope, { name })), name).toBe('validation_error')
    }
    const { data } = unwrap(await listGroups(context, scope))
    expect(data.map(({ name }) => name).toSorted()).toEqual(['Caf\u00e9', 'DESIGN'])
    const raced = await Promise.all(
      Array.from({ length: 10 }, () => createGroup(context, scope, { name: 'Support' }))
    )
    expect(raced.filter(({ ok }) => ok)).toHaveLength(1)
    expect(new Set(raced.filter(({ ok }) => !ok).map(codeOf))).toEqual(
      new Set(['validation_error'])
    )
  })

  it('is absent for another organization [GROUP-9]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    const { id } = await groupOf(kit, organization, [organization.owner])
    const scope = owned(other)
    const answers = [
      await updateGroup(context, scope, id, { name: 'Mine' }),
      await deleteGroup(context, scope, id),
      await addToGroup(context, scope, id, { userIds: [other.owner] }),
      await removeFromGroup(context, scope, id, organization.owner),
      await listGroupMembers(context, scope, id),
    ]
    expect(answers.map(codeOf)).toEqual(Array.from({ length: 5 }, () => 'not_found'))
    expect(unwrap(await listGroups(context, scope)).data).toEqual([])
    expect(unwrap(await listGroups(context, scope, { userId: organization.owner })).data).toEqual(
      []
    )
    expect(await inIt(organization, id)).toEqual([organization.owner])
  })

  it('records added and removed members, and no repeat [GROUP-7 GROUP-8]', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization, 'member')
    const scope = owned(organization)
    const { id } = unwrap(await createGroup(context, scope, { name: 'Design' }))
    for (let time = 0; time < 2; time++) {
      unwrap(await addToGroup(context, scope, id, { userIds: [member] }))
      unwrap(await updateGroup(context, scope, id, { name: 'Product' }))
    }
    unwrap(await removeFromGroup(context, scope, id, member))
    expect(codeOf(await removeFromGroup(context, scope, id, member))).toBe('not_found')
    unwrap(await deleteGroup(context, scope, id))
    expect(codeOf(await deleteGroup(context, scope, id))).toBe('not_found')
    const actions = await actionsOf(organization.id)
    expect(actions.filter((action) => action.startsWith('organization.group'))).toEqual([
      'organization.group.created',
      'organization.group.member_added',
      'organization.group.updated',
      'organization.group.member_removed',
      'organization.group.deleted',
    ])
    await kit.settled()
    await expectSound(organization.id, false)
  })

  it('can be left by each of its members, in any role [GROUP-1]', async () => {
    const organization = await kit.organization()
    const [member, peer] = [
      await join(kit, organization, 'member'),
      await join(kit, organization, 'member'),
    ]
    const { id } = await groupOf(kit, organization, [member, peer])
    const scope = organization.as(member)
    expect(codeOf(await removeFromGroup(context, scope, id, peer))).toBe('insufficient_role')
    unwrap(await removeFromGroup(context, scope, id, member))
    expect(await inIt(organization, id)).toEqual([peer])
    expect(codeOf(await addToGroup(context, scope, id, { userIds: [member] }))).toBe(
      'insufficient_role'
    )
  })

  it('is made once under an Idempotency-Key [GROUP-11]', async () => {
    const organization = await kit.organization()
    const path = `/organizations/${organization.id}/groups`
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const once = () =>
      client.send('POST', path, { name: 'Design' }, asUser({ userId: organization.owner }), headers)
    const [first, second] = [await once(), await once()]
    expect([first.status, second.status]).toEqual([201, 201])
    expect(await second.json()).toEqual(await first.json())
    expect(unwrap(await listGroups(context, owned(organization))).data).toHaveLength(1)
  })
})

describe('a list of groups', () => {
  it('has pages, newest first, and can be of one member [GROUP-12]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    const member = await join(kit, organization, 'member')
    const made = []
    for (let n = 0; n < 5; n++) {
      made.unshift(await groupOf(kit, organization, n % 2 === 0 ? [member] : []))
    }
    const first = unwrap(await listGroups(context, scope, { limit: 3 }))
    const cursor = first.nextCursor ?? ''
    const second = unwrap(await listGroups(context, scope, { limit: 3, cursor }))
    const ids = [...first.data, ...second.data].map(({ id }) => id)
    expect(ids.toSorted()).toEqual(made.map(({ id }) => id).toSorted())
    expect(second.nextCursor).toBeNull()
    const theirs = unwrap(await listGroups(context, organization.as(member), { userId: member }))
    expect(theirs.data).toHaveLength(3)
    const path = `/organizations/${organization.id}/groups`
    expect(
      (await client.get(`${path}?userid=x`, asUser({ userId: organization.owner }))).status
    ).toBe(422)
    const wrong = await listGroupMembers(context, scope, made[0]!.id, { cursor })
    expect(codeOf(wrong)).toBe('invalid_cursor')
  })

  it('has pages of members [GROUP-12]', async () => {
    const organization = await kit.organization()
    const members = [organization.owner]
    for (let n = 0; n < 4; n++) members.push(await join(kit, organization, 'member'))
    const { id } = await groupOf(kit, organization, members)
    const found: string[] = []
    let cursor: string | null | undefined
    while (cursor !== null) {
      const page = { limit: 2, ...(cursor && { cursor }) }
      const answer = unwrap(await listGroupMembers(context, owned(organization), id, page))
      found.push(...answer.data.map(({ userId }) => userId))
      cursor = answer.nextCursor
    }
    expect(found).toEqual(members.toSorted())
  })
})

describe('a limit', () => {
  const small = createGroupsKit({}, { limit: 3, memberLimit: 4 })

  it('of groups holds for concurrent creations [GROUP-4]', async () => {
    const organization = await small.organization()
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        createGroup(small.context, owned(organization), { name: `Group ${n}` })
      )
    )
    expect(answers.filter(({ ok }) => ok)).toHaveLength(3)
    expect(
      codeOf(await createGroup(small.context, owned(organization), { name: 'One more' }))
    ).toBe('too_many')
  })

  it('of members holds for concurrent additions, and removals free places [GROUP-5]', async () => {
    const organization = await small.organization()
    const members: string[] = []
    for (let n = 0; n < 8; n++) members.push(await join(small, organization, 'member'))
    const { id } = await groupOf(small, organization)
    const scope = owned(organization)
    const adds = await Promise.all(
      members.map((userId) => addToGroup(small.context, scope, id, { userIds: [userId] }))
    )
    const added = members.filter((_, n) => adds[n]!.ok)
    expect(added).toHaveLength(4)
    expect(new Set(adds.filter(({ ok }) => !ok).map(codeOf))).toEqual(new Set(['too_many']))
    unwrap(await removeFromGroup(small.context, scope, id, added[0]!))
    const again = members.find((userId) => !added.includes(userId))!
    expect(unwrap(await addToGroup(small.context, scope, id, { userIds: [again] })).members).toBe(4)
  })
})

describe('a configuration', () => {
  it('without groups has no function and no route of them [GROUP-10]', () => {
    const seatgate = createSeatgate({ database: db, seats: d1Seats(), sessions: 'none' })
    const untyped = seatgate as unknown as typeof context
    expect(() => groupRoutes(untyped, { authenticate: () => null })).toThrow(/groups: groups/)
    expect(seatgate.groups).toBeNull()
    expect(seatgate.followers).toEqual([])
  })

  it('throws for a wrong number', () => {
    for (const limit of [0, 1.5, 1001, NaN, '5']) {
      expect(() => groups({ limit: limit as number })).toThrow(TypeError)
    }
    for (const memberLimit of [0, 5001]) expect(() => groups({ memberLimit })).toThrow(TypeError)
  })
})

describe('bad input', () => {
  it('is refused with the field', async () => {
    const organization = await kit.organization()
    const { id } = await groupOf(kit, organization)
    const path = `/organizations/${organization.id}/groups`
    const bodies = [{}, { name: '' }, { name: '  ' }, { name: 7 }, { name: 'x'.repeat(101) }]
    const unseen = ['\u200b', '\u2800', '\u202eabc', 'a\u0000b'].map((name) => ({ name }))
    for (const body of [...bodies, ...unseen, []]) {
      expect((await client.post(path, body, asUser({ userId: organization.owner }))).status).toBe(
        422
      )
      expect(
        (await client.patch(`${path}/${id}`, body, asUser({ userId: organization.owner }))).status
      ).toBe(422)
    }
    const lists = [{}, { userIds: [] }, { userIds: 'me' }, { userIds: [7] }]
    for (const body of [...lists, { userIds: Array.from({ length: 101 }, (_, n) => `${n}`) }]) {
      const answer = await client.post(
        `${path}/${id}/members`,
        body,
        asUser({ userId: organization.owner })
      )
      expect(answer.status).toBe(422)
    }
  })
})
