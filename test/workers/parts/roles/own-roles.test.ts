import { describe, expect, it } from 'vitest'
import {
  addMember,
  allow,
  changeRole,
  createInvitation,
  createInvitations,
  createSeatgate,
  d1Seats,
  listAuditEvents,
  permissions as rolePermissions,
  restoreMember,
  suspendMember,
  transferOwnership,
} from '../../../../src/index.ts'
import {
  createRole,
  deleteRole,
  listRoles,
  ownRoles,
  updateRole,
} from '../../../../src/hono/roles/index.ts'
import {
  actionsOf,
  codeOf,
  createRolesKit,
  db,
  expectSound,
  join,
  newUser,
  PASSWORD,
  RIGHTS,
  roleOf,
  unwrap,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createRolesKit()
const { context, client, seatgate } = kit
const owned = (organization: TestOrganization) => organization.as(organization.owner)
const ownNames = async (organization: TestOrganization) =>
  unwrap(await listRoles(context, owned(organization)))
    .data.filter(({ own }) => own)
    .map(({ name }) => name)

describe('an own role', () => {
  it('gives its permissions in its organization, and nowhere else [PERM-7]', async () => {
    const organization = await kit.organization()
    const other = await kit.organization()
    const auditor = await roleOf(kit, organization, ['audit:read', 'project:read'])
    const userId = await join(kit, organization, auditor)
    expect(codeOf(await listAuditEvents(seatgate, organization.as(userId)))).toBe('ok')
    expect(unwrap(await listAuditEvents(seatgate, organization.as(userId))).data).not.toEqual([])
    const input = { userId: await newUser(), role: 'member' }
    expect(codeOf(await addMember(seatgate, organization.as(userId), input))).toBe(
      'insufficient_role'
    )
    const elsewhere = await addMember(seatgate, owned(other), { userId, role: auditor })
    expect(elsewhere).toMatchObject({
      ok: false,
      error: {
        code: 'validation_error',
        errors: { role: ['Must be one of owner, admin, member.'] },
      },
    })
    expect(await expectSound(organization.id, false)).toBeUndefined()
  })

  it('is listed after the configured ones, only for members [PERM-7]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, ['project:write', 'project:read'])
    const member = await join(kit, organization, 'member')
    const { data } = unwrap(await listRoles(context, organization.as(member)))
    expect(data.map(({ name, own }) => [name, own])).toEqual([
      ['owner', false],
      ['admin', false],
      ['member', false],
      ['auditor', true],
    ])
    expect(data[3]?.permissions).toEqual(['project:read', 'project:write'])
    const stranger = organization.as(await newUser())
    expect(codeOf(await listRoles(context, stranger))).toBe('organization_not_found')
  })

  it('is given by changes, invitations and transfers, only by callers with its permissions [PERM-8]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    const biller = await roleOf(kit, organization, ['billing:manage'], 'biller')
    const admin = organization.as(await join(kit, organization, 'admin'))
    const member = await join(kit, organization, 'member')
    const email = `${crypto.randomUUID()}@example.com`
    expect(codeOf(await changeRole(seatgate, admin, member, { role: biller }))).toBe(
      'insufficient_role'
    )
    expect(codeOf(await createInvitation(seatgate, admin, { email, role: biller }))).toBe(
      'insufficient_role'
    )
    const many = unwrap(
      await createInvitations(seatgate, scope, {
        invitations: [
          { email, role: biller },
          { email: `x${email}`, role: 'nobody' },
        ],
      })
    )
    expect(many.map(codeOf)).toEqual(['ok', 'validation_error'])
    unwrap(await changeRole(seatgate, scope, member, { role: biller }))
    unwrap(await suspendMember(seatgate, scope, member))
    expect(codeOf(await restoreMember(seatgate, admin, member))).toBe('insufficient_role')
    unwrap(await restoreMember(seatgate, scope, member))
    unwrap(
      await transferOwnership(seatgate, scope, { userId: member, role: biller, password: PASSWORD })
    )
    await expectSound(organization.id, false)
  })

  it('is created and changed only by callers with organization:update and all of its permissions [PERM-9]', async () => {
    const organization = await kit.organization()
    const admin = organization.as(await join(kit, organization, 'admin'))
    const member = organization.as(await join(kit, organization, 'member'))
    const made = (scope: typeof admin, permissions: readonly string[]) =>
      createRole(context, scope, { name: 'writer', permissions }).then(codeOf)
    expect(await made(member, [])).toBe('insufficient_role')
    expect(await made(admin, ['audit:read'])).toBe('insufficient_role')
    expect(await made(admin, ['project:write'])).toBe('ok')
    const changed = (scope: typeof admin, permissions: readonly string[]) =>
      updateRole(context, scope, 'writer', { permissions }).then(codeOf)
    expect(await changed(member, [])).toBe('insufficient_role')
    expect(await changed(admin, ['project:write', 'audit:read'])).toBe('insufficient_role')
    unwrap(
      await updateRole(context, owned(organization), 'writer', {
        permissions: ['audit:read', 'project:write'],
      })
    )
    // What it has already stays, and a permission can be taken that the caller does not have.
    expect(await changed(admin, ['audit:read', 'project:read'])).toBe('ok')
    expect(await changed(admin, ['project:read'])).toBe('ok')
    const gone = { name: 'payer', permissions: ['billing:manage'] }
    unwrap(await createRole(context, owned(organization), gone))
    expect(codeOf(await deleteRole(context, admin, 'writer', { replacement: 'payer' }))).toBe(
      'insufficient_role'
    )
    expect(codeOf(await deleteRole(context, member, 'writer'))).toBe('insufficient_role')
    expect(codeOf(await deleteRole(context, admin, 'payer'))).toBe('ok')
  })

  it('has a name that is free, and known permissions, at most as many as the limit [PERM-10]', async () => {
    const small = createRolesKit({}, { limit: 2 })
    const organization = await small.organization()
    const scope = owned(organization)
    const make = (input: object) =>
      createRole(small.context, scope, input as { name: string; permissions: string[] }).then(
        codeOf
      )
    for (const name of ['', 'A', '1a', 'a b', 'a'.repeat(33), 'ä', 'owner', 'member', 7, null]) {
      expect(await make({ name, permissions: [] }), String(name)).toBe('validation_error')
    }
    for (const permissions of [
      ['project:delete'],
      ['*'],
      'project:read',
      null,
      Array(999).fill('audit:read'),
    ]) {
      expect(await make({ name: 'a', permissions })).toBe('validation_error')
    }
    for (const name of ['__proto__', 'constructor']) {
      expect(await make({ name, permissions: [] })).toMatch(/^(ok|validation_error)$/)
    }
    expect(await make({ name: 'second', permissions: [] })).toBe('ok')
    expect(await make({ name: 'second', permissions: [] })).toBe('validation_error')
    expect(await make({ name: 'third', permissions: [] })).toBe('too_many')
    expect(codeOf(await updateRole(small.context, scope, 'second', { name: 'constructor' }))).toBe(
      'validation_error'
    )
    expect(codeOf(await updateRole(small.context, scope, 'second', { name: 'admin' }))).toBe(
      'validation_error'
    )
    expect(codeOf(await updateRole(small.context, scope, 'admin', { permissions: [] }))).toBe(
      'not_found'
    )
    expect(codeOf(await deleteRole(small.context, scope, 'owner'))).toBe('not_found')
  })

  it('stays within the limit when a hundred are created at once [PERM-10]', async () => {
    const small = createRolesKit({}, { limit: 3 })
    const organization = await small.organization()
    const scope = owned(organization)
    const made = await Promise.all(
      Array.from({ length: 12 }, (_, index) =>
        createRole(small.context, scope, { name: `role-${index}`, permissions: [] })
      )
    )
    const { data } = unwrap(await listRoles(small.context, scope))
    expect(data.filter(({ own }) => own)).toHaveLength(made.filter(({ ok }) => ok).length)
    expect(made.filter(({ ok }) => ok).length).toBeLessThanOrEqual(3)
  })
})

describe('a new name', () => {
  it('applies to all members, invitations, requests and links, in one batch [PERM-11]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    await roleOf(kit, organization, ['project:read'])
    const member = await join(kit, organization, 'auditor')
    const email = `${crypto.randomUUID()}@example.com`
    const invited = unwrap(await createInvitation(seatgate, scope, { email, role: 'auditor' }))
    const trips = kit.trips()
    unwrap(await updateRole(context, scope, 'auditor', { name: 'reviewer' }))
    expect(kit.trips() - trips).toBe(2)
    expect(await ownNames(organization)).toEqual(['reviewer'])
    const rows = await db.all<{ user_id: string; role: string }>(
      `select user_id, role from seatgate_memberships where organization_id = '${organization.id}' and user_id = '${member}'`
    )
    expect(rows).toEqual([{ user_id: member, role: 'reviewer' }])
    const left = await db.all<{ role: string }>(
      `select role from seatgate_invitations where id = '${invited.id}'`
    )
    expect(left).toEqual([{ role: 'reviewer' }])
    const again = await updateRole(context, scope, 'reviewer', { name: 'reviewer' })
    expect(again.ok).toBe(true)
    const events = await actionsOf(organization.id)
    expect(events.filter((action) => action === 'organization.role.updated')).toHaveLength(1)
    await expectSound(organization.id, false)
  })
})

describe('a change of a role', () => {
  it('calls no hook of its members, for a new name or a replacement, and is one event [PERM-11]', async () => {
    const called: string[] = []
    const noting = (name: string) => () => {
      called.push(name)
    }
    const hooked = createRolesKit({
      hooks: {
        beforeRoleChange: () => {
          called.push('beforeRoleChange')
          return allow()
        },
        afterRoleChange: noting('afterRoleChange'),
        afterInvitationRoleChange: noting('afterInvitationRoleChange'),
      },
    })
    const organization = await hooked.organization()
    const scope = owned(organization)
    await roleOf(hooked, organization, ['project:read'])
    const member = await join(hooked, organization, 'auditor')
    await join(hooked, organization, 'auditor')
    unwrap(await updateRole(hooked.context, scope, 'auditor', { name: 'reviewer' }))
    unwrap(await deleteRole(hooked.context, scope, 'reviewer', { replacement: 'member' }))
    await hooked.settled()
    expect(called).toEqual([])
    const events = (await actionsOf(organization.id)).filter((name) => name.includes('role'))
    expect(events).toEqual([
      'organization.role.created',
      'organization.role.updated',
      'organization.role.deleted',
    ])
    unwrap(await changeRole(hooked.seatgate, scope, member, { role: 'admin' }))
    await hooked.settled()
    expect(called).toEqual(['beforeRoleChange', 'afterRoleChange'])
  })
})

describe('a deletion', () => {
  it('is refused while the role is in use, with the numbers [PERM-12]', async () => {
    const organization = await kit.organization()
    const scope = owned(organization)
    await roleOf(kit, organization, ['project:read'])
    await join(kit, organization, 'auditor')
    const away = await join(kit, organization, 'auditor')
    unwrap(await suspendMember(seatgate, scope, away))
    const email = `${crypto.randomUUID()}@example.com`
    unwrap(await createInvitation(seatgate, scope, { email, role: 'auditor' }))
    expect(await deleteRole(context, scope, 'auditor')).toMatchObject({
      ok: false,
      error: { code: 'role_in_use', uses: { members: 2, invitations: 1 } },
    })
    for (const replacement of ['owner', 'auditor', 'nobody']) {
      const refused = await deleteRole(context, scope, 'auditor', { replacement })
      expect(codeOf(refused)).toBe('validation_error')
    }
    unwrap(await deleteRole(context, scope, 'auditor', { replacement: 'member' }))
    expect(await ownNames(organization)).toEqual([])
    await kit.settled()
    await expectSound(organization.id, false)
    expect(codeOf(await deleteRole(context, scope, 'auditor'))).toBe('not_found')
  })

  it('allows no replacement that takes a seat of another type or no seat [PERM-12]', async () => {
    const seated = createRolesKit({
      roles: ['owner', 'admin', 'member', 'guest'],
      ownerRole: 'owner',
      seatlessRoles: ['guest'],
    })
    const organization = await seated.organization()
    const scope = owned(organization)
    await roleOf(seated, organization, [])
    const refused = await deleteRole(seated.context, scope, 'auditor', { replacement: 'guest' })
    expect(refused).toMatchObject({ ok: false, error: { code: 'validation_error' } })
  })
})

describe('a configuration', () => {
  it('throws without grants, and for a wrong limit [PERM-13]', () => {
    const options = { database: db, seats: d1Seats(), sessions: 'none' } as const
    expect(() => createSeatgate({ ...options, ownRoles: ownRoles() })).toThrow(
      'createSeatgate: ownRoles needs roles.permissions.'
    )
    for (const limit of [0, 101, 1.5, '3' as unknown as number]) {
      expect(() => ownRoles({ limit })).toThrow(
        'ownRoles: limit must be a whole number from 1 to 100.'
      )
    }
    createSeatgate({
      ...options,
      roles: {
        permissions: rolePermissions({ resources: RIGHTS.permissions, grants: RIGHTS.grants }),
      },
      ownRoles: ownRoles({ limit: 100 }),
    })
  })

  it('overrides the stored names and permissions of organizations [PERM-13]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, ['project:read', 'project:write'])
    const userId = await join(kit, organization, 'auditor')
    const narrower = createRolesKit({
      permissions: { project: ['read'] },
      grants: { admin: ['*'], member: [] },
    })
    const seen = unwrap(await listRoles(narrower.context, organization.as(userId)))
    expect(seen.data.at(-1)).toEqual({ name: 'auditor', permissions: ['project:read'], own: true })
    const named = createRolesKit({
      roles: ['owner', 'admin', 'member', 'auditor'],
      ownerRole: 'owner',
      grants: { admin: ['*'], auditor: ['audit:read'] },
    })
    const configured = unwrap(await listRoles(named.context, organization.as(userId)))
    expect(configured.data.at(-1)).toEqual({
      name: 'auditor',
      permissions: ['audit:read'],
      own: false,
    })
    const scope = owned(organization)
    expect(
      codeOf(await deleteRole(named.context, scope, 'auditor', { replacement: 'member' }))
    ).toBe('not_found')
  })

  it('without the part gives members in own roles no right, and accepts no such role [PERM-13]', async () => {
    const organization = await kit.organization()
    await roleOf(kit, organization, ['audit:read'])
    const userId = await join(kit, organization, 'auditor')
    const { seatgate: without } = createRolesKit({ ownRoles: null })
    expect(codeOf(await listAuditEvents(without, organization.as(userId)))).toBe(
      'insufficient_role'
    )
    const input = { userId: await newUser(), role: 'auditor' }
    expect(codeOf(await addMember(without, owned(organization), input))).toBe('validation_error')
  })
})

describe('the routes', () => {
  it('make, list, change and delete roles [PERM-14]', async () => {
    const { id, owner: ownerId } = await kit.organization()
    const owner = `user:${ownerId}`
    const path = `/organizations/${id}/roles`
    const made = await client.post(path, { name: 'auditor', permissions: ['audit:read'] }, owner)
    expect(made.status).toBe(201)
    const changed = await client.patch(`${path}/auditor`, { permissions: [] }, owner)
    expect(changed.status).toBe(200)
    const listed = await client.get(path, owner)
    expect(listed.status).toBe(200)
    const userId = await join(kit, await kit.organization(), 'member')
    expect((await client.get(path, `user:${userId}`)).status).toBe(404)
    expect((await client.delete(`${path}/auditor?replacement=owner`, owner)).status).toBe(422)
    expect((await client.delete(`${path}/auditor?replacement=member`, owner)).status).toBe(204)
  })
})
