import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  can,
  loadActiveOrganization,
  loadOrganizationFromSlug,
  requirePermission,
  type OrganizationEnv,
} from '../../../src/hono/index.ts'
import {
  addMember,
  changeInvitationRole,
  changeRole,
  createInvitation,
  createInvitations,
  getBilling,
  listAuditEvents,
  restoreMember,
  suspendMember,
  updateOrganization,
  type Principal,
} from '../../../src/index.ts'
import { SECRET, createKit, newUser } from '../../kit/index.ts'

const CONFIGURED = {
  provider: 'd1',
  secret: SECRET,
  roles: ['boss', 'lead', 'hr', 'clerk', 'guest'],
  ownerRole: 'boss',
  permissions: { project: ['read', 'write', 'delete'] },
  grants: {
    lead: ['*'],
    hr: ['members:*', 'project:read'],
    clerk: ['project:read', 'project:write', 'organization:update'],
  },
} as const

const kit = createKit(CONFIGURED)

/** An organization with a member of each role, and what an app behind a loader answers them. */
async function company() {
  const organization = await kit.organization()
  const callers: Record<string, Principal> = { boss: { userId: organization.owner } }
  for (const role of ['lead', 'hr', 'clerk', 'guest']) {
    const userId = await newUser()
    await organization.add(userId, role)
    callers[role] = { userId }
  }
  const scopeOf = (role: string) => ({ caller: callers[role]!, organization: organization.id })
  return { organization, callers, scopeOf }
}

function appFor(caller: Principal | null) {
  const authenticate = () => caller
  return new Hono<OrganizationEnv>()
    .use('/o/:org/*', loadOrganizationFromSlug(kit.seatgate, { authenticate }))
    .use('/mine/*', loadActiveOrganization(kit.seatgate, { authenticate }))
    .get('/o/:org/can', (c) =>
      c.json(['read', 'write', 'delete'].filter((action) => can(c, `project:${action}`)))
    )
    .get('/o/:org/all', (c) => c.json(c.var.permissions))
    .delete('/o/:org/projects', requirePermission(kit.seatgate, 'project:delete'), (c) =>
      c.text('gone')
    )
    .get('/mine/can', (c) => c.json(can(c, 'project:read')))
    .get('/mine/projects', requirePermission(kit.seatgate, 'project:read'), (c) => c.text('in'))
}

describe('can()', () => {
  it('answers from the role of the organization that was loaded, without a trip of its own [PERM-4]', async () => {
    const { organization, callers } = await company()
    const seen: Record<string, unknown> = {}
    for (const [role, caller] of Object.entries(callers)) {
      const before = kit.trips()
      const response = await appFor(caller).request(`/o/${organization.id}/can`)
      seen[role] = await response.json()
      expect(kit.trips() - before).toBe(1)
    }
    const all = ['read', 'write', 'delete']
    expect(seen).toEqual({
      boss: all,
      lead: all,
      hr: ['read'],
      clerk: ['read', 'write'],
      guest: [],
    })
  })

  it('is false without an organization, and for a service account by its role [PERM-4]', async () => {
    const { organization } = await company()
    const machine = (role: string): Principal => ({
      type: 'service_account',
      serviceAccountId: 'importer',
      organizationId: organization.id,
      role,
    })
    const answers = async (caller: Principal) => (await appFor(caller).request('/mine/can')).json()
    expect(await answers({ userId: await newUser() })).toBe(false)
    expect(await answers(machine('hr'))).toBe(true)
    expect(await answers(machine('guest'))).toBe(false)
    for (const unknown of ['', 'owner', 'toString', '__proto__']) {
      expect(await answers(machine(unknown))).toBe(false)
    }
  })

  it('takes no answer from an earlier request: a changed role counts at once [PERM-4]', async () => {
    const { organization, callers, scopeOf } = await company()
    const userId = (callers['clerk'] as { userId: string }).userId
    await changeRole(kit.seatgate, scopeOf('boss'), userId, { role: 'guest' })
    const response = await appFor({ userId }).request(`/o/${organization.id}/can`)
    expect(await response.json()).toEqual([])
  })

  it('throws without a loader [PERM-4]', () => {
    expect(() => can({ var: {} } as never, 'project:read' as never)).toThrow(
      new TypeError('can: put loadActiveOrganization or loadOrganizationFromSlug before it.')
    )
  })
})

describe('requirePermission()', () => {
  it('admits callers with the permission, and refuses others with 403 and its name [PERM-5]', async () => {
    const { organization, callers } = await company()
    for (const [role, caller] of Object.entries(callers)) {
      const before = kit.trips()
      const path = `/o/${organization.id}/projects`
      const response = await appFor(caller).request(path, { method: 'DELETE' })
      expect(kit.trips() - before).toBe(1)
      if (role === 'boss' || role === 'lead') expect(await response.text()).toBe('gone')
      else {
        expect(response.status).toBe(403)
        expect(await response.json()).toMatchObject({
          code: 'insufficient_permission',
          requiredPermission: 'project:delete',
        })
      }
    }
  })

  it('answers 401 without a caller, 409 without an organization, and 404 to strangers [PERM-5]', async () => {
    const { organization } = await company()
    const stranger = { userId: await newUser() }
    const statusOf = async (caller: Principal | null, path: string) =>
      (await appFor(caller).request(path, { method: path.startsWith('/o') ? 'DELETE' : 'GET' }))
        .status
    expect(await statusOf(null, '/mine/projects')).toBe(401)
    expect(await statusOf(stranger, '/mine/projects')).toBe(409)
    expect(await statusOf(stranger, `/o/${organization.id}/projects`)).toBe(404)
    expect(await statusOf(stranger, '/o/no-such/projects')).toBe(404)
  })

  it('refuses a permission that is not configured at set-up [PERM-3 PERM-5]', () => {
    for (const name of ['project:destroy', 'project:*', '*', '', 'project', undefined, {}]) {
      expect(() => requirePermission(kit.seatgate, name as never)).toThrow(
        new TypeError(`requirePermission: "${String(name)}" is not a configured permission.`)
      )
    }
    expect(() =>
      requirePermission(kit.seatgate, 'project:read', { onRefusal: 7 as never })
    ).toThrow(new TypeError('requirePermission: onRefusal must be a function.'))
    expect(() => requirePermission(kit.seatgate, 'project:read', { roles: [] } as never)).toThrow(
      /there is no option "roles"/
    )
  })

  it('hands a refusal to the host’s own answer', async () => {
    const { organization, callers } = await company()
    const guard = requirePermission(kit.seatgate, 'project:delete', {
      onRefusal: (c, refusal) => c.text(refusal.code, 418 as never),
    })
    const app = new Hono()
      .use(
        '/o/:org/*',
        loadOrganizationFromSlug(kit.seatgate, { authenticate: () => callers['hr']! })
      )
      .get('/o/:org/x', guard, (c) => c.text('in'))
    const response = await app.request(`/o/${organization.id}/x`)
    expect([response.status, await response.text()]).toEqual([418, 'insufficient_permission'])
  })
})

describe('the library’s own acts', () => {
  it('are decided by the permissions of the role [PERM-2]', async () => {
    const { organization, scopeOf } = await company()
    const acts = {
      'members:invite': (role: string) =>
        createInvitation(kit.seatgate, scopeOf(role), {
          email: `${crypto.randomUUID()}@example.com`,
          role: 'guest',
        }),
      'members:manage': async (role: string) =>
        addMember(kit.seatgate, scopeOf(role), { userId: await newUser(), role: 'guest' }),
      'organization:update': (role: string) =>
        updateOrganization(kit.seatgate, scopeOf(role), { name: `Named by ${role}` }),
      'billing:manage': (role: string) => getBilling(kit.seatgate, scopeOf(role)),
      'audit:read': (role: string) => listAuditEvents(kit.seatgate, scopeOf(role)),
    }
    for (const [permission, act] of Object.entries(acts)) {
      for (const role of CONFIGURED.roles) {
        const allowed = kit.seatgate.roles.grants.get(role)!.includes(permission)
        const result = await act(role)
        expect([permission, role, result.ok || result.error.code]).toEqual([
          permission,
          role,
          allowed || 'insufficient_role',
        ])
      }
    }
    expect(organization.id).toBeTypeOf('string')
  })

  it('refuse to give permissions that the giver does not have [PERM-6]', async () => {
    const { callers, scopeOf } = await company()
    const guest = (callers['guest'] as { userId: string }).userId
    const hr = scopeOf('hr')
    const email = () => `${crypto.randomUUID()}@example.com`
    const invited = await createInvitation(kit.seatgate, hr, { email: email(), role: 'hr' })
    if (!invited.ok) throw new Error(invited.error.code)
    const suspended = await newUser()
    await addMember(kit.seatgate, scopeOf('boss'), { userId: suspended, role: 'clerk' })
    await suspendMember(kit.seatgate, scopeOf('boss'), suspended)
    // A clerk may write projects and update the organization, which the role hr may not.
    const refused = { ok: false, error: { code: 'insufficient_role' } }
    for (const role of ['lead', 'clerk', 'boss']) {
      const input = { userId: await newUser(), role }
      expect(await addMember(kit.seatgate, hr, input)).toEqual(refused)
      expect(await changeRole(kit.seatgate, hr, guest, { role })).toEqual(refused)
      expect(await createInvitation(kit.seatgate, hr, { email: email(), role })).toEqual(refused)
      expect(await changeInvitationRole(kit.seatgate, hr, invited.value.id, { role })).toEqual(
        refused
      )
      const many = await createInvitations(kit.seatgate, hr, {
        invitations: [{ email: email(), role }],
      })
      expect(JSON.stringify(many)).toContain('insufficient_role')
    }
    expect(await restoreMember(kit.seatgate, hr, suspended)).toEqual(refused)
    expect(await changeRole(kit.seatgate, hr, guest, { role: 'hr' })).toMatchObject({ ok: true })
  })

  it('without grants are given as before: an inviter may invite an admin [PERM-6]', async () => {
    const plain = createKit({
      provider: 'd1',
      secret: SECRET,
      invitationAdminRoles: ['owner', 'member'],
      memberAdminRoles: ['owner'],
    })
    const organization = await plain.organization()
    const userId = await newUser()
    await organization.add(userId, 'member')
    const scope = { caller: { userId }, organization: organization.id }
    const input = { email: `${crypto.randomUUID()}@example.com`, role: 'admin' }
    expect(await createInvitation(plain.seatgate, scope, input)).toMatchObject({ ok: true })
  })
})
