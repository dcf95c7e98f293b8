import { describe, expect, it } from 'vitest'
import { addMember, listAuditEvents, removeMember, suspendMember } from '../../../../src/index.ts'
import {
  active,
  createScimKit,
  everything,
  newUser,
  pushedOrganization,
  seatUsageOf,
  unwrap,
  userWith,
  violations,
  type PushedOrganization,
  type ScimKit,
} from '../../../kit/index.ts'

const kit = createScimKit({ provider: 'd1' })
const removing = createScimKit({ provider: 'd1' }, { deprovision: 'remove' })

const actionsOf = async ({ seatgate }: ScimKit, organization: PushedOrganization) => {
  const scope = organization.as(organization.owner)
  const { data } = unwrap(await listAuditEvents(seatgate, scope, { limit: 100 }))
  return data.map(({ action }) => action).toReversed()
}

describe('a pushed user', () => {
  it('is a member with a seat, found by the address, and is recorded [SCIM-1]', async () => {
    const organization = await pushedOrganization(kit)
    const before = await actionsOf(kit, organization)
    const { status, body } = await organization.ask(
      'POST',
      '/Users',
      organization.person('ann', { externalId: '00u1', name: { givenName: 'Ann' } })
    )
    expect(status).toBe(201)
    expect(body).toMatchObject({
      userName: `ann@${organization.domain.domain}`,
      externalId: '00u1',
      active: true,
      name: { givenName: 'Ann' },
      meta: { resourceType: 'User', location: `https://seatgate.test/scim/v2/Users/${body.id}` },
    })
    expect(await actionsOf(kit, organization)).toEqual([
      ...before,
      'organization.member_add',
      'organization.scim_user.created',
      'seat.assigned',
    ])
    const scope = organization.as(organization.owner)
    const { data } = unwrap(await listAuditEvents(kit.seatgate, scope, { limit: 3 }))
    for (const { actorType, actorId } of data) {
      expect([actorType, actorId]).toEqual(['service_account', organization.tokenId])
    }
    expect(await organization.ask('GET', `/Users/${body.id}`)).toEqual({ status: 200, body })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is linked if they are a member, and takes no second seat [SCIM-2]', async () => {
    const organization = await pushedOrganization(kit, 2)
    const { domain } = organization.domain
    const userId = await userWith(`ann@${domain}`)
    const scope = organization.as(organization.owner)
    unwrap(await addMember(kit.seatgate, scope, { userId, role: 'admin' }))
    expect((await organization.push('ann')).active).toBe(true)
    expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 2 })
  })

  it('has to be in a verified domain, unless the host allows the address [SCIM-3]', async () => {
    const organization = await pushedOrganization(kit)
    await organization.ask('GET', '/Users')
    const rows = await everything()
    const elsewhere = {
      schemas: organization.person('x')['schemas'],
      userName: 'ceo@rival.example',
    }
    expect(await organization.ask('POST', '/Users', elsewhere)).toMatchObject({ status: 403 })
    expect(await everything()).toEqual(rows)
    const open = createScimKit(
      { provider: 'd1' },
      { allow: ({ email }) => email.endsWith('@rival.example') }
    )
    const other = await pushedOrganization(open)
    expect(await other.ask('POST', '/Users', elsewhere)).toMatchObject({ status: 201 })
  })

  it('is refused if an account has the address and never proved it [SCIM-4]', async () => {
    const organization = await pushedOrganization(kit)
    await userWith(`ann@${organization.domain.domain}`, false)
    const { status } = await organization.ask('POST', '/Users', organization.person('ann'))
    expect(status).toBe(403)
    // Even where the host returns the account.
    const careless = createScimKit(
      { provider: 'd1' },
      { provision: async () => newUser(), allow: () => true }
    )
    const other = await pushedOrganization(careless)
    expect((await other.ask('POST', '/Users', other.person('ann'))).status).toBe(403)
  })
})

describe('active', () => {
  it('false suspends, and the seat is free; true admits again [MUSEUM-49 MUSEUM-51]', async () => {
    const organization = await pushedOrganization(kit, 2)
    const ann = await organization.push('ann')
    expect(await organization.ask('POST', '/Users', organization.person('ben'))).toMatchObject({
      status: 409,
    })
    const out = await organization.ask('PATCH', `/Users/${ann.id}`, active(false))
    expect(out).toMatchObject({ status: 200, body: { active: false } })
    expect(await seatUsageOf(kit, organization)).toMatchObject({ held: 1 })
    const ben = await organization.push('ben')
    // The seat is taken: back in only through the gate.
    const full = await organization.ask('PATCH', `/Users/${ann.id}`, active(true))
    expect(full.status).toBe(409)
    expect(full.body.detail).toContain('2 of 2')
    await organization.ask('DELETE', `/Users/${ben.id}`)
    const back = await organization.ask('PATCH', `/Users/${ann.id}`, active(true))
    expect(back).toMatchObject({ status: 200, body: { active: true } })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('false removes if the host chose that, and true admits again', async () => {
    const organization = await pushedOrganization(removing, 2)
    const ann = await organization.push('ann')
    const out = await organization.ask('PATCH', `/Users/${ann.id}`, active(false))
    expect(out).toMatchObject({ status: 200, body: { active: false } })
    expect(await actionsOf(removing, organization)).toContain('organization.member_remove')
    const back = await organization.ask('PATCH', `/Users/${ann.id}`, active(true))
    expect(back).toMatchObject({ status: 200, body: { active: true } })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('follows the membership, for any way in which it ends [SCIM-5]', async () => {
    const organization = await pushedOrganization(kit)
    const scope = organization.as(organization.owner)
    const ids = [await organization.push('ann'), await organization.push('ben')]
    const { data } = unwrap(await listAuditEvents(kit.seatgate, scope, { limit: 100 }))
    const added = data.filter(({ action }) => action === 'organization.member_add')
    const [ben = '', ann = ''] = added.map(({ targetId }) => targetId ?? '')
    unwrap(await suspendMember(kit.seatgate, scope, ann))
    unwrap(await removeMember(kit.seatgate, scope, ben))
    for (const { id } of ids) {
      expect((await organization.ask('GET', `/Users/${id}`)).body.active).toBe(false)
    }
    const filtered = await organization.ask('GET', '/Users?filter=active eq false')
    expect(filtered.body.totalResults).toBe(2)
  })
})
