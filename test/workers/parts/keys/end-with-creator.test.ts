import { describe, expect, it } from 'vitest'
import {
  changeRole,
  commitTogether,
  prepareUserDeletion,
  removeMember,
  suspendMember,
  transferOwnership,
} from '../../../../src/index.ts'
import { createApiKey, listApiKeys, rotateApiKey } from '../../../../src/hono/keys/index.ts'
import {
  actionsOf,
  codeOf,
  createKeysKit,
  expectSound,
  join,
  keyOf,
  PASSWORD,
  PROJECT,
  unwrap,
  type KeysKit,
  type TestOrganization,
} from '../../../kit/index.ts'

const kit = createKeysKit()
const bounded = createKeysKit(PROJECT)
const { seatgate } = kit

const works = async ({ client }: KeysKit, { id }: TestOrganization, key: string) =>
  (await client.get(`/organizations/${id}/members`, key)).status === 200

/** An organization with an admin, who has made a key that ends with them and one that does not. */
async function withAdmin() {
  const organization = await kit.organization()
  const admin = await join(kit, organization, 'admin')
  const ending = await keyOf(kit, organization, { endsWithCreator: true }, admin)
  const staying = await keyOf(kit, organization, {}, admin)
  const owners = await keyOf(kit, organization, { endsWithCreator: true })
  return {
    organization,
    owner: organization.as(organization.owner),
    admin,
    ending,
    staying,
    owners,
  }
}
type Case = Awaited<ReturnType<typeof withAdmin>>

const losses: Record<string, (team: Case) => Promise<unknown>> = {
  'a role change': ({ owner, admin }) => changeRole(seatgate, owner, admin, { role: 'member' }),
  'a removal': ({ owner, admin }) => removeMember(seatgate, owner, admin),
  'a suspension': ({ owner, admin }) => suspendMember(seatgate, owner, admin),
  'a departure': ({ organization, admin }) => removeMember(seatgate, organization.as(admin), admin),
  'the deletion of the user': async ({ admin }) => {
    const caller = { type: 'system' } as const
    const prepared = unwrap(await prepareUserDeletion(seatgate, { caller }, admin))
    return commitTogether(seatgate, prepared)
  },
}

describe('a key that ends with its creator', () => {
  it.each(Object.keys(losses))('ends by %s, and other keys stay valid [KEY-8]', async (loss) => {
    const team = await withAdmin()
    const { organization, ending, staying, owners } = team
    expect(await losses[loss]!(team)).toMatchObject({ ok: true })
    expect(await works(kit, organization, ending.key)).toBe(false)
    expect(await works(kit, organization, staying.key)).toBe(true)
    expect(await works(kit, organization, owners.key)).toBe(true)
    const actions = await actionsOf(organization.id)
    expect(actions.filter((action) => action === 'organization.api_key.ended')).toHaveLength(1)
    await kit.settled()
    await expectSound(organization.id, false)
  })

  it('ends in the batch of the loss, or not at all [KEY-8]', async () => {
    const team = await withAdmin()
    let fails = false
    const failing = createKeysKit({
      around: ({ asked }, run) =>
        fails && asked.some((sql) => /^delete from "seatgate_memberships"/i.test(sql))
          ? Promise.reject(new Error('D1_ERROR: disk I/O error: SQLITE_IOERR'))
          : run(),
    })
    fails = true
    expect(codeOf(await removeMember(failing.seatgate, team.owner, team.admin))).toBe('unavailable')
    expect(await works(kit, team.organization, team.ending.key)).toBe(true)
    fails = false
    const before = failing.trips()
    unwrap(await removeMember(failing.seatgate, team.owner, team.admin))
    // One trip reads, one writes: the end of the keys is in the second.
    expect(failing.trips() - before).toBe(2)
    expect(await works(kit, team.organization, team.ending.key)).toBe(false)
  })

  it('ends by a transfer, and stays with an admin who becomes owner [KEY-8]', async () => {
    const { organization, owner, admin, ending, owners } = await withAdmin()
    const input = { userId: admin, role: 'member', password: PASSWORD } as const
    unwrap(await transferOwnership(seatgate, owner, input))
    expect(await works(kit, organization, ending.key)).toBe(true)
    expect(await works(kit, organization, owners.key)).toBe(false)
  })

  it('ends by the loss of one of its permissions, and stays by that of another [KEY-8]', async () => {
    const narrow = createKeysKit({
      permissions: { project: ['read', 'write'] },
      grants: {
        lead: ['organization:update', 'project:*'],
        clerk: ['organization:update', 'project:read'],
        member: ['project:*'],
      },
      roles: ['owner', 'lead', 'clerk', 'member'],
      ownerRole: 'owner',
    })
    const organization = await narrow.organization()
    const lead = await join(narrow, organization, 'lead')
    const make = (...permissions: string[]) =>
      keyOf(narrow, organization, { permissions, endsWithCreator: true }, lead)
    const reading = await make('project:read')
    const writing = await make('project:read', 'project:write')
    const owner = organization.as(organization.owner)
    unwrap(await changeRole(narrow.seatgate, owner, lead, { role: 'clerk' }))
    expect(await works(narrow, organization, reading.key)).toBe(true)
    expect(await works(narrow, organization, writing.key)).toBe(false)
    // Without the right to keys no key stays, though the permission is left.
    unwrap(await changeRole(narrow.seatgate, owner, lead, { role: 'member' }))
    expect(await works(narrow, organization, reading.key)).toBe(false)
  })

  it('belongs to the user who rotates it [KEY-8]', async () => {
    const { organization, owner, admin, ending } = await withAdmin()
    const { key } = unwrap(await rotateApiKey(kit.context, owner, ending.id, { overlapHours: 48 }))
    unwrap(await removeMember(seatgate, owner, admin))
    expect(await works(kit, organization, ending.key)).toBe(false)
    expect(await works(kit, organization, key!)).toBe(true)
  })

  it('requires a user as its creator [KEY-8]', async () => {
    const organization = await kit.organization()
    const input = { name: 'CI', role: 'member', endsWithCreator: true } as const
    const scope = { caller: { type: 'system' }, organization: organization.id } as const
    expect(codeOf(await createApiKey(kit.context, scope, input))).toBe('validation_error')
  })

  it('ends before or after a change that is made with it at once [KEY-8]', async () => {
    for (let round = 0; round < 5; round++) {
      const { organization, owner, admin, ending } = await withAdmin()
      const path = `/organizations/${organization.id}`
      const [removed, renamed] = await Promise.all([
        removeMember(seatgate, owner, admin),
        kit.client.patch(path, { name: 'By the key' }, ending.key),
      ])
      expect(codeOf(removed)).toBe('ok')
      expect([200, 401]).toContain(renamed.status)
      const actions = await actionsOf(organization.id)
      if (renamed.status === 401) expect(actions).not.toContain('organization.rename')
      else {
        const ended = actions.lastIndexOf('organization.api_key.ended')
        expect(actions.lastIndexOf('organization.rename')).toBeLessThan(ended)
      }
      await kit.settled()
      await expectSound(organization.id, false)
    }
  })

  it('is not created by an operator who acts as the user [OP-2]', async () => {
    const organization = await bounded.organization()
    const admin = await join(bounded, organization, 'admin')
    const caller = { userId: admin, impersonatedBy: 'operations', operator: true } as const
    const scope = { caller, organization: organization.id }
    const input = { name: 'CI', permissions: ['project:read'] } as const
    const made = await createApiKey(bounded.context, scope, input)
    expect(codeOf(made)).toBe('insufficient_role')
    const { id } = await keyOf(bounded, organization)
    expect(codeOf(await rotateApiKey(bounded.context, scope, id))).toBe('insufficient_role')
    expect(unwrap(await listApiKeys(bounded.context, scope)).data).toHaveLength(1)
  })
})
