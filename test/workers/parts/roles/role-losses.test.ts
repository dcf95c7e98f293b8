import { describe, expect, it } from 'vitest'
import {
  createInvitation,
  createInviteLink,
  listInvitations,
  listInviteLinks,
  viewInviteLink,
} from '../../../../src/index.ts'
import { createApiKey, listApiKeys } from '../../../../src/hono/keys/index.ts'
import { deleteRole, updateRole } from '../../../../src/hono/roles/index.ts'
import {
  accept,
  actionsOf,
  codeOf,
  createRolesKit,
  expectSound,
  join,
  newAddress,
  newUser,
  roleOf,
  unwrap,
} from '../../../kit/index.ts'

const kit = createRolesKit()
const { context, seatgate } = kit
const LEAD = ['members:invite', 'organization:update', 'project:read'] as const

/** An organization with a member in a role of its own, who has invited, made a link and two keys. */
async function withLead() {
  const organization = await kit.organization()
  const owner = organization.as(organization.owner)
  await roleOf(kit, organization, LEAD, 'lead')
  const userId = await join(kit, organization, 'lead')
  const lead = organization.as(userId)
  const email = newAddress()
  const sent = unwrap(await createInvitation(seatgate, lead, { email, role: 'member' }))
  const own = unwrap(await createInvitation(seatgate, lead, { email: newAddress(), role: 'lead' }))
  const link = unwrap(await createInviteLink(seatgate, lead, { role: 'member', maxUses: 3 }))
  const key = { name: 'CI', permissions: ['project:read'] }
  const ending = unwrap(await createApiKey(context, lead, { ...key, endsWithCreator: true }))
  const staying = unwrap(await createApiKey(context, lead, key))
  const others = unwrap(
    await createInvitation(seatgate, owner, { email: newAddress(), role: 'lead' })
  )
  return { organization, owner, userId, lead, email, sent, own, link, ending, staying, others }
}
type Case = Awaited<ReturnType<typeof withLead>>

/** What is left of it. */
async function leftOf({ owner, sent, own, others }: Case) {
  const { data: invitations } = unwrap(await listInvitations(seatgate, owner, { limit: 100 }))
  const { data: links } = unwrap(await listInviteLinks(seatgate, owner))
  const { data: keys } = unwrap(await listApiKeys(context, owner))
  const state = (id: string) => invitations.find((each) => each.id === id)?.status ?? 'ended'
  return {
    invitations: [state(sent.id), state(own.id), state(others.id)],
    links: links.filter(({ state }) => state === 'open').length,
    keys: keys.length,
  }
}

describe('a permission that a role loses', () => {
  it('ends the invitations, links and keys that depend on it, in the batch of the change [PERM-15]', async () => {
    const team = await withLead()
    unwrap(await updateRole(context, team.owner, 'lead', { permissions: ['project:read'] }))
    expect(await leftOf(team)).toEqual({
      invitations: ['ended', 'ended', 'pending'],
      links: 0,
      keys: 1,
    })
    const actions = await actionsOf(team.organization.id)
    for (const action of [
      'invitation.revoked',
      'invite_link.ended',
      'api_key.ended',
      'role.updated',
    ]) {
      expect(actions).toContain(`organization.${action}`)
    }
    await kit.settled()
    await expectSound(team.organization.id, false)
  })

  it('ends no invitation, link or key that does not depend on it [PERM-15]', async () => {
    const team = await withLead()
    unwrap(await updateRole(context, team.owner, 'lead', { permissions: [...LEAD, 'audit:read'] }))
    expect(await leftOf(team)).toEqual({
      // Nobody gives more than they have: a lead still has all of a lead.
      invitations: ['pending', 'pending', 'pending'],
      links: 1,
      keys: 2,
    })
    const permissions = ['members:invite', 'organization:update']
    unwrap(await updateRole(context, team.owner, 'lead', { permissions }))
    expect(await leftOf(team)).toEqual({
      invitations: ['ended', 'pending', 'pending'],
      links: 0,
      keys: 1,
    })
    await kit.settled()
    await expectSound(team.organization.id, false)
  })

  it('ends the same when a replacement has fewer permissions [PERM-15]', async () => {
    const team = await withLead()
    unwrap(await deleteRole(context, team.owner, 'lead', { replacement: 'member' }))
    expect(await leftOf(team)).toEqual({
      invitations: ['ended', 'ended', 'pending'],
      links: 0,
      keys: 1,
    })
    await kit.settled()
    await expectSound(team.organization.id, false)
  })

  it('ends no invitation by a new name, and links and invitations work under it [PERM-11]', async () => {
    const team = await withLead()
    const link = unwrap(await createInviteLink(seatgate, team.lead, { role: 'lead', maxUses: 2 }))
    unwrap(await updateRole(context, team.owner, 'lead', { name: 'head' }))
    const left = await leftOf(team)
    expect(left).toEqual({ invitations: ['pending', 'pending', 'pending'], links: 2, keys: 2 })
    const caller = { userId: await newUser() }
    const shown = unwrap(await viewInviteLink(seatgate, { caller }, { token: link.token! }))
    expect(shown.role).toBe('head')
    const accepted = await accept(kit, { ...team.sent, email: team.email })
    expect(codeOf(accepted)).toBe('ok')
    await kit.settled()
    await expectSound(team.organization.id, false)
  })
})
