import { describe, expect, it } from 'vitest'
import {
  can,
  loadActiveOrganization,
  loadOrganizationFromSlug,
  requireMembership,
  requirePermission,
  requireSudo,
  seatgateRouter,
  type OrganizationEnv,
} from '../../../../src/hono/index.ts'
import { apiKeys, authenticateKeys } from '../../../../src/hono/keys/index.ts'
import { changeRole, listAuditEvents } from '../../../../src/index.ts'
import {
  active,
  byName,
  clientOf,
  codeOf,
  createKeysKit,
  createScimKit,
  Hono,
  keyOf,
  PROJECT,
  pushedOrganization,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'

const kit = createKeysKit(PROJECT)
const authenticate = authenticateKeys(kit.context, byName)

describe('a key behind the guards of a host', () => {
  const app = new Hono<OrganizationEnv>()
    .use('/o/:org/*', loadOrganizationFromSlug(kit.context, { authenticate }))
    .use('/mine/*', loadActiveOrganization(kit.context, { authenticate }))
    .get('/o/:org/can', (c) =>
      c.json(['read', 'write'].filter((action) => can(c, `project:${action}`)))
    )
    .get('/o/:org/var', (c) => {
      const { caller, membership, role, permissions } = c.var
      return c.json({ caller, membership, role, permissions })
    })
    .get('/o/:org/read', requirePermission(kit.context, 'project:read'), (c) => c.text('in'))
    .get('/o/:org/write', requirePermission(kit.context, 'project:write'), (c) => c.text('in'))
    .get('/o/:org/admins', requireMembership(kit.context, { roles: ['admin'] }), (c) => c.text(''))
    .get('/o/:org/sudo', requireSudo(kit.context, { isFresh: () => true }), (c) => c.text(''))
    .get('/mine/read', requirePermission(kit.context, 'project:read'), (c) => c.text('in'))
  const client = clientOf((url, init) => app.request(url, init))

  it('has its permissions, in one round trip, and no role of a person [KEY-3 KEY-11 KEY-13]', async () => {
    const organization = await kit.organization()
    const { id, key } = await keyOf(kit, organization, { permissions: ['project:read'] })
    const at = async (path: string) => {
      const before = kit.trips()
      const { status } = await client.get(path.replace(':org', organization.slug), key)
      expect(kit.trips() - before).toBe(1)
      await kit.settled()
      return status
    }
    await client.get(`/o/${organization.slug}/can`, key)
    await kit.settled()
    expect(await (await client.get(`/o/${organization.slug}/can`, key)).json()).toEqual(['read'])
    const seen = await client.get(`/o/${organization.slug}/var`, key)
    expect(await seen.json()).toEqual({
      caller: {
        type: 'service_account',
        serviceAccountId: id,
        organizationId: organization.id,
        role: '[project:read]',
      },
      membership: null,
      role: '[project:read]',
      permissions: ['project:read'],
    })
    expect(await at('/o/:org/read')).toBe(200)
    expect(await at('/o/:org/write')).toBe(403)
    expect(await at('/o/:org/admins')).toBe(403)
    expect(await at('/o/:org/sudo')).toBe(403)
    expect(await at('/mine/read')).toBe(200)
  })

  it('reads with its permissions a list that the host asks for with `c.var.caller` [KEY-3]', async () => {
    const organization = await kit.organization()
    const { context } = kit
    const listed = async (permissions: readonly string[]) => {
      const caller = {
        type: 'service_account',
        serviceAccountId: 'robot',
        organizationId: organization.id,
        role: `[${permissions.join(' ')}]`,
      } as const
      return listAuditEvents(context, { caller, organization: organization.id })
    }
    expect(unwrap(await listed(['audit:read'])).data).not.toEqual([])
    expect(codeOf(await listed(['project:read']))).toBe('insufficient_role')
  })

  it('loses a permission that is no longer configured [KEY-3]', async () => {
    const organization = await kit.organization()
    const { key } = await keyOf(kit, organization, {
      permissions: ['project:write', 'project:read'],
    })
    const fewer = createKeysKit({ ...PROJECT, permissions: { project: ['read'] }, grants: {} })
    const read = await fewer.client.get('/active-organization', key)
    expect(await read.json()).toMatchObject({ organization: { id: organization.id } })
    const guarded = new Hono<OrganizationEnv>()
      .use(
        loadActiveOrganization(fewer.context, {
          authenticate: authenticateKeys(fewer.context),
        })
      )
      .get('/', (c) => c.json(c.var.permissions))
    const answer = await guarded.request('/', { headers: { authorization: `Bearer ${key}` } })
    expect(await answer.json()).toEqual(['project:read'])
  })
})

describe('a key after an identity provider has deprovisioned its creator', () => {
  it.each(['suspend', 'remove'] as const)(
    'ends with `active: false` (%s), if that was chosen [KEY-8]',
    async (deprovision) => {
      const part = apiKeys()
      const scim = createScimKit({ provider: 'd1', keys: part }, { deprovision })
      const organization = await pushedOrganization(scim)
      const context = { ...scim.context, keys: part }
      const router = seatgateRouter(context, { authenticate: authenticateKeys(context) })
      const client = clientOf((url, init) => router.request(url, init))
      const { id } = await organization.push('ann')
      const userId = await testEnv.DB.prepare(
        'SELECT user_id FROM seatgate_scim_users WHERE organization_id = ? AND id = ?'
      )
        .bind(organization.id, id)
        .first<string>('user_id')
      const owner = organization.as(organization.owner)
      const raised = await changeRole(scim.seatgate, owner, userId!, { role: 'admin' })
      expect(codeOf(raised)).toBe('ok')
      const keyed = { ...scim, context, client }
      const ending = await keyOf(keyed, organization, { endsWithCreator: true }, userId!)
      const staying = await keyOf(keyed, organization, {}, userId!)
      const statuses = async () => [
        (await client.get(`/organizations/${organization.id}`, ending.key)).status,
        (await client.get(`/organizations/${organization.id}`, staying.key)).status,
      ]
      expect(await statuses()).toEqual([200, 200])
      expect((await organization.send('PATCH', `/Users/${id}`, active(false))).status).toBe(200)
      expect(await statuses()).toEqual([401, 200])
    }
  )
})
