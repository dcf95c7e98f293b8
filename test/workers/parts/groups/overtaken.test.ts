/**
 * Changes of groups that another change overtakes, between the rows that they are planned on and their batch.
 */
import { expect, it } from 'vitest'
import { changeRole, suspendMember } from '../../../../src/index.ts'
import {
  addToGroup,
  createGroup,
  listGroupMembers,
  removeFromGroup,
  updateGroup,
} from '../../../../src/hono/groups/index.ts'
import {
  codeOf,
  createGroupsKit,
  eventsOf,
  join,
  meanwhile,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const RIGHTS = {
  roles: ['owner', 'lead', 'writer', 'member'],
  ownerRole: 'owner',
  permissions: { project: ['read', 'write'] },
  grants: { lead: ['members:manage', 'project:read'], writer: ['project:*'], member: [] },
} as const

const kit = createGroupsKit(RIGHTS)

const owned = (organization: TestOrganization) => organization.as(organization.owner)

/** A group with one member, and what another kit does between the reads and the batch of a change. */
async function scene(happens: (parts: Parts) => Promise<unknown>) {
  const organization = await kit.organization()
  const scope = owned(organization)
  const userId = await join(kit, organization)
  const group = unwrap(await createGroup(kit.context, scope, { name: 'First' }))
  const parts: Parts = { organization, scope, userId, groupId: group.id }
  const { context } = createGroupsKit({ ...RIGHTS, around: meanwhile(() => happens(parts)) })
  return { ...parts, context }
}

interface Parts {
  readonly organization: TestOrganization
  readonly scope: ReturnType<typeof owned>
  readonly userId: string
  readonly groupId: string
}

it('a member who was suspended since the read is not added', async () => {
  const { context, scope, groupId, userId } = await scene(async (parts) =>
    unwrap(await suspendMember(kit.seatgate, parts.scope, parts.userId))
  )
  const added = await addToGroup(context, scope, groupId, { userIds: [userId] })
  expect(codeOf(added)).not.toBe('ok')
  expect(unwrap(await listGroupMembers(kit.context, scope, groupId)).data).toEqual([])
})

it('a member who was removed since the read is removed once', async () => {
  const { context, organization, scope, groupId, userId } = await scene(async (parts) =>
    unwrap(await removeFromGroup(kit.context, parts.scope, parts.groupId, parts.userId))
  )
  // Another one stays: the number of members could go down by two.
  const userIds = [userId, await join(kit, organization)]
  unwrap(await addToGroup(kit.context, scope, groupId, { userIds }))
  expect(codeOf(await removeFromGroup(context, scope, groupId, userId))).toBe('not_found')
  const removed = await eventsOf(organization.id, 'organization.group.member_removed')
  expect(removed).toHaveLength(1)
  const count = await testEnv.DB.prepare('SELECT members FROM seatgate_groups WHERE id = ?')
    .bind(groupId)
    .first('members')
  expect(count).toBe(1)
})

it('a caller does not give a role that the group got since the read and that they may not give', async () => {
  const { context, organization, scope, groupId, userId } = await scene(async (parts) =>
    unwrap(await updateGroup(kit.context, parts.scope, parts.groupId, { role: 'writer' }))
  )
  const lead = await join(kit, organization)
  unwrap(await changeRole(kit.seatgate, scope, lead, { role: 'lead' }))
  const added = await addToGroup(context, organization.as(lead), groupId, { userIds: [userId] })
  expect(codeOf(added)).toBe('insufficient_role')
  expect(unwrap(await listGroupMembers(kit.context, scope, groupId)).data).toEqual([])
})
