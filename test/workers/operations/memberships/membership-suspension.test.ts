import { describe, expect, it } from 'vitest'
import {
  getMembership,
  listMembers,
  restoreMember,
  restoreMembers,
  seatUsage,
  suspendMember,
} from '../../../../src/index.ts'
import {
  fullTeam,
  host,
  readState,
  violations,
  actionsOf,
  everything,
  meanwhile,
  pointerOf,
  sessionOf,
  atScale,
  add,
  unwrap,
  codeOf,
  createKit,
  eachWay,
  enforcingOr,
  join,
  leave,
  type TestOrganization,
  type Kit,
} from '../../../kit/index.ts'

const ROUNDS = atScale({ share: 2, thorough: 4, whole: 10 })

/** An organization whose seats are all taken, by its owner and by these. */
async function full(kit: Kit, limit: number) {
  const organization = await kit.organization({ seats: limit })
  const members: string[] = []
  while (members.length < limit - 1) members.push(await join(kit, organization))
  return { organization, members, scope: organization.as(organization.owner) }
}

async function rowOf({ id }: TestOrganization, userId: string) {
  const { members } = await readState(id)
  return members.find(({ user_id }) => user_id === userId)
}

const used = async (kit: Kit, organization: TestOrganization) => {
  const { held, reserved } = unwrap(
    await seatUsage(kit.seatgate, organization.as(organization.owner))
  )
  return { held, reserved }
}

describe.each(enforcingOr('d1'))('suspension (%s)', (provider) => {
  const kit = createKit({ provider })
  const { seatgate } = kit

  it('ends access, keeps the row, and another user has the seat at once [ORG-98 MUSEUM-13]', async () => {
    const { organization, members, scope } = await full(kit, 3)
    const [userId] = members as [string]
    const session = await sessionOf(userId, organization.id)
    const before = await rowOf(organization, userId)
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')

    const suspended = unwrap(await suspendMember(seatgate, scope, userId))
    // Nothing is waited for: the seat must be free when the answer is there.
    expect(codeOf(await add(kit, organization))).toBe('ok')
    await kit.settled()
    expect(suspended).toMatchObject({ userId, status: 'suspended', role: 'member' })
    expect(await rowOf(organization, userId)).toEqual({
      ...before,
      status: 'suspended',
      suspended_by: 'admin',
      seat_id: null,
    })
    expect(await pointerOf(session)).toBeNull()
    expect(codeOf(await listMembers(seatgate, organization.as(userId)))).toBe(
      'organization_not_found'
    )
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('of a suspended member writes no row [ORG-98]', async () => {
    const { members, scope } = await full(kit, 2)
    unwrap(await suspendMember(seatgate, scope, members[0]!))
    await kit.settled()
    const before = await everything()
    expect(unwrap(await suspendMember(seatgate, scope, members[0]!)).status).toBe('suspended')
    await kit.settled()
    expect(await everything()).toEqual(before)
  })

  it('is ended through the gate, with a seat of its own [ORG-99 MUSEUM-13]', async () => {
    const { organization, members, scope } = await full(kit, 3)
    const [userId] = members as [string]
    const { seat_id: old } = (await rowOf(organization, userId))!
    unwrap(await suspendMember(seatgate, scope, userId))
    const taken = await join(kit, organization)
    const before = await everything()

    expect(await restoreMember(seatgate, scope, userId)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 3, used: 3 },
    })
    await kit.settled()
    expect(await everything()).toEqual(before)
    expect(await used(kit, organization)).toEqual({ held: 3, reserved: 0 })

    unwrap(await leave(kit, organization, taken))
    expect(unwrap(await restoreMember(seatgate, scope, userId))).toMatchObject({
      userId,
      role: 'member',
      status: 'active',
    })
    await kit.settled()
    const restored = await rowOf(organization, userId)
    expect(restored).toMatchObject({ status: 'active', suspended_by: null })
    expect(restored?.seat_id).not.toBeNull()
    expect(restored?.seat_id).not.toBe(old)
    expect(codeOf(await listMembers(seatgate, organization.as(userId)))).toBe('ok')
    expect(await actionsOf(organization.id)).toContain('organization.member_restore')
    expect(await used(kit, organization)).toEqual({ held: 3, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('of three is ended for all or, with two seats free, for no user [ORG-99 MUSEUM-13]', async () => {
    const { organization, members, scope } = await full(kit, 4)
    for (const userId of members) unwrap(await suspendMember(seatgate, scope, userId))
    await join(kit, organization)
    const before = await everything()
    const statuses = async () =>
      (await Promise.all(members.map((userId) => rowOf(organization, userId)))).map(
        (row) => row?.status
      )

    const answer = await restoreMembers(seatgate, scope, { userIds: members })
    await kit.settled()
    expect(answer).toMatchObject({ ok: false, error: { code: 'seat_limit_reached', limit: 4 } })
    expect(await everything()).toEqual(before)
    expect(await statuses()).toEqual(['suspended', 'suspended', 'suspended'])
    expect(await used(kit, organization)).toEqual({ held: 2, reserved: 0 })

    const two = { userIds: members.slice(1) }
    expect(unwrap(await restoreMembers(seatgate, scope, two))).toHaveLength(2)
    await kit.settled()
    expect(await statuses()).toEqual(['suspended', 'active', 'active'])
    expect(await used(kit, organization)).toEqual({ held: 4, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('of several users stays for all if one of them is not a member [ORG-99]', async () => {
    const { organization, members, scope } = await full(kit, 3)
    for (const userId of members) unwrap(await suspendMember(seatgate, scope, userId))
    await kit.settled()
    const before = await everything()
    const userIds = [...members, crypto.randomUUID()]
    expect(codeOf(await restoreMembers(seatgate, scope, { userIds }))).toBe('not_found')
    expect(await everything()).toEqual(before)
    expect(await used(kit, organization)).toEqual({ held: 1, reserved: 0 })
  })

  it('that is ended twice at once takes one seat [ORG-99]', async () => {
    const { organization, members, scope } = await full(kit, 2)
    unwrap(await suspendMember(seatgate, scope, members[0]!))
    const answers = await Promise.all([1, 2].map(() => restoreMember(seatgate, scope, members[0]!)))
    await kit.settled()
    expect(answers.map(codeOf)).toContain('ok')
    expect(await used(kit, organization)).toEqual({ held: 2, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('cannot be ended for a user who is removed before the batch [ORG-99]', async () => {
    const { organization, members, scope } = await full(kit, 3)
    unwrap(await suspendMember(seatgate, scope, members[0]!))
    const slow = createKit({
      provider,
      around: meanwhile(() => leave(kit, organization, members[0]!, organization.owner)),
    })
    expect(codeOf(await restoreMember(slow.seatgate, scope, members[0]!))).toBe('not_found')
    await slow.settled()
    expect(await used(kit, organization)).toEqual({ held: 2, reserved: 0 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is refused for the last owner who can act [ORG-100]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const other = await join(kit, organization, 'owner')
    unwrap(await suspendMember(seatgate, scope, other))
    await kit.settled()
    const before = await everything()
    expect(await suspendMember(seatgate, scope, organization.owner)).toEqual({
      ok: false,
      error: { code: 'last_owner' },
    })
    expect(await everything()).toEqual(before)
    unwrap(await restoreMember(seatgate, scope, other))
    expect(codeOf(await suspendMember(seatgate, scope, organization.owner))).toBe('ok')
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('the last seat', () => {
  eachWay('goes to who joins or to who is restored [ORG-99 MUSEUM-13]', async ({ calm, kit }) => {
    for (let round = 0; round < ROUNDS; round++) {
      const organization = await calm.organization({ seats: 3, members: 2 })
      const suspended = await join(calm, organization)
      const scope = organization.as(organization.owner)
      unwrap(await suspendMember(calm.seatgate, scope, suspended))
      await calm.settled()
      const acts = [
        () => restoreMember(kit.seatgate, scope, suspended),
        () => add(kit, organization),
      ]
      if (round % 2 === 1) acts.reverse()
      const codes = (await Promise.all(acts.map((act) => act()))).map(codeOf)
      await kit.settled()
      expect(codes.toSorted(), `round ${round}`).toEqual(['ok', 'seat_limit_reached'])
      expect(await used(calm, organization)).toEqual({ held: 3, reserved: 0 })
      expect(await violations(organization.id, { quiet: true }), `round ${round}`).toEqual([])
    }
  })
})

describe('a suspended member over HTTP', () => {
  it('is outside from the next request on, and inside again once restored [ORG-98 ORG-99]', async () => {
    const { organization, owner, member, memberPath } = await fullTeam()
    const look = async () =>
      (await host.get(`/organizations/${organization.id}`, member.token)).status
    expect(await look()).toBe(200)
    const suspended = await host.post(`${memberPath(member)}/suspend`, undefined, owner.token)
    expect(suspended.status).toBe(200)
    expect(await look()).toBe(404)
    const { seatgate } = createKit()
    expect(await getMembership(seatgate, member.userId, organization.id)).toMatchObject({
      status: 'suspended',
    })
    await host.post(`${memberPath(member)}/restore`, undefined, owner.token)
    expect(await look()).toBe(200)
  })
})
