import { Hono } from 'hono'
import { describe, expect, it } from 'vitest'
import {
  allow,
  createSeatgate,
  d1Seats,
  listMembers,
  restoreOrganization,
  seatUsage,
} from '../../../../src/index.ts'
import {
  apiKeys,
  authenticateKeys,
  createApiKey,
  keyRoutes,
  listApiKeys,
  revokeApiKey,
  rotateApiKey,
  type CreateApiKeyInput,
} from '../../../../src/hono/keys/index.ts'
import {
  asUser,
  codeOf,
  createKeysKit,
  db,
  everything,
  expectSound,
  invite,
  join,
  keyOf,
  lastEventOf,
  newUser,
  operator,
  PROJECT,
  softDeleted,
  unwrap,
  type KeysKit,
  type TestOrganization,
} from '../../../kit/index.ts'

let time = Date.parse('2026-05-01T00:00:00Z')
const now = () => new Date(time)
const HOUR = 3_600_000
const kit = createKeysKit({ now })
const bounded = createKeysKit({ now, ...PROJECT })
const { context } = kit

/** The status of a request with a key about an organization. */
async function status({ client }: KeysKit, { id }: TestOrganization, key: string) {
  return (await client.get(`/organizations/${id}/members`, key)).status
}

describe('an API key', () => {
  it('is stored as a hash, returned once, also to a repeat, and recorded [KEY-2 KEY-18]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const options = { operationId: crypto.randomUUID() }
    const input = { name: 'CI', role: 'admin' } as const
    const first = unwrap(await createApiKey(context, scope, input, options))
    const again = unwrap(await createApiKey(context, scope, input, options))
    expect(first.key).toMatch(/^sg_live_[0-9A-Za-z]{49}$/)
    expect(again).toEqual({ ...first, key: null })
    const { key, ...shown } = first
    expect(unwrap(await listApiKeys(context, scope)).data).toEqual([shown])
    expect(key!.startsWith(shown.start)).toBe(true)
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.api_key.created',
      targetId: first.id,
    })
    const turn = { operationId: crypto.randomUUID() }
    const rotated = unwrap(await rotateApiKey(context, scope, first.id, {}, turn))
    expect(unwrap(await rotateApiKey(context, scope, first.id, {}, turn))).toEqual({
      ...rotated,
      key: null,
    })
    const stored = JSON.stringify(await everything())
    for (const secret of [key!, rotated.key!]) expect(stored).not.toContain(secret.slice(-40))
  })

  it('takes no seat, is the actor of its events, and sees one organization [KEY-10]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const other = await kit.organization()
    const { id, key } = await keyOf(kit, organization)
    const usage = unwrap(await seatUsage(context, organization.asOperator))
    expect(usage.held).toBe(1)
    const userId = await newUser()
    const path = `/organizations/${organization.id}/members`
    const added = await kit.client.post(path, { userId, role: 'member' }, key)
    expect(added.status).toBe(201)
    await kit.settled()
    const events = await kit.client.get(`/organizations/${organization.id}/audit`, key)
    const { data } = await events.json<{ data: { action: string; actorId: string }[] }>()
    expect(data.find(({ action }) => action === 'organization.member_add')).toMatchObject({
      actorType: 'service_account',
      actorId: id,
      effectiveUserId: null,
    })
    expect(await status(kit, other, key)).toBe(404)
    const posted = await kit.client.post(
      `/organizations/${other.id}/members`,
      { userId, role: 'member' },
      key
    )
    expect(posted.status).toBe(404)
    const active = await (await kit.client.get('/active-organization', key)).json()
    expect(active).toMatchObject({ organization: { id: organization.id } })
    await expectSound(organization.id, false)
  })

  it('is valid up to the millisecond of its expiry [KEY-5]', async () => {
    const organization = await kit.organization()
    const expiresAt = new Date(time + HOUR)
    const { key, id } = await keyOf(kit, organization, { expiresAt })
    time = expiresAt.getTime() - 1
    expect(await status(kit, organization, key)).toBe(200)
    time = expiresAt.getTime()
    const ended = await kit.client.get(`/organizations/${organization.id}/members`, key)
    expect(ended.status).toBe(401)
    expect(ended.headers.get('www-authenticate')).toBe('Bearer')
    const scope = organization.as(organization.owner)
    expect(codeOf(await rotateApiKey(context, scope, id))).toBe('not_found')
    const past = { name: 'CI', role: 'member', expiresAt: new Date(time) } as const
    expect(codeOf(await createApiKey(context, scope, past))).toBe('validation_error')
  })

  it('has a visible name', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    for (const name of ['', '  ', '\u200b', '\u202eIC', 'x'.repeat(101)]) {
      const made = await createApiKey(context, scope, { name, role: 'member' })
      expect(codeOf(made), JSON.stringify(name)).toBe('validation_error')
    }
    const made = await createApiKey(context, scope, { name: ' CI ', role: 'member' })
    expect(unwrap(made).name).toBe('CI')
  })

  it('is replaced by one with the same rights and lifetime, and ends after the overlap [KEY-6]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const first = await keyOf(kit, organization, { expiresAt: new Date(time + 100 * HOUR) })
    time += HOUR
    const second = unwrap(await rotateApiKey(context, scope, first.id, { overlapHours: 2 }))
    expect(second).toMatchObject({
      name: 'CI',
      role: 'admin',
      expiresAt: new Date(time + 100 * HOUR).toISOString(),
      replacedById: null,
    })
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.api_key.rotated',
      targetId: first.id,
    })
    expect(codeOf(await rotateApiKey(context, scope, first.id))).toBe('not_pending')
    time += 2 * HOUR - 1
    const both = async () => [
      await status(kit, organization, first.key),
      await status(kit, organization, second.key!),
    ]
    expect(await both()).toEqual([200, 200])
    time += 1
    expect(await both()).toEqual([401, 200])
    const third = unwrap(await rotateApiKey(context, scope, second.id))
    const fourth = unwrap(await rotateApiKey(context, scope, third.id, { overlapHours: 0 }))
    // Two are valid at once: the one before the last ends with the rotation.
    expect(await status(kit, organization, second.key!)).toBe(401)
    expect(await status(kit, organization, third.key!)).toBe(401)
    expect(await status(kit, organization, fourth.key!)).toBe(200)
  })

  it('is replaced once by two rotations at once [KEY-6]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { id } = await keyOf(kit, organization)
    const turns = await Promise.all([1, 2, 3].map(() => rotateApiKey(context, scope, id)))
    expect(turns.map(codeOf).toSorted()).toEqual(['not_pending', 'not_pending', 'ok'])
    expect(unwrap(await listApiKeys(context, scope)).data).toHaveLength(2)
  })

  it('ends when it is revoked, also during a change [KEY-7]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { id, key } = await keyOf(kit, organization)
    unwrap(await revokeApiKey(context, scope, id))
    expect(await status(kit, organization, key)).toBe(401)
    expect(await lastEventOf(organization.id)).toMatchObject({
      action: 'organization.api_key.revoked',
      targetId: id,
    })
    expect(codeOf(await revokeApiKey(context, scope, id))).toBe('not_found')

    let between: (() => Promise<unknown>) | null = null
    const held = createKeysKit({
      now,
      async around({ asked }, run) {
        const isChange = asked.some((sql) => /^insert into "seatgate_memberships"/i.test(sql))
        const act = isChange ? between : null
        if (act) between = null
        await act?.()
        return run()
      },
    })
    const used = await keyOf(kit, organization)
    between = async () => unwrap(await revokeApiKey(context, scope, used.id))
    const userId = await newUser()
    const answer = await held.client.post(
      `/organizations/${organization.id}/members`,
      { userId, role: 'member' },
      used.key
    )
    expect(between).toBeNull()
    expect(answer.status).toBe(401)
    const { data } = unwrap(await listMembers(context, scope))
    expect(data.map((member) => member.userId)).not.toContain(userId)
  })

  it('changes no row if it expires during the change', async () => {
    const organization = await kit.organization()
    const expiresAt = new Date(time + HOUR)
    const { key } = await keyOf(kit, organization, { expiresAt })
    const slow = createKeysKit({
      now,
      hooks: {
        beforeAddMember() {
          time = expiresAt.getTime()
          return allow()
        },
      },
    })
    const path = `/organizations/${organization.id}/members`
    const input = { userId: await newUser(), role: 'member' }
    expect((await slow.client.post(path, input, key)).status).toBe(401)
    const { data } = unwrap(await listMembers(context, organization.as(organization.owner)))
    expect(data.map((member) => member.userId)).toEqual([organization.owner])
  })

  it('ends with the organization, permanently [KEY-9]', async () => {
    const organization = await kit.organization()
    const { key } = await keyOf(kit, organization)
    await softDeleted(kit.seatgate, organization)
    expect(await status(kit, organization, key)).toBe(401)
    unwrap(await restoreOrganization(kit.seatgate, { caller: operator }, organization.id))
    expect(await status(kit, organization, key)).toBe(401)
  })

  it('is refused beyond the configured number, without counting replaced ones [KEY-14]', async () => {
    const few = createKeysKit({ now }, { mostKeys: 2 })
    const organization = await few.organization()
    const scope = organization.as(organization.owner)
    const make = () => createApiKey(few.context, scope, { name: 'CI', role: 'member' })
    const made = await Promise.all([make(), make(), make(), make()])
    const codes = made.map(codeOf)
    expect(codes.filter((code) => code === 'ok').length).toBeLessThanOrEqual(2)
    while ((await make()).ok);
    const { data } = unwrap(await listApiKeys(few.context, scope))
    expect(data).toHaveLength(2)
    expect(codeOf(await make())).toBe('too_many')
    unwrap(await rotateApiKey(few.context, scope, data[0]!.id))
    expect(codeOf(await make())).toBe('too_many')
    unwrap(await revokeApiKey(few.context, scope, data[1]!.id))
    expect(codeOf(await make())).toBe('ok')
  })

  it('makes a change under an Idempotency-Key once [KEY-19]', async () => {
    const organization = await kit.organization()
    const { key } = await keyOf(kit, organization)
    const body = { userId: await newUser(), role: 'member' }
    const headers = { 'idempotency-key': crypto.randomUUID() }
    const path = `/organizations/${organization.id}/members`
    const first = await kit.client.post(path, body, key, headers)
    const again = await kit.client.post(path, body, key, headers)
    expect([first.status, again.status]).toEqual([201, 201])
    expect(await again.text()).toBe(await first.text())
    const other = await kit.client.post(path, { ...body, role: 'admin' }, key, headers)
    expect(other.status).toBe(422)
  })
})

describe('the rights of a key', () => {
  const input = (more: object) => ({ name: 'CI', ...more }) as CreateApiKeyInput

  it('are permissions that its creator has [KEY-3]', async () => {
    const organization = await bounded.organization()
    const owner = organization.as(organization.owner)
    const admin = organization.as(await join(bounded, organization, 'admin'))
    const create = async (scope: typeof owner, ...permissions: string[]) =>
      codeOf(await createApiKey(bounded.context, scope, input({ permissions })))
    expect(await create(admin, 'project:read', 'members:invite')).toBe('ok')
    expect(await create(admin, 'project:read', 'audit:read')).toBe('insufficient_role')
    expect(await create(admin, 'billing:manage')).toBe('insufficient_role')
    expect(await create(owner, 'audit:read', 'billing:manage')).toBe('ok')
    for (const wrong of [[], ['project:delete'], ['*'], ['project:*'], [7]]) {
      expect([wrong, await create(owner, ...(wrong as string[]))]).toEqual([
        wrong,
        'validation_error',
      ])
    }
    const role = await createApiKey(bounded.context, owner, input({ role: 'member' }))
    expect(role).toMatchObject({
      error: { errors: { role: ['Must be absent: here a key has permissions.'] } },
    })
  })

  it('are not given by a rotation to a caller with fewer [KEY-3]', async () => {
    const organization = await bounded.organization()
    const admin = organization.as(await join(bounded, organization, 'admin'))
    const strong = await keyOf(bounded, organization, { permissions: ['audit:read'] })
    const weak = await keyOf(bounded, organization, { permissions: ['project:read'] })
    expect(codeOf(await rotateApiKey(bounded.context, admin, strong.id))).toBe('insufficient_role')
    expect(codeOf(await rotateApiKey(bounded.context, admin, weak.id))).toBe('ok')
  })

  it('are exactly its permissions [KEY-3]', async () => {
    const organization = await bounded.organization()
    const { client } = bounded
    const { key } = await keyOf(bounded, organization, { permissions: ['members:invite'] })
    const path = `/organizations/${organization.id}`
    const invite = (role: string) =>
      client.post(`${path}/invitations`, { email: `${crypto.randomUUID()}@x.example`, role }, key)
    expect((await client.get(`${path}/members`, key)).status).toBe(200)
    expect((await client.get(`${path}/audit`, key)).status).toBe(403)
    expect((await client.patch(path, { name: 'New' }, key)).status).toBe(403)
    expect((await client.get(`${path}/api-keys`, key)).status).toBe(403)
    // It has no permission to give.
    expect((await invite('member')).status).toBe(403)
    expect((await invite('admin')).status).toBe(403)
    const more = await keyOf(bounded, organization, {
      permissions: ['members:invite', 'project:read'],
    })
    const invited = await client.post(
      `${path}/invitations`,
      { email: `${crypto.randomUUID()}@x.example`, role: 'member' },
      more.key
    )
    expect(invited.status).toBe(201)
    const active = await client.get('/active-organization', more.key)
    expect(await active.json()).toMatchObject({ role: '[members:invite project:read]' })
  })

  it('without grants are those of a role that is not the owner’s [KEY-4]', async () => {
    const listed = createKeysKit({
      now,
      roles: ['owner', 'editor', 'manager', 'member'],
      ownerRole: 'owner',
      invitationAdminRoles: ['owner', 'manager'],
      memberAdminRoles: ['owner', 'manager'],
      organizationAdminRoles: ['owner', 'editor'],
    })
    const organization = await listed.organization()
    const editor = organization.as(await join(listed, organization, 'editor'))
    const owner = organization.as(organization.owner)
    const create = async (scope: typeof owner, more: object) =>
      codeOf(await createApiKey(listed.context, scope, input(more)))
    expect(await create(editor, { role: 'editor' })).toBe('ok')
    expect(await create(editor, { role: 'member' })).toBe('ok')
    expect(await create(editor, { role: 'manager' })).toBe('insufficient_role')
    expect(await create(owner, { role: 'manager' })).toBe('ok')
    for (const wrong of [{ role: 'owner' }, { role: 'king' }, {}, { role: 7 }]) {
      expect([wrong, await create(owner, wrong)]).toEqual([wrong, 'validation_error'])
    }
    const permissions = { role: 'member', permissions: ['members:invite'] }
    expect(await create(owner, permissions)).toBe('validation_error')
  })

  it('are never those of a person: it cannot own, transfer, join, leave or create keys [KEY-11]', async () => {
    const organization = await kit.organization()
    const { client } = kit
    const member = await join(kit, organization)
    const { id, key } = await keyOf(kit, organization)
    const path = `/organizations/${organization.id}`
    const invitation = await invite(kit, organization, `${crypto.randomUUID()}@x.example`)
    const asked: readonly [string, Promise<Response>][] = [
      ['found', client.post('/organizations', { name: 'New' }, key)],
      ['transfer', client.post(`${path}/transfer`, { userId: member, password: 'x' }, key)],
      ['delete', client.send('DELETE', path, { confirmName: 'Test', password: 'x' }, key)],
      ['accept', client.post('/invitations/accept', { token: invitation.token }, key)],
      ['leave', client.delete(`${path}/members/${id}`, key)],
      ['make an owner', client.patch(`${path}/members/${member}`, { role: 'owner' }, key)],
      ['switch', client.put('/active-organization', { organizationId: organization.id }, key)],
      ['create a key', client.post(`${path}/api-keys`, { name: 'x', role: 'member' }, key)],
      ['rotate itself', client.post(`${path}/api-keys/${id}/rotate`, {}, key)],
    ]
    for (const [act, answer] of asked) {
      const { status: answered } = await answer
      expect([act, answered >= 400 && answered < 500]).toEqual([act, true])
    }
    expect(
      unwrap(await listApiKeys(context, organization.as(organization.owner))).data
    ).toHaveLength(1)
    expect((await client.delete(`${path}/api-keys/${id}`, key)).status).toBe(204)
    expect(await status(kit, organization, key)).toBe(401)
  })

  it('end at the owner’s role, if a stored role has become it', async () => {
    const before = createKeysKit({
      now,
      roles: ['owner', 'admin'],
      ownerRole: 'owner',
      invitationAdminRoles: ['owner', 'admin'],
    })
    const organization = await before.organization()
    const { key } = await keyOf(before, organization)
    const after = createKeysKit({
      now,
      roles: ['owner', 'admin'],
      ownerRole: 'admin',
      invitationAdminRoles: ['owner', 'admin'],
    })
    const path = `/organizations/${organization.id}`
    expect((await before.client.patch(path, { name: 'One' }, key)).status).toBe(200)
    expect((await after.client.patch(path, { name: 'Two' }, key)).status).toBe(403)
  })

  it('end with a role that was removed from the configuration [KEY-4]', async () => {
    const before = createKeysKit({
      now,
      roles: ['owner', 'admin', 'robot'],
      ownerRole: 'owner',
      invitationAdminRoles: ['owner', 'admin', 'robot'],
    })
    const organization = await before.organization()
    const { id, key } = await keyOf(before, organization, { role: 'robot' })
    const path = `/organizations/${organization.id}`
    expect((await before.client.patch(path, { name: 'One' }, key)).status).toBe(200)
    expect((await kit.client.patch(path, { name: 'Two' }, key)).status).toBe(403)
    const rotated = await rotateApiKey(context, organization.as(organization.owner), id)
    expect(codeOf(rotated)).toBe('role_not_configured')
  })
})

describe('a request with a key', () => {
  it('is authenticated by it, and any other request by the host [KEY-15]', async () => {
    const organization = await kit.organization()
    const { key } = await keyOf(kit, organization)
    const path = `/organizations/${organization.id}/members`
    expect(await status(kit, organization, key)).toBe(200)
    expect(await status(kit, organization, asUser({ userId: organization.owner }))).toBe(200)
    const other = await kit.client.get(path, null, { authorization: `bearer  ${key} ` })
    expect(other.status).toBe(200)
    const ways = [
      { authorization: key },
      { authorization: `Basic ${key}` },
      { 'x-api-key': key },
      { cookie: `key=${key}` },
    ]
    for (const headers of ways) expect((await kit.client.get(path, null, headers)).status).toBe(401)
    for (const name of ['key', 'api_key', 'token', 'access_token']) {
      expect((await kit.client.get(`${path}?${name}=${key}`)).status).toBe(401)
    }
  })

  it('is refused without a query if the text is no key, and with one if it is unknown [KEY-15]', async () => {
    const organization = await kit.organization()
    const { key } = await keyOf(kit, organization)
    const last = key.at(-1) === 'x' ? 'y' : 'x'
    const before = kit.trips()
    for (const wrong of [key.slice(0, -1), `${key}0`, `${key.slice(0, -1)}${last}`, 'sg_live_']) {
      expect(await status(kit, organization, wrong)).toBe(401)
    }
    expect(kit.trips()).toBe(before)
    const elsewhere = createKeysKit({ now }, { prefix: 'acme_live' })
    const { key: former } = await keyOf(elsewhere, organization)
    // A key with another prefix is one.
    expect(await status(kit, organization, former)).toBe(200)
    const { id, key: gone } = await keyOf(kit, organization)
    unwrap(await revokeApiKey(context, organization.as(organization.owner), id))
    expect(await status(kit, organization, gone)).toBe(401)
    // The host's own authentication is not asked about a text that begins like a key.
    const asked: string[] = []
    const authenticate = authenticateKeys(context, (c) => {
      asked.push(c.req.header('authorization') ?? '')
      return null
    })
    const app = new Hono().route('/', keyRoutes(context, { authenticate }))
    for (const token of ['sg_live_x', 'other']) {
      await app.request('/organizations/x/api-keys', {
        headers: { authorization: `Bearer ${token}` },
      })
    }
    expect(asked).toEqual(['Bearer other'])
  })

  it('writes its time of use at most once an hour, without delaying the request [KEY-12]', async () => {
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const { key, id } = await keyOf(kit, organization)
    const lastUsed = async () => {
      await kit.settled()
      const { data } = unwrap(await listApiKeys(context, scope))
      return data.find((each) => each.id === id)?.lastUsedAt
    }
    expect(await lastUsed()).toBeNull()
    const first = new Date(time).toISOString()
    await Promise.all([1, 2, 3].map(() => status(kit, organization, key)))
    expect(await lastUsed()).toBe(first)
    time += HOUR - 1
    await status(kit, organization, key)
    expect(await lastUsed()).toBe(first)
    time += 1
    await status(kit, organization, key)
    expect(await lastUsed()).toBe(new Date(time).toISOString())
  })
})

describe('a configuration', () => {
  it('without keys has no function and no route for them [KEY-17]', async () => {
    const seatgate = createSeatgate({ database: db, seats: d1Seats(), sessions: 'none' })
    const untyped = seatgate as unknown as typeof context
    expect(() => keyRoutes(untyped, { authenticate: () => null })).toThrow(/keys: apiKeys/)
    expect(() => authenticateKeys(untyped)).toThrow(/keys: apiKeys/)
    expect(seatgate.keys).toBeNull()
    expect(seatgate.followers).toEqual([])
  })

  it('throws for a wrong prefix or number', () => {
    for (const prefix of [
      '',
      'SG',
      'sg_',
      '_sg',
      'sg__live',
      '1sg',
      'sg-live',
      'a'.repeat(33),
      7,
    ]) {
      expect(() => apiKeys({ prefix: prefix as string })).toThrow(TypeError)
    }
    for (const mostKeys of [0, 1.5, 501, NaN, '5']) {
      expect(() => apiKeys({ mostKeys: mostKeys as number })).toThrow(TypeError)
    }
    expect(() => apiKeys({ other: 1 } as object)).toThrow(TypeError)
  })
})
