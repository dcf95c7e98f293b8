import { describe, expect, it } from 'vitest'
import {
  commitTogether,
  prepareUserDeletion,
  removeMember,
  restoreMember,
  suspendMember,
} from '../../../../src/index.ts'
import { addToGroup, listGroupMembers, listGroups } from '../../../../src/hono/groups/index.ts'
import {
  codeOf,
  createGroupsKit,
  expectSound,
  groupOf,
  join,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createGroupsKit()
const { seatgate, context } = kit

/** Two groups of an organization, both with this member and another one. */
async function withGroups() {
  const organization = await kit.organization()
  const [member, peer] = [
    await join(kit, organization, 'member'),
    await join(kit, organization, 'member'),
  ]
  const groups = [
    await groupOf(kit, organization, [member, peer]),
    await groupOf(kit, organization, [member, organization.owner, peer]),
    await groupOf(kit, organization, [peer]),
  ]
  return { organization, owner: organization.as(organization.owner), member, peer, groups }
}
type Case = Awaited<ReturnType<typeof withGroups>>

const losses: Record<string, (team: Case) => Promise<unknown>> = {
  'a removal': ({ owner, member }) => removeMember(seatgate, owner, member),
  'a suspension': ({ owner, member }) => suspendMember(seatgate, owner, member),
  'a departure': ({ organization, member }) =>
    removeMember(seatgate, organization.as(member), member),
  'the deletion of the user': async ({ member }) => {
    const caller = { type: 'system' } as const
    const prepared = unwrap(await prepareUserDeletion(seatgate, { caller }, member))
    return commitTogether(seatgate, prepared)
  },
}

/** The rows of an organization's groups against the members that are counted. */
async function counted({ id }: TestOrganization) {
  const { results } = await testEnv.DB.prepare(
    `SELECT g.id, g.members, (SELECT count(*) FROM seatgate_group_members m
      WHERE m.organization_id = g.organization_id AND m.group_id = g.id) AS counted
     FROM seatgate_groups g WHERE g.organization_id = ?`
  )
    .bind(id)
    .all<{ id: string; members: number; counted: number }>()
  for (const row of results) expect(row.members).toBe(row.counted)
  return Object.fromEntries(results.map((row) => [row.id, row.members]))
}

describe('a membership in a group', () => {
  it.each(Object.keys(losses))(
    'ends with %s, and other memberships stay [GROUP-3]',
    async (loss) => {
      const team = await withGroups()
      const { organization, owner, member, peer, groups } = team
      expect(await losses[loss]!(team)).toMatchObject({ ok: true })
      expect(unwrap(await listGroups(context, owner, { userId: member })).data).toEqual([])
      expect(unwrap(await listGroups(context, owner, { userId: peer })).data).toHaveLength(3)
      const members = await counted(organization)
      expect(groups.map(({ id }) => members[id])).toEqual([1, 2, 1])
      await kit.settled()
      await expectSound(organization.id, false)
    }
  )

  it('ends in the batch of the loss, or not at all [GROUP-3]', async () => {
    const { owner, member, groups } = await withGroups()
    let fails = false
    const failing = createGroupsKit({
      around: ({ asked }, run) =>
        fails && asked.some((sql) => /^delete from "seatgate_memberships"/i.test(sql))
          ? Promise.reject(new Error('D1_ERROR: disk I/O error: SQLITE_IOERR'))
          : run(),
    })
    fails = true
    expect(codeOf(await removeMember(failing.seatgate, owner, member))).toBe('unavailable')
    const page = unwrap(await listGroupMembers(context, owner, groups[0]!.id))
    expect(page.data.map(({ userId }) => userId)).toContain(member)
    fails = false
    const before = failing.trips()
    unwrap(await removeMember(failing.seatgate, owner, member))
    expect(failing.trips() - before).toBe(2)
    expect(unwrap(await listGroups(context, owner, { userId: member })).data).toEqual([])
  })

  it('is not restored with the member [GROUP-3]', async () => {
    const { owner, member } = await withGroups()
    unwrap(await suspendMember(seatgate, owner, member))
    unwrap(await restoreMember(seatgate, owner, member))
    expect(unwrap(await listGroups(context, owner, { userId: member })).data).toEqual([])
  })

  it('is not created for a member who leaves at once with it [GROUP-2 GROUP-3]', async () => {
    for (let round = 0; round < 20; round++) {
      const organization = await kit.organization()
      const owner = organization.as(organization.owner)
      const member = await join(kit, organization, 'member')
      const group = await groupOf(kit, organization, [organization.owner])
      const leave = round % 2 === 0 ? removeMember : suspendMember
      const [added, left] = await Promise.all([
        addToGroup(context, owner, group.id, { userIds: [member] }),
        leave(seatgate, owner, member),
      ])
      expect(['ok', 'validation_error']).toContain(codeOf(added))
      expect(codeOf(left)).toBe('ok')
      expect(await counted(organization)).toEqual({ [group.id]: 1 })
      expect(unwrap(await listGroups(context, owner, { userId: member })).data).toEqual([])
    }
  })
})
