import { describe, expect, it } from 'vitest'
import {
  commitTogether,
  createInvitation,
  listAuditEvents,
  prepareMember,
  type Principal,
} from '../../../../src/index.ts'
import {
  addToGroup,
  createGroup,
  listGroups,
  removeFromGroup,
  updateGroup,
} from '../../../../src/hono/groups/index.ts'
import { deleteRole, listRoles, updateRole } from '../../../../src/hono/roles/index.ts'
import {
  carriedBy,
  codeOf,
  createGroupRolesKit,
  expectSound,
  groupWith,
  join,
  leftOf,
  makeAll,
  namesCarried,
  newAddress,
  newUser,
  roleOf,
  testEnv,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createGroupRolesKit()
const { context, seatgate } = kit
const ROUNDS = 20
const LEAD = ['members:invite', 'organization:update', 'project:read'] as const
const owned = (organization: TestOrganization) => organization.as(organization.owner)

/** Expects that every role of a group, and of a member by one, is a role of the organization. */
async function expectKnownNames(organization: TestOrganization) {
  const { data } = unwrap(await listRoles(context, owned(organization)))
  const known = data.map(({ name }) => name)
  expect((await namesCarried(organization)).filter((name) => !known.includes(name))).toEqual([])
}

/** Stores the roles of a member's groups as they would be after a change of the configuration. */
async function carry({ id }: TestOrganization, userId: string, roles: readonly string[]) {
  await testEnv.DB.prepare(
    'UPDATE seatgate_memberships SET group_roles = ? WHERE organization_id = ? AND user_id = ?'
  )
    .bind(JSON.stringify(roles), id, userId)
    .run()
}

async function addedTogether(
  seatgate: typeof kit.seatgate,
  preparing: ReturnType<typeof prepareMember>
) {
  const prepared = await preparing
  return prepared.ok ? commitTogether(seatgate, prepared.value) : prepared
}

async function sound(organization: TestOrganization) {
  await kit.settled()
  await expectSound(organization.id, false)
}

describe('a group with a role of the organization', () => {
  it('gives its permissions, in queries too [GROUP-18]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    await roleOf(kit, organization, [...LEAD, 'audit:read', 'members:manage'], 'lead')
    const member = await join(kit, organization, 'member')
    const as = organization.as(member)
    const input = { email: newAddress(), role: 'member' }
    expect(codeOf(await createInvitation(seatgate, as, input))).toBe('insufficient_role')
    expect(codeOf(await listAuditEvents(seatgate, as))).toBe('insufficient_role')
    const id = await groupWith(kit, organization, 'lead', [member])
    expect(await carriedBy(organization, member)).toEqual(['lead'])
    expect(codeOf(await createInvitation(seatgate, as, input))).toBe('ok')
    expect(unwrap(await listAuditEvents(seatgate, as)).data).not.toEqual([])
    const newcomer = unwrap(
      await prepareMember(
        seatgate,
        { caller: { userId: member }, organization: organization.id },
        { userId: await newUser(), role: 'member' }
      )
    )
    expect(codeOf(await commitTogether(seatgate, newcomer))).toBe('ok')
    // Without audit:read in it the same query has no rows.
    unwrap(await updateRole(context, scope, 'lead', { permissions: [...LEAD] }))
    expect(codeOf(await listAuditEvents(seatgate, as))).toBe('insufficient_role')
    unwrap(await updateGroup(context, scope, id, { role: 'member' }))
    expect(codeOf(await createInvitation(seatgate, as, input))).toBe('insufficient_role')
    await sound(organization)
  })

  it('counts together with the member’s own role where a membership is prepared [GROUP-18]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, ['members:manage'], 'keeper')
    await roleOf(kit, organization, ['project:read'], 'reader')
    const prepared = async (caller: Principal, role = 'member') => {
      const scope = { caller, organization: organization.id }
      const input = { userId: await newUser(), role }
      return codeOf(await addedTogether(seatgate, prepareMember(seatgate, scope, input)))
    }
    const [keeper, reader] = [
      await join(kit, organization, 'keeper'),
      await join(kit, organization, 'reader'),
    ]
    // Each has a half of what it takes.
    expect(await prepared({ userId: keeper })).toBe('insufficient_role')
    expect(await prepared({ userId: reader })).toBe('insufficient_role')
    await groupWith(kit, organization, 'reader', [keeper])
    await groupWith(kit, organization, 'keeper', [reader])
    expect(await prepared({ userId: keeper })).toBe('ok')
    expect(await prepared({ userId: reader })).toBe('ok')
    expect(await prepared({ userId: keeper }, 'admin')).toBe('insufficient_role')
    await groupWith(kit, organization, 'admin', [keeper])
    expect(await prepared({ userId: keeper }, 'admin')).toBe('ok')
    expect(await prepared({ userId: keeper }, 'owner')).toBe('insufficient_role')
    expect(await prepared({ userId: organization.owner }, 'owner')).toBe('ok')
    const machine = (role: string) =>
      ({
        type: 'service_account',
        serviceAccountId: 'robot',
        organizationId: organization.id,
        role,
      }) as const
    await roleOf(kit, organization, ['members:manage', 'project:read'], 'robots')
    expect(await prepared(machine('robots'))).toBe('ok')
    expect(await prepared(machine('[members:manage project:read]'))).toBe('ok')
    for (const role of ['keeper', 'reader', 'nobody', '[members:manage]']) {
      expect(await prepared(machine(role)), role).toBe('insufficient_role')
    }
    // A group's role that has become the owner's gives no right.
    await carry(organization, keeper, ['owner'])
    expect(await prepared({ userId: keeper })).toBe('insufficient_role')
    expect(await prepared({ userId: keeper }, 'owner')).toBe('insufficient_role')
    await sound(organization)
  })

  it('carries only a role of the organization, given by a caller with its permissions [GROUP-18]', async () => {
    const [organization, other] = [await kit.organization(), await kit.organization()]
    await roleOf(kit, organization, ['audit:read'], 'auditor')
    await roleOf(kit, other, ['project:read'], 'stranger')
    const admin = organization.as(await join(kit, organization, 'admin'))
    const member = await join(kit, organization, 'member')
    const made = (scope: typeof admin, role: string) =>
      createGroup(context, scope, { name: crypto.randomUUID(), role }).then(codeOf)
    expect(await made(owned(organization), 'stranger')).toBe('validation_error')
    expect(await made(owned(organization), 'nobody')).toBe('validation_error')
    expect(await made(admin, 'auditor')).toBe('insufficient_role')
    const auditors = await groupWith(kit, organization, 'auditor')
    const plain = await groupWith(kit, organization, 'member')
    const added = await addToGroup(context, admin, auditors, { userIds: [member] })
    expect(codeOf(added)).toBe('insufficient_role')
    const change = (role: string, scope = admin) =>
      updateGroup(context, scope, plain, { role }).then(codeOf)
    expect(await change('auditor')).toBe('insufficient_role')
    expect(await change('stranger', owned(organization))).toBe('validation_error')
    expect(await change('auditor', owned(organization))).toBe('ok')
  })
})

describe('a change of a role that groups carry', () => {
  it('renames it in groups and for their members, and keeps their invitations, links and keys [PERM-17]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, LEAD, 'lead')
    const member = await join(kit, organization, 'member')
    const id = await groupWith(kit, organization, 'lead', [member])
    await makeAll(kit, organization, member)
    const before = kit.trips()
    unwrap(await updateRole(context, owned(organization), 'lead', { name: 'head' }))
    expect(kit.trips() - before).toBe(2)
    const { data } = unwrap(await listGroups(context, owned(organization)))
    expect(data.map((group) => [group.id, group.role])).toEqual([[id, 'head']])
    expect(await carriedBy(organization, member)).toEqual(['head'])
    expect(await leftOf(organization, member)).toEqual([1, 1, 1])
    await sound(organization)
  })

  it('counts groups before a deletion, and replaces the role in them [PERM-17]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    await roleOf(kit, organization, LEAD, 'lead')
    const [one, both] = [
      await join(kit, organization, 'member'),
      await join(kit, organization, 'member'),
    ]
    await groupWith(kit, organization, 'lead', [one, both])
    await groupWith(kit, organization, 'admin', [both])
    for (const userId of [one, both]) await makeAll(kit, organization, userId)
    expect(await deleteRole(context, scope, 'lead')).toMatchObject({
      error: { code: 'role_in_use', uses: { groups: 1 } },
    })
    unwrap(await deleteRole(context, scope, 'lead', { replacement: 'member' }))
    expect(await carriedBy(organization, one)).toEqual(['member'])
    expect(await carriedBy(organization, both)).toEqual(['admin', 'member'])
    expect(await leftOf(organization, one)).toEqual([0, 0, 0])
    expect(await leftOf(organization, both)).toEqual([1, 1, 1])
    await roleOf(kit, organization, LEAD, 'lead')
    await groupWith(kit, organization, 'lead', [both])
    unwrap(await deleteRole(context, scope, 'lead', { replacement: 'admin' }))
    // A role that two of their groups carry is there once.
    expect(await carriedBy(organization, both)).toEqual(['admin', 'member'])
    await expectKnownNames(organization)
    await sound(organization)
  })

  it('ends invitations, links and keys that need a lost permission, in the same batch [PERM-18]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, LEAD, 'lead')
    const [member, admin, both, lead] = [
      await join(kit, organization, 'member'),
      await join(kit, organization, 'admin'),
      await join(kit, organization, 'member'),
      await join(kit, organization, 'lead'),
    ]
    await groupWith(kit, organization, 'lead', [member, admin, both])
    await groupWith(kit, organization, 'admin', [both])
    for (const userId of [member, admin, both, lead]) await makeAll(kit, organization, userId)
    const before = kit.trips()
    const permissions = ['project:read']
    unwrap(await updateRole(context, owned(organization), 'lead', { permissions }))
    expect(kit.trips() - before).toBe(2)
    expect(await leftOf(organization, member)).toEqual([0, 0, 0])
    expect(await leftOf(organization, lead)).toEqual([0, 0, 0])
    // What the own role, or another group, allows stays.
    expect(await leftOf(organization, admin)).toEqual([1, 1, 1])
    expect(await leftOf(organization, both)).toEqual([1, 1, 1])
    await sound(organization)
  })
})

describe('concurrent changes', () => {
  it('a rename and added members leave no unknown role [PERM-19]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    const userId = await join(kit, organization, 'member')
    for (let round = 0; round < ROUNDS; round++) {
      const role = await roleOf(kit, organization, ['project:read'], `old-${round}`)
      const name = `new-${round}`
      const id = await groupWith(kit, organization, role)
      const acts = [
        () => addToGroup(context, scope, id, { userIds: [userId] }),
        () => updateRole(context, scope, role, { name }),
      ]
      const answers = await Promise.all((round % 2 ? acts.toReversed() : acts).map((act) => act()))
      expect(answers.map(codeOf)).toEqual(['ok', 'ok'])
      expect(await carriedBy(organization, userId)).toContain(name)
      await expectKnownNames(organization)
    }
    await sound(organization)
  })

  it('a deletion and its assignment to a group leave no unknown role [PERM-19]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    const id = await groupWith(kit, organization, 'member', [organization.owner])
    for (let round = 0; round < ROUNDS; round++) {
      const role = await roleOf(kit, organization, [], `role-${round}`)
      const acts = [
        () => updateGroup(context, scope, id, { role }),
        () => createGroup(context, scope, { name: role, role }),
        () => deleteRole(context, scope, role),
      ]
      const answers = await Promise.all((round % 2 ? acts.toReversed() : acts).map((act) => act()))
      const codes = answers.map(codeOf)
      expect(codes.filter((code) => code !== 'ok')).not.toEqual([])
      await expectKnownNames(organization)
      if (codes.includes('role_in_use')) {
        unwrap(await deleteRole(context, scope, role, { replacement: 'member' }))
      }
      await expectKnownNames(organization)
    }
    await sound(organization)
  })

  it('two losses of the same right leave no invitation, link or key [PERM-19]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const organization = await kit.organization()
      const scope = owned(organization)
      await roleOf(kit, organization, LEAD, 'lead')
      const member = await join(kit, organization, 'member')
      await groupWith(kit, organization, 'lead', [member])
      const admins = await groupWith(kit, organization, 'admin', [member])
      await makeAll(kit, organization, member)
      const acts = [
        () => removeFromGroup(context, scope, admins, member),
        () => updateRole(context, scope, 'lead', { permissions: [] }),
      ]
      const answers = await Promise.all((round % 2 ? acts.toReversed() : acts).map((act) => act()))
      expect(answers.map(codeOf)).toEqual(['ok', 'ok'])
      expect(await leftOf(organization, member)).toEqual([0, 0, 0])
    }
  })
})
