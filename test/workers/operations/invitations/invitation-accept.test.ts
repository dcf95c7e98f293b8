import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addMember,
  getMembership,
  listAuditEvents,
  refuse,
  removeMember,
  revokeInvitation,
  seatUsage,
  setSeatLimit,
  softDeleteOrganization,
  suspendMember,
} from '../../../../src/index.ts'
import {
  accept,
  createKit,
  invite,
  newAddress,
  takeAddress,
  userWith,
  violations,
  testEnv,
  unwrap,
  codeOf,
  enforcing,
  enforcingOr,
  join,
  PASSWORD,
  atScale,
} from '../../../kit/index.ts'

const rowOf = (id: string) =>
  testEnv.DB.prepare('SELECT * FROM seatgate_invitations WHERE id = ?').bind(id).first<{
    accepted_at: number | null
    accepted_by_id: string | null
    revoked_at: number | null
  }>()

/** What is on record about an invitation's acceptance. */
async function acceptanceOf(id: string): Promise<unknown> {
  const row = await testEnv.DB.prepare(
    "SELECT metadata FROM seatgate_audit_events WHERE target_id = ? AND action LIKE '%.accepted'"
  )
    .bind(id)
    .first<{ metadata: string }>()
  return JSON.parse(row?.metadata ?? 'null')
}

describe.each(enforcingOr('ledger'))('accepting an invitation (%s)', (provider) => {
  it('makes a member of the stored role, stamps it, and leaves a trail [INV-63 INV-64 MUSEUM-04]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization, newAddress(), 'admin')
    const { membership, created } = unwrap(await accept(kit, invited))
    await kit.settled()
    expect(membership).toMatchObject({ organizationId: organization.id, role: 'admin' })
    expect(created).toBe(true)
    expect(await rowOf(invited.id)).toMatchObject({
      accepted_at: expect.any(Number),
      accepted_by_id: membership.userId,
    })
    const { data } = unwrap(
      await listAuditEvents(kit.seatgate, organization.as(organization.owner), { limit: 3 })
    )
    expect(data.map(({ action, metadata, actorId }) => [action, metadata, actorId])).toEqual([
      ['seat.assigned', expect.objectContaining({ user_id: membership.userId }), membership.userId],
      [
        'organization.invitation.accepted',
        { invitation_id: invited.id, role: 'admin' },
        membership.userId,
      ],
      ['organization.member_add', { role: 'admin', user_id: membership.userId }, membership.userId],
    ])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('succeeds at a full limit, and lowering it makes no change (SEAT-43) [SEAT-37 INV-37]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 2 })
    const invited = await invite(kit, organization)
    const asked = await addMember(kit.seatgate, organization.as(organization.owner), {
      userId: await userWith(newAddress()),
      role: 'member',
    })
    expect(asked).toMatchObject({ ok: false, error: { code: 'seat_limit_reached', used: 2 } })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 1 }))
    expect(codeOf(await accept(kit, invited))).toBe('ok')
    await kit.settled()
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ held: 2, reserved: 0, overLimit: true })
  })

  it('is refused for another user, without a change [INV-65]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    const stranger = { caller: { userId: await userWith(newAddress()) } }
    const answer = await acceptInvitation(kit.seatgate, stranger, invited)
    expect(codeOf(answer)).toBe('invitation_mismatch')
    expect(await rowOf(invited.id)).toMatchObject({ accepted_at: null, accepted_by_id: null })
    expect(codeOf(await accept(kit, invited))).toBe('ok')
  })

  it('compares addresses in one spelling [INV-66]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization, ` Ann+${provider}@BÜCHER.example `)
    expect(invited.email).toBe(`ann+${provider}@xn--bcher-kva.example`)
    const userId = await userWith(`ann+${provider}@bücher.example`)
    const answer = await acceptInvitation(kit.seatgate, { caller: { userId } }, invited)
    expect(codeOf(answer)).toBe('ok')
  })

  it('admits once, and returns the membership again to the same person [INV-68 C10]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    const { membership } = unwrap(await accept(kit, invited))
    await kit.settled()
    const before = await rowOf(invited.id)
    const caller = { userId: membership.userId }
    const again = unwrap(await acceptInvitation(kit.seatgate, { caller }, invited))
    expect(again).toMatchObject({ membership, created: false, organization: { name: 'Test' } })
    expect(await rowOf(invited.id)).toEqual(before)
    expect(await violations(organization.id, { quiet: true })).toEqual([])

    // Another person of that address learns that it is used, and so does one who has left since.
    const other = { caller: { userId: await userWith(newAddress()) } }
    expect(codeOf(await acceptInvitation(kit.seatgate, other, invited))).toBe(
      'invitation_already_accepted'
    )
    unwrap(await removeMember(kit.seatgate, organization.as(caller.userId), caller.userId))
    await kit.settled()
    expect(codeOf(await acceptInvitation(kit.seatgate, { caller }, invited))).toBe(
      'invitation_already_accepted'
    )
    expect(await getMembership(kit.seatgate, caller.userId, organization.id)).toBeNull()
  })

  it('closes it for an active or a suspended member, and leaves the membership unchanged [INV-70 MUSEUM-21]', async () => {
    for (const suspended of [false, true]) {
      const kit = createKit({ provider })
      const organization = await kit.organization({ seats: 3 })
      const email = newAddress()
      const invited = await invite(kit, organization, email, 'admin')
      const userId = await join(kit, organization)
      const asOwner = organization.as(organization.owner)
      if (suspended) unwrap(await suspendMember(kit.seatgate, asOwner, userId))
      // Only now it is their address: suspending somebody ends an invitation to it.
      await takeAddress(userId, email)
      const answer = unwrap(await acceptInvitation(kit.seatgate, { caller: { userId } }, invited))
      await kit.settled()
      expect(answer).toMatchObject({ created: false, membership: { role: 'member' } })
      expect(await acceptanceOf(invited.id)).toMatchObject({ role: 'admin', already_member: true })
      const usage = unwrap(await seatUsage(kit.seatgate, asOwner))
      expect(usage).toMatchObject({ held: suspended ? 1 : 2, reserved: 0 })
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })

  it('is not possible once the organization is deleted [INV-69]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    unwrap(
      await softDeleteOrganization(kit.seatgate, organization.as(organization.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    expect(codeOf(await accept(kit, invited))).toBe('invitation_invalid')
  })

  it('deleting the organization revokes its invitations, with an event for each [ORG-29]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const invited = [await invite(kit, organization), await invite(kit, organization)]
    unwrap(
      await softDeleteOrganization(kit.seatgate, organization.as(organization.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    for (const { id } of invited) expect((await rowOf(id))?.revoked_at).toEqual(expect.any(Number))
    const { results } = await testEnv.DB.prepare(
      `SELECT target_id FROM seatgate_audit_events WHERE organization_id = ?
       AND action = 'organization.invitation.revoked'
       AND metadata ->> 'reason' = 'organization_deleted'`
    )
      .bind(organization.id)
      .all<{ target_id: string }>()
    expect(results.map(({ target_id }) => target_id).sort()).toEqual(
      invited.map(({ id }) => id).sort()
    )
  })

  it('is refused at the very instant of expiry [INV-73]', async () => {
    let now = new Date()
    const kit = createKit({ provider, now: () => now })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    now = new Date(invited.expiresAt)
    expect(codeOf(await accept(kit, invited))).toBe('invitation_expired')
    now = new Date(now.getTime() - 1)
    expect(codeOf(await accept(kit, { ...invited, email: newAddress() }))).toBe(
      'invitation_mismatch'
    )
  })

  it('calls beforeAddMember, and stays pending if the hook refuses [INV-74 HOOK-2]', async () => {
    const closed = createKit({
      provider,
      hooks: { beforeAddMember: () => refuse('closed', 'Come back tomorrow.') },
    })
    const open = createKit({ provider })
    const organization = await open.organization({ seats: 3 })
    const invited = await invite(open, organization)
    const userId = await userWith(invited.email)
    const answer = await acceptInvitation(closed.seatgate, { caller: { userId } }, invited)
    expect(answer).toEqual({
      ok: false,
      error: { code: 'hook_refused', reason: 'closed', detail: 'Come back tomorrow.' },
    })
    expect(await rowOf(invited.id)).toMatchObject({ accepted_at: null })
    expect(await getMembership(open.seatgate, userId, organization.id)).toBeNull()
    expect(codeOf(await acceptInvitation(open.seatgate, { caller: { userId } }, invited))).toBe(
      'ok'
    )
  })

  it('twenty at once make one member, and each is answered [INV-71 MUSEUM-06 C10]', async () => {
    const kit = createKit({ provider, delayMs: 2 })
    const organization = await kit.organization({ seats: 30 })
    const invited = await invite(kit, organization)
    const userId = await userWith(invited.email)
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        acceptInvitation(kit.seatgate, { caller: { userId } }, invited)
      )
    )
    await kit.settled()
    const made = answers.flatMap((answer) => (answer.ok && answer.value.created ? [answer] : []))
    expect(made).toHaveLength(1)
    for (const answer of answers) expect(['ok', 'operation_in_progress']).toContain(codeOf(answer))
    const ids = answers.flatMap((answer) => (answer.ok ? [answer.value.membership.id] : []))
    expect(new Set(ids).size).toBe(1)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('racing a revocation: one of the two succeeds, never both [INV-72]', async () => {
    for (let round = 0; round < atScale({ share: 3, thorough: 10 }); round++) {
      const kit = createKit({ provider, delayMs: round % 2 === 0 ? 0 : 3 })
      const organization = await kit.organization({ seats: 3 })
      const invited = await invite(kit, organization)
      const userId = await userWith(invited.email)
      const [accepted, revoked] = await Promise.all([
        acceptInvitation(kit.seatgate, { caller: { userId } }, invited),
        revokeInvitation(kit.seatgate, organization.as(organization.owner), invited.id),
      ])
      await kit.settled()
      const outcome = [codeOf(accepted), codeOf(revoked)].join(' ')
      expect(['ok not_pending', 'invitation_revoked ok']).toContain(outcome)
      const row = await rowOf(invited.id)
      expect([row?.accepted_at === null, row?.revoked_at === null]).toEqual(
        accepted.ok ? [false, true] : [true, false]
      )
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })

  it('with sign-up: user, membership and stamp are one [INV-78 INV-82 INV-85]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const invited = await invite(kit, organization)
    const { email, mailToken: token } = invited
    const joined = unwrap(
      await acceptInvitationWithSignup(kit.seatgate, { email, token, password: PASSWORD })
    )
    await kit.settled()
    expect(joined).toMatchObject({ user: { email }, membership: { userId: joined.userId } })
    const user = await testEnv.DB.prepare('SELECT email_verified_at FROM users WHERE id = ?')
      .bind(joined.userId)
      .first<{ email_verified_at: number | null }>()
    expect(user?.email_verified_at).toEqual(expect.any(Number))
    expect(await rowOf(invited.id)).toMatchObject({ accepted_by_id: joined.userId })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('with sign-up, two at once for the last seat: the refused one leaves no user, membership or stamp [SEAT-3]', async () => {
    const kit = createKit({ provider, delayMs: 2, invitationsHoldSeats: false })
    const organization = await kit.organization({ seats: 2 })
    const invited = [await invite(kit, organization), await invite(kit, organization)]
    const answers = await Promise.all(
      invited.map(({ email, mailToken: token }) =>
        acceptInvitationWithSignup(kit.seatgate, { email, token, password: PASSWORD })
      )
    )
    await kit.settled()
    expect(answers.map(codeOf).toSorted()).toEqual(['ok', 'seat_limit_reached'])
    for (const [index, { id, email }] of invited.entries()) {
      const isIn = codeOf(answers[index]!) === 'ok'
      const user = await testEnv.DB.prepare('SELECT id FROM users WHERE email = ?')
        .bind(email)
        .first<{ id: string }>()
      expect(user !== null).toBe(isIn)
      expect((await rowOf(id))?.accepted_at !== null).toBe(isIn)
      expect((await acceptanceOf(id)) !== null).toBe(isIn)
    }
    const members = await testEnv.DB.prepare(
      'SELECT count(*) AS n FROM seatgate_memberships WHERE organization_id = ?'
    )
    expect(await members.bind(organization.id).first<number>('n')).toBe(2)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('with sign-up: another address or a bad password creates no user [INV-79 INV-81]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const { email, token, id } = await invite(kit, organization)
    const users = () => testEnv.DB.prepare('SELECT count(*) AS n FROM users').first<number>('n')
    const before = await users()
    const other = { email: newAddress(), token, password: PASSWORD }
    expect(codeOf(await acceptInvitationWithSignup(kit.seatgate, other))).toBe('email_mismatch')
    const short = { email, token, password: 'short' }
    expect(codeOf(await acceptInvitationWithSignup(kit.seatgate, short))).toBe('validation_error')
    const missing = { token, password: PASSWORD }
    expect(codeOf(await acceptInvitationWithSignup(kit.seatgate, missing))).toBe('email_mismatch')
    expect(await users()).toBe(before)
    expect(await rowOf(id)).toMatchObject({ accepted_at: null })
  })
})

describe('fifty invitations accepted at once, ten seats', () => {
  it.each(
    enforcing.flatMap((provider) =>
      [true, false].flatMap((holds) => [0, 5].map((delayMs) => [provider, holds, delayMs] as const))
    )
  )(
    'ten members: %s, invitations hold seats %s, %i ms a trip',
    async (provider, holds, delayMs) => {
      const kit = createKit({ provider, delayMs, invitationsHoldSeats: holds })
      const organization = await kit.organization({ seats: 10, members: 1 })
      const invited = await Promise.all(
        Array.from({ length: 50 }, async () => {
          try {
            return await invite(kit, organization)
          } catch {
            return null
          }
        })
      )
      const open = invited.filter((one) => one !== null)
      expect(open).toHaveLength(holds ? 9 : 50)
      const answers = await Promise.all(open.map((one) => accept(kit, one)))
      await kit.settled()
      const codes = answers.map(codeOf)
      expect(codes.filter((code) => code === 'ok')).toHaveLength(9)
      expect(new Set(codes.filter((code) => code !== 'ok'))).toEqual(
        new Set(holds ? [] : ['seat_limit_reached'])
      )
      const usage = unwrap(await seatUsage(kit.seatgate, organization.as(organization.owner)))
      expect(usage).toMatchObject({ held: 10, reserved: 0 })
    }
  )
})
