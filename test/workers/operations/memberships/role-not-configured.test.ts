import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  approveJoinRequest,
  canAdd,
  changeInvitationRole,
  createInvitation,
  getMembership,
  resendInvitation,
  restoreMember,
  setSeatLimit,
  suspendMember,
} from '../../../../src/index.ts'
import { addressVerification, registration } from '../../../../host/identity/routes.ts'
import {
  add,
  createKit,
  newAddress,
  userWith,
  approve,
  createJoiningKit,
  joinAs,
  membersOf,
  neighbourOf,
  openOrganization,
  requestsOf,
  db,
  testEnv,
  unwrap,
  codeOf,
  join,
  PASSWORD,
  unhashed,
} from '../../../kit/index.ts'

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

describe('a removed role', () => {
  it('is not given by an open invitation, which stays and can be changed and resent [C4]', async () => {
    const before = createKit(roles)
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const invited = unwrap(await createInvitation(before.seatgate, asOwner, input))
    const { id, token } = invited
    const caller = { userId: await userWith(email) }
    const accept = () => acceptInvitation(kit.seatgate, { caller }, { token })
    expect(codeOf(await accept())).toBe('role_not_configured')
    expect(await rowOf(id)).toMatchObject({ role: 'editor', accepted_at: null })
    expect(await getMembership(kit.seatgate, caller.userId, organization.id)).toBeNull()
    // Somebody else does not learn of it.
    const other = { caller: { userId: await userWith(newAddress()) } }
    expect(codeOf(await acceptInvitation(kit.seatgate, other, { token }))).toBe(
      'invitation_mismatch'
    )
    expect(codeOf(await resendInvitation(kit.seatgate, asOwner, id))).toBe('role_not_configured')
    expect(await rowOf(id)).toMatchObject({ token_version: 1 })

    const role = { role: 'member' }
    unwrap(await changeInvitationRole(kit.seatgate, asOwner, id, role))
    const again = unwrap(await resendInvitation(kit.seatgate, asOwner, id))
    const accepted = unwrap(await acceptInvitation(kit.seatgate, { caller }, again))
    expect(accepted.membership.role).toBe('member')
  })

  it('nor with sign-up, which registers no user; inviting again works [C4]', async () => {
    const before = createKit(roles)
    const kit = createKit({ registerUser: registration(db, unhashed) })
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const { token } = unwrap(await createInvitation(before.seatgate, asOwner, input))
    const signUp = { token, email, password: PASSWORD }
    expect(codeOf(await acceptInvitationWithSignup(kit.seatgate, signUp))).toBe(
      'role_not_configured'
    )
    const users = 'SELECT count(*) AS n FROM users WHERE email = ?'
    expect(await testEnv.DB.prepare(users).bind(email).first('n')).toBe(0)
    const fresh = { email, role: 'member' }
    expect(codeOf(await createInvitation(kit.seatgate, asOwner, fresh))).toBe('ok')
  })

  it('closes the invitation of a present member [C4]', async () => {
    const before = createKit(roles)
    const kit = createKit()
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const email = newAddress()
    const input = { email, role: 'editor' }
    const { token } = unwrap(await createInvitation(before.seatgate, asOwner, input))
    const userId = await join(kit, organization)
    await testEnv.DB.prepare('UPDATE users SET email = ? WHERE id = ?').bind(email, userId).run()
    const closed = unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, { token }))
    expect(closed).toMatchObject({ created: false, membership: { role: 'member' } })
  })

  it('is not given by restoring a suspended member [C4]', async () => {
    const before = createKit(roles)
    const kit = createKit()
    const organization = await kit.organization()
    const asOwner = organization.as(organization.owner)
    const editor = await join(before, organization, 'editor')
    const member = await join(before, organization)
    for (const userId of [editor, member]) {
      unwrap(await suspendMember(kit.seatgate, asOwner, userId))
    }
    await kit.settled()
    expect(codeOf(await restoreMember(kit.seatgate, asOwner, editor))).toBe('role_not_configured')
    expect(await getMembership(kit.seatgate, editor, organization.id)).toMatchObject({
      status: 'suspended',
    })
    expect(codeOf(await restoreMember(kit.seatgate, asOwner, member))).toBe('ok')
  })

  const asking = (role: string) =>
    createJoiningKit({ ...roles }, { role, whenFull: { domain: 'wait', request: 'refuse' } })
  const now = () => createJoiningKit({}, { whenFull: { domain: 'wait', request: 'refuse' } })

  it('is not granted by an approval; a configured one is [C4]', async () => {
    const kit = now()
    const organization = await openOrganization(kit, 'request')
    const userId = await neighbourOf(organization)
    const asked = unwrap(await joinAs(asking('editor'), organization, userId))
    if (asked.status === 'joined') throw new Error('Nobody was asked.')
    const { id } = asked.request
    expect(codeOf(await approve(kit, organization, id))).toBe('role_not_configured')
    expect(await requestsOf(organization)).toEqual([{ user_id: userId, state: 'open' }])
    const asOwner = organization.as(organization.owner)
    const approved = await approveJoinRequest(kit.seatgate, asOwner, id, { role: 'member' })
    expect(approved).toMatchObject({ ok: true, value: { status: 'joined' } })
  })

  it('keeps its place in line, and lets those behind it in [C4]', async () => {
    const kit = now()
    const organization = await openOrganization(kit, 'auto', 1)
    const before = asking('editor')
    const editor = await neighbourOf(organization)
    expect(unwrap(await joinAs(before, organization, editor)).status).toBe('waiting')
    const member = await neighbourOf(organization)
    expect(unwrap(await joinAs(kit, organization, member)).status).toBe('waiting')
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 3 }))
    await kit.settled()
    expect(await membersOf(organization)).toEqual([member])
    expect(await requestsOf(organization)).toEqual([
      { user_id: editor, state: 'waiting' },
      { user_id: member, state: 'joined' },
    ])
    await before.seatgate.joining?.admitWaiting(before.seatgate, organization.id)
    expect(await membersOf(organization)).toEqual([member, editor])
  })

  it.each(['ledger', 'd1'] as const)(
    'keeps no seat from a new member while it is in line, with %s seats [C4]',
    async (provider) => {
      const whenFull = { domain: 'wait', request: 'refuse' } as const
      const kit = createJoiningKit({ provider }, { whenFull })
      const before = createJoiningKit({ ...roles, provider }, { role: 'editor', whenFull })
      const organization = await openOrganization(kit, 'auto', 1)
      const editor = await neighbourOf(organization)
      expect(unwrap(await joinAs(before, organization, editor)).status).toBe('waiting')
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 2 }))
      await kit.settled()
      const asOwner = organization.as(organization.owner)
      expect(await canAdd(before.seatgate, asOwner)).toMatchObject({
        value: { canAdd: false, waiting: 1 },
      })
      expect(await canAdd(kit.seatgate, asOwner)).toMatchObject({
        value: { canAdd: true, waiting: 0 },
      })
      expect(codeOf(await add(before, organization))).toBe('seat_limit_reached')
      await join(kit, organization)
      expect(await requestsOf(organization)).toEqual([{ user_id: editor, state: 'waiting' }])
    }
  )

  it('is no role of a domain: that is refused at start [C4]', () => {
    expect(() => createJoiningKit({}, { role: 'editor' })).toThrow(/the role of joinRules/)
  })
})
