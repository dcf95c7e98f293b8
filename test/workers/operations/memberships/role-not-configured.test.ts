import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  approveJoinRequest,
  changeInvitationRole,
  createInvitation,
  getMembership,
  resendInvitation,
  restoreMember,
  setSeatLimit,
  suspendMember,
} from '../../../../src/index.ts'
import { addressVerification, registration } from '../../../../host/identity/routes.ts'
import { createInvitingWorld, newAddress, userWith } from '../../../kit/invitations.ts'
import {
  approve,
  createJoiningWorld,
  joinAs,
  membersOf,
  neighbourOf,
  openOrganization,
  requestsOf,
} from '../../../kit/joining.ts'
import { db } from '../../../kit/http.ts'
import { testEnv } from '../../../kit/environment.ts'
import { answered, codeOf, join, newOrganization, PASSWORD, unhashed } from '../../../kit/kit.ts'

const roles = {
  roles: ['owner', 'admin', 'editor', 'member'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
  emailVerification: addressVerification(db),
}

const rowOf = (id: string) =>
  testEnv.DB.prepare(
    'SELECT role, accepted_at, token_version FROM seatgate_invitations WHERE id = ?'
  )
    .bind(id)
    .first()

describe('a role that is not configured any more', () => {
  it('C4 does not come in by an open invitation, which stays and can be changed and resent', async () => {
    const before = createInvitingWorld(roles)
    const world = createInvitingWorld()
    const organization = await newOrganization(world, 3)
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const invited = answered(await createInvitation(before.seatgate, asOwner, input))
    const { id, token } = invited
    const caller = { userId: await userWith(email) }
    const accept = () => acceptInvitation(world.seatgate, { caller }, { token })
    expect(codeOf(await accept())).toBe('role_not_configured')
    expect(await rowOf(id)).toMatchObject({ role: 'editor', accepted_at: null })
    expect(await getMembership(world.seatgate, caller.userId, organization.id)).toBeNull()
    // Somebody else does not learn of it.
    const other = { caller: { userId: await userWith(newAddress()) } }
    expect(codeOf(await acceptInvitation(world.seatgate, other, { token }))).toBe(
      'invitation_mismatch'
    )
    expect(codeOf(await resendInvitation(world.seatgate, asOwner, id))).toBe('role_not_configured')
    expect(await rowOf(id)).toMatchObject({ token_version: 1 })

    const role = { role: 'member' }
    answered(await changeInvitationRole(world.seatgate, asOwner, id, role))
    const again = answered(await resendInvitation(world.seatgate, asOwner, id))
    const accepted = answered(await acceptInvitation(world.seatgate, { caller }, again))
    expect(accepted.membership.role).toBe('member')
  })

  it('C4 nor with sign-up, which registers nobody; inviting again works', async () => {
    const before = createInvitingWorld(roles)
    const world = createInvitingWorld({ registerUser: registration(db, unhashed) })
    const organization = await newOrganization(world)
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const { token } = answered(await createInvitation(before.seatgate, asOwner, input))
    const signUp = { token, email, password: PASSWORD }
    expect(codeOf(await acceptInvitationWithSignup(world.seatgate, signUp))).toBe(
      'role_not_configured'
    )
    const users = 'SELECT count(*) AS n FROM users WHERE email = ?'
    expect(await testEnv.DB.prepare(users).bind(email).first('n')).toBe(0)
    const fresh = { email, role: 'member' }
    expect(codeOf(await createInvitation(world.seatgate, asOwner, fresh))).toBe('ok')
  })

  it('C4 closes the invitation of who is in already', async () => {
    const before = createInvitingWorld(roles)
    const world = createInvitingWorld()
    const organization = await newOrganization(world)
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const { token } = answered(await createInvitation(before.seatgate, asOwner, input))
    const userId = await join(world, organization)
    await testEnv.DB.prepare('UPDATE users SET email = ? WHERE id = ?').bind(email, userId).run()
    const closed = answered(
      await acceptInvitation(world.seatgate, { caller: { userId } }, { token })
    )
    expect(closed).toMatchObject({ created: false, membership: { role: 'member' } })
  })

  it('C4 does not come back with a suspended member', async () => {
    const before = createInvitingWorld(roles)
    const world = createInvitingWorld()
    const organization = await newOrganization(world)
    const asOwner = organization.as(organization.owner)
    const editor = await join(before, organization, 'editor')
    const member = await join(before, organization)
    for (const userId of [editor, member]) {
      answered(await suspendMember(world.seatgate, asOwner, userId))
    }
    await world.settled()
    expect(codeOf(await restoreMember(world.seatgate, asOwner, editor))).toBe('role_not_configured')
    expect(await getMembership(world.seatgate, editor, organization.id)).toMatchObject({
      status: 'suspended',
    })
    expect(codeOf(await restoreMember(world.seatgate, asOwner, member))).toBe('ok')
  })

  const asking = (role: string) =>
    createJoiningWorld({ ...roles }, { role, whenFull: { domain: 'wait', request: 'refuse' } })
  const now = () => createJoiningWorld({}, { whenFull: { domain: 'wait', request: 'refuse' } })

  it('C4 is not approved with a request; another one is', async () => {
    const world = now()
    const organization = await openOrganization(world, 'request')
    const userId = await neighbourOf(organization)
    const asked = answered(await joinAs(asking('editor'), organization, userId))
    if (asked.status === 'joined') throw new Error('Nobody was asked.')
    const { id } = asked.request
    expect(codeOf(await approve(world, organization, id))).toBe('role_not_configured')
    expect(await requestsOf(organization)).toEqual([{ user_id: userId, state: 'open' }])
    const asOwner = organization.as(organization.owner)
    const approved = await approveJoinRequest(world.seatgate, asOwner, id, { role: 'member' })
    expect(approved).toMatchObject({ ok: true, value: { status: 'joined' } })
  })

  it('C4 keeps its place in line, and lets those behind it in', async () => {
    const world = now()
    const organization = await openOrganization(world, 'auto', 1)
    const before = asking('editor')
    const editor = await neighbourOf(organization)
    expect(answered(await joinAs(before, organization, editor)).status).toBe('waiting')
    const member = await neighbourOf(organization)
    expect(answered(await joinAs(world, organization, member)).status).toBe('waiting')
    answered(await setSeatLimit(world.seatgate, organization.asOperator, { limit: 3 }))
    await world.settled()
    expect(await membersOf(organization)).toEqual([member])
    expect(await requestsOf(organization)).toEqual([
      { user_id: editor, state: 'waiting' },
      { user_id: member, state: 'joined' },
    ])
    await before.seatgate.joining?.admitWaiting(before.seatgate, organization.id)
    expect(await membersOf(organization)).toEqual([member, editor])
  })

  it('C4 is not what a domain leads to: that is refused at start', () => {
    expect(() => createJoiningWorld({}, { role: 'editor' })).toThrow(/joining\.role/)
  })
})
