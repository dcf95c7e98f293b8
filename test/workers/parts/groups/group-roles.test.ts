import { describe, expect, it } from 'vitest'
import {
  changeRole,
  createInvitation,
  listInvitations,
  removeMember,
  suspendMember,
  restoreMember,
} from '../../../../src/index.ts'
import {
  addToGroup,
  createGroup,
  deleteGroup,
  removeFromGroup,
  updateGroup,
} from '../../../../src/hono/groups/index.ts'
import { apiKeys, createApiKey } from '../../../../src/hono/keys/index.ts'
import {
  actionsOf,
  codeOf,
  createGroupsKit,
  expectSound,
  join,
  testEnv,
  unwrap,
  type GroupsKit,
  type TestOrganization,
} from '../../../kit/index.ts'

const RIGHTS = {
  roles: ['owner', 'admin', 'lead', 'writer', 'member'],
  ownerRole: 'owner',
  permissions: { project: ['read', 'write'] },
  grants: {
    admin: ['members:*', 'organization:update', 'project:read'],
    lead: ['members:invite', 'members:manage', 'project:read'],
    writer: ['project:*'],
    member: ['project:read'],
  },
} as const

const keys = apiKeys()
const kit = createGroupsKit({ ...RIGHTS, keys })
const { seatgate, context } = kit
const withKeys = { ...context, keys }
const owned = (organization: TestOrganization) => organization.as(organization.owner)

async function carrying(organization: TestOrganization, role: string | null, userIds: string[]) {
  const name = `Group ${crypto.randomUUID()}`
  const { id } = unwrap(await createGroup(context, owned(organization), { name, role }))
  if (userIds.length > 0) unwrap(await addToGroup(context, owned(organization), id, { userIds }))
  return id
}

const invites = ({ as }: TestOrganization, userId: string, role = 'member') =>
  createInvitation(seatgate, as(userId), { email: `${crypto.randomUUID()}@example.com`, role })

async function openInvitations(organization: TestOrganization): Promise<number> {
  return unwrap(await listInvitations(seatgate, owned(organization))).data.length
}

async function carriedBy({ id }: TestOrganization, userId: string) {
  const found = await testEnv.DB.prepare(
    'SELECT group_roles AS roles FROM seatgate_memberships WHERE organization_id = ? AND user_id = ?'
  )
    .bind(id, userId)
    .first<string | null>('roles')
  return found === null ? null : (JSON.parse(found) as string[])
}

describe('the role of a group', () => {
  it('gives its members the union of permissions [GROUP-14]', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization, 'member')
    expect(codeOf(await invites(organization, member))).toBe('insufficient_role')
    const leads = await carrying(organization, 'lead', [member])
    const writers = await carrying(organization, 'writer', [member])
    expect(await carriedBy(organization, member)).toEqual(['lead', 'writer'])
    expect(codeOf(await invites(organization, member))).toBe('ok')
    // Together the two groups give what no single one does: to invite to a role that writes.
    expect(codeOf(await invites(organization, member, 'writer'))).toBe('ok')
    unwrap(await removeFromGroup(context, owned(organization), writers, member))
    expect(codeOf(await invites(organization, member, 'writer'))).toBe('insufficient_role')
    unwrap(await updateGroup(context, owned(organization), leads, { role: null }))
    expect(await carriedBy(organization, member)).toBeNull()
    expect(codeOf(await invites(organization, member))).toBe('insufficient_role')
  })

  it('is not given without its permissions, and never the owner’s [GROUP-15]', async () => {
    const organization = await kit.organization()
    const lead = await join(kit, organization, 'lead')
    const peer = await join(kit, organization, 'member')
    const scope = organization.as(lead)
    const writers = await carrying(organization, 'writer', [])
    const plain = await carrying(organization, null, [peer, lead])
    const refused = [
      await createGroup(context, scope, { name: 'Writers', role: 'writer' }),
      await addToGroup(context, scope, writers, { userIds: [peer] }),
      await addToGroup(context, scope, writers, { userIds: [lead] }),
      await updateGroup(context, scope, plain, { role: 'writer' }),
      await updateGroup(context, scope, plain, { role: 'admin' }),
    ]
    expect(refused.map(codeOf)).toEqual(refused.map(() => 'insufficient_role'))
    expect(codeOf(await updateGroup(context, owned(organization), plain, { role: 'owner' }))).toBe(
      'validation_error'
    )
    expect(codeOf(await updateGroup(context, owned(organization), plain, { role: 'king' }))).toBe(
      'validation_error'
    )
    expect(unwrap(await updateGroup(context, scope, plain, { role: 'member' })).role).toBe('member')
  })

  it('does not change the role of the membership, nor the last owner [GROUP-14]', async () => {
    const organization = await kit.organization()
    const owner = organization.owner
    const id = await carrying(organization, 'admin', [owner])
    expect(codeOf(await removeMember(seatgate, owned(organization), owner))).toBe('last_owner')
    unwrap(await deleteGroup(context, owned(organization), id))
    const admin = await join(kit, organization, 'admin')
    unwrap(await changeRole(seatgate, organization.as(owner), admin, { role: 'member' }))
  })
})

const losses: Record<
  string,
  (team: { organization: TestOrganization; id: string; member: string }) => Promise<unknown>
> = {
  'leaving the group': ({ organization, id, member }) =>
    removeFromGroup(context, organization.as(member), id, member),
  'the removal from it': ({ organization, id, member }) =>
    removeFromGroup(context, owned(organization), id, member),
  'the deletion of it': ({ organization, id }) => deleteGroup(context, owned(organization), id),
  'its role': ({ organization, id }) =>
    updateGroup(context, owned(organization), id, { role: 'member' }),
  'the end of its role': ({ organization, id }) =>
    updateGroup(context, owned(organization), id, { role: null }),
}

describe('an invitation, link or key that needs a permission of a group', () => {
  it.each(Object.keys(losses))('ends with %s, in the same batch [GROUP-16]', async (loss) => {
    const organization = await kit.organization()
    const [member, both, admin] = [
      await join(kit, organization, 'member'),
      await join(kit, organization, 'member'),
      await join(kit, organization, 'admin'),
    ]
    const id = await carrying(organization, 'admin', [member, both, admin])
    await carrying(organization, 'admin', [both])
    for (const by of [member, both, admin]) {
      expect(codeOf(await invites(organization, by))).toBe('ok')
      const input = { name: 'CI', permissions: ['members:invite'], endsWithCreator: true } as const
      unwrap(await createApiKey(withKeys, organization.as(by), input))
    }
    const before = kit.trips()
    expect(await losses[loss]!({ organization, id, member })).toMatchObject({
      ok: true,
      value: { endedInvitations: 1 },
    })
    expect(kit.trips() - before).toBe(2)
    // What another group, or the own role, still allows stays.
    expect(await openInvitations(organization)).toBe(2)
    const { results } = await testEnv.DB.prepare(
      'SELECT created_by_id AS by FROM seatgate_api_keys WHERE organization_id = ?'
    )
      .bind(organization.id)
      .all<{ by: string }>()
    expect(results.map(({ by }) => by).toSorted()).toEqual([both, admin].toSorted())
    const ended = (await actionsOf(organization.id)).filter(
      (action) => action === 'organization.api_key.ended'
    )
    expect(ended).toHaveLength(1)
    await kit.settled()
    await expectSound(organization.id, false)
  })

  it('ends for many members with one statement for each kind [GROUP-16]', async () => {
    const organization = await kit.organization({ seats: 100 })
    const members: string[] = []
    for (let n = 0; n < 15; n++) members.push(await join(kit, organization, 'member'))
    const id = await carrying(organization, 'admin', members)
    for (const by of members) {
      const input = { name: 'CI', permissions: ['members:invite'], endsWithCreator: true } as const
      unwrap(await createApiKey(withKeys, organization.as(by), input))
      expect(codeOf(await invites(organization, by))).toBe('ok')
    }
    const { endedInvitations } = unwrap(await deleteGroup(context, owned(organization), id))
    expect(endedInvitations).toBe(15)
    expect(await openInvitations(organization)).toBe(0)
    const actions = await actionsOf(organization.id)
    expect(actions.filter((action) => action === 'organization.api_key.ended')).toHaveLength(15)
    await kit.settled()
    await expectSound(organization.id, false)
  })

  it('is not left open by two groups that end at once [GROUP-16]', async () => {
    for (let round = 0; round < 20; round++) {
      const organization = await kit.organization()
      const member = await join(kit, organization, 'member')
      const groups = [
        await carrying(organization, 'lead', [member]),
        await carrying(organization, 'lead', [member]),
      ]
      unwrap(await invites(organization, member))
      const answers = await Promise.all(
        groups.map((id, n) =>
          n === 0
            ? removeFromGroup(context, owned(organization), id, member)
            : deleteGroup(context, owned(organization), id)
        )
      )
      expect(answers.map(codeOf)).toEqual(['ok', 'ok'])
      expect(await carriedBy(organization, member)).toBeNull()
      expect(await openInvitations(organization)).toBe(0)
    }
  })

  it('is not created by a member who leaves the group at once with it [GROUP-16]', async () => {
    for (let round = 0; round < 20; round++) {
      const organization = await kit.organization()
      const member = await join(kit, organization, 'member')
      const id = await carrying(organization, 'lead', [member])
      const [sent, left] = await Promise.all([
        invites(organization, member),
        removeFromGroup(context, owned(organization), id, member),
      ])
      expect(['ok', 'insufficient_role']).toContain(codeOf(sent))
      expect(codeOf(left)).toBe('ok')
      expect(await openInvitations(organization)).toBe(0)
    }
  })

  it('ends with a suspension, and is not restored [GROUP-3 GROUP-16]', async () => {
    const organization = await kit.organization()
    const member = await join(kit, organization, 'member')
    await carrying(organization, 'lead', [member])
    unwrap(await suspendMember(seatgate, owned(organization), member))
    expect(await carriedBy(organization, member)).toBeNull()
    unwrap(await restoreMember(seatgate, owned(organization), member))
    expect(codeOf(await invites(organization, member))).toBe('insufficient_role')
  })
})

describe('a permission check by group', () => {
  it('costs as many round trips as one by role [GROUP-17]', async () => {
    const count = async ({ seatgate: own, trips }: GroupsKit, scope: object) => {
      const before = trips()
      unwrap(await listInvitations(own, scope as never))
      return trips() - before
    }
    const organization = await kit.organization()
    const [member, lead] = [
      await join(kit, organization, 'member'),
      await join(kit, organization, 'lead'),
    ]
    await carrying(organization, 'lead', [member])
    expect(await count(kit, organization.as(member))).toBe(1)
    expect(await count(kit, organization.as(lead))).toBe(1)
  })
})
