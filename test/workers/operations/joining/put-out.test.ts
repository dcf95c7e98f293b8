import { eq } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { users } from '../../../../host/identity/schema.ts'
import {
  acceptInvitation,
  addMember,
  approveJoinRequest,
  changeInvitationRole,
  changeRole,
  createInvitation,
  deleteUser,
  erasePersonalData,
  leaveOrganization,
  listJoinableOrganizations,
  removeMember,
  resendInvitation,
  restoreMember,
  seatUsage,
  setSeatLimit,
  suspendMember,
  transferOwnership,
  type InvitationWithToken,
  type Result,
} from '../../../../src/index.ts'
import {
  newAddress,
  passTime,
  takeAddress,
  userWith,
  violations,
  createJoiningKit,
  joinAs,
  neighbourOf,
  openOrganization,
  lastEventOf,
  meanwhile,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcingOr,
  join,
  PASSWORD,
  type TestOrganization,
  type Kit,
  type KitOptions,
  shareOf,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

async function sendAs(
  kit: Kit,
  organization: TestOrganization,
  userId: string,
  role = 'member',
  email = newAddress()
): Promise<InvitationWithToken> {
  const scope = organization.as(userId)
  const sent = unwrap(await createInvitation(kit.seatgate, scope, { email, role }))
  await kit.settled()
  return sent
}

const acceptAs = async ({ seatgate }: Kit, { email, token }: InvitationWithToken) =>
  codeOf(await acceptInvitation(seatgate, { caller: { userId: await userWith(email) } }, { token }))

const usageOf = async ({ seatgate }: Kit, organization: TestOrganization) =>
  unwrap(await seatUsage(seatgate, organization.asOperator))

async function eventsOf({ id }: TestOrganization, action: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT target_id AS target, metadata FROM seatgate_audit_events
     WHERE organization_id = ? AND action = ? ORDER BY sequence`
  )
    .bind(id, action)
    .all<{ target: string; metadata: string }>()
  return results.map(({ target, metadata }) => ({ target, ...JSON.parse(metadata) }))
}

/** An organization in which an admin has invited two people. */
async function inviting(provider: 'ledger' | 'd1', options: KitOptions = {}) {
  const kit = createKit({ provider, ...options })
  const organization = await kit.organization({ seats: 10 })
  const admin = await join(kit, organization, 'admin')
  const sent = [
    await sendAs(kit, organization, admin),
    await sendAs(kit, organization, admin, 'admin'),
  ]
  return { kit, organization, admin, sent, asOwner: organization.as(organization.owner) }
}

type Inviting = Awaited<ReturnType<typeof inviting>>

const LOSSES: readonly (readonly [
  what: string,
  lose: (scene: Inviting) => Promise<Result<unknown>>,
  event: string,
])[] = [
  [
    'removed',
    ({ kit, asOwner, admin }) => removeMember(kit.seatgate, asOwner, admin),
    'member_remove',
  ],
  [
    'suspended',
    ({ kit, asOwner, admin }) => suspendMember(kit.seatgate, asOwner, admin),
    'member_suspend',
  ],
  [
    'demoted',
    ({ kit, asOwner, admin }) => changeRole(kit.seatgate, asOwner, admin, { role: 'member' }),
    'member_role_change',
  ],
  [
    'gone by themselves',
    ({ kit, organization, admin }) =>
      leaveOrganization(kit.seatgate, {
        caller: { userId: admin },
        organization: organization.id,
      }),
    'member_remove',
  ],
]

describe.each(enforcingOr('d1'))(
  'the invitations of a sender without the right to send them (%s) [A2]',
  (provider) => {
    it.each(shareOf(LOSSES, 3))(
      'end when the sender is %s, with their seats [A2]',
      async (_what, lose, event) => {
        const scene = await inviting(provider)
        const { kit, organization, sent } = scene
        expect(await usageOf(kit, organization)).toMatchObject({ held: 2, reserved: 2 })
        expect(unwrap(await lose(scene))).toMatchObject({ endedInvitations: 2 })
        // The seats are free when it answers.
        expect(await usageOf(kit, organization)).toMatchObject({ reserved: 0 })
        await kit.settled()
        const ended = await eventsOf(organization, 'organization.invitation.revoked')
        expect(ended).toEqual(
          expect.arrayContaining(
            sent.map(({ id }) => ({ target: id, invitation_id: id, reason: 'inviter_lost_role' }))
          )
        )
        expect(ended).toHaveLength(2)
        expect(await eventsOf(organization, `organization.${event}`)).toMatchObject([
          { ended_invitations: 2 },
        ])
        for (const one of sent) expect(await acceptAs(kit, one)).toBe('invitation_revoked')
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    )

    it('end up to ten minutes after they expired, for an acceptance that arrives late [A2]', async () => {
      const scene = await inviting(provider)
      const { kit, organization, admin, asOwner, sent } = scene
      const expired = new Date(sent[1]!.expiresAt).getTime()
      const late = createKit({
        provider,
        around: meanwhile(async () => {
          passTime(expired - Date.now() + 590_000)
          const lost = unwrap(await suspendMember(kit.seatgate, asOwner, admin))
          expect(lost).toMatchObject({ endedInvitations: 2 })
        }),
      })
      // Planned before the expiry, written after it.
      expect(await acceptAs(late, sent[1]!)).toBe('invitation_revoked')
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('stay as they are if they expired earlier [A2]', async () => {
      const { kit, admin, asOwner, sent } = await inviting(provider)
      passTime(new Date(sent[1]!.expiresAt).getTime() - Date.now() + 610_000)
      const lost = unwrap(await suspendMember(kit.seatgate, asOwner, admin))
      expect(lost).toMatchObject({ endedInvitations: 0 })
    })

    it('end with the account of the sender, in each organization [A2]', async () => {
      const scene = await inviting(provider, {
        lifecycle: {
          onDelete: (statements, { userId }) => ({
            ok: true,
            statements: [
              ...statements,
              scene.kit.seatgate.db.delete(users).where(eq(users.id, userId)),
            ],
          }),
        },
      })
      const { kit, organization, admin, sent } = scene
      const other = await kit.organization({ seats: 10 })
      await join(kit, other, 'admin', admin)
      sent.push(await sendAs(kit, other, admin))
      unwrap(await deleteUser(kit.seatgate, { caller: { userId: admin } }, { password: PASSWORD }))
      await kit.settled()
      for (const one of sent) expect(await acceptAs(kit, one)).toBe('invitation_revoked')
      for (const [place, count] of [
        [organization, 2],
        [other, 1],
      ] as const) {
        expect(await usageOf(kit, place)).toMatchObject({ held: 1, reserved: 0 })
        expect(await eventsOf(place, 'organization.member_remove')).toMatchObject([
          { ended_invitations: count },
        ])
        expect(await violations(place.id, { quiet: true })).toEqual([])
      }
    })

    it('to the owner’s role end when an owner is demoted or hands over, the others stay [A2]', async () => {
      for (const way of ['changeRole', 'transferOwnership']) {
        const kit = createKit({ provider })
        const organization = await kit.organization({ seats: 10 })
        const second = await join(kit, organization, 'owner')
        const [heir, member] = [
          await sendAs(kit, organization, second, 'owner'),
          await sendAs(kit, organization, second),
        ]
        const answer =
          way === 'changeRole'
            ? await changeRole(kit.seatgate, organization.as(organization.owner), second, {
                role: 'admin',
              })
            : await transferOwnership(kit.seatgate, organization.as(second), {
                userId: organization.owner,
                role: 'admin',
                password: PASSWORD,
              })
        expect(unwrap<{ endedInvitations: number }>(answer)).toMatchObject({ endedInvitations: 1 })
        await kit.settled()
        expect(await acceptAs(kit, heir)).toBe('invitation_revoked')
        expect(await acceptAs(kit, member)).toBe('ok')
        await kit.settled()
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    })

    it('belong to the last user who changed the role or resent them [A2]', async () => {
      const { kit, organization, admin, sent, asOwner } = await inviting(provider)
      const second = await join(kit, organization, 'owner')
      const asSecond = organization.as(second)
      unwrap(await changeInvitationRole(kit.seatgate, asSecond, sent[0]!.id, { role: 'owner' }))
      const again = unwrap(await resendInvitation(kit.seatgate, asOwner, sent[1]!.id))
      unwrap(await changeRole(kit.seatgate, asOwner, second, { role: 'admin' }))
      expect(unwrap(await removeMember(kit.seatgate, asOwner, admin))).toEqual({
        endedInvitations: 0,
      })
      await kit.settled()
      expect(await acceptAs(kit, sent[0]!)).toBe('invitation_revoked')
      expect(await acceptAs(kit, again)).toBe('ok')
    })

    it('end even if one is sent between the read and the batch of the removal [A2]', async () => {
      const calm = await inviting(provider)
      const { organization, admin } = calm
      const late: InvitationWithToken[] = []
      const kit = createKit({
        provider,
        around: meanwhile(async () => {
          late.push(await sendAs(calm.kit, organization, admin))
        }),
      })
      const removed = unwrap(await removeMember(kit.seatgate, calm.asOwner, admin))
      expect(removed).toEqual({ endedInvitations: 3 })
      await kit.settled()
      expect(await acceptAs(kit, late[0]!)).toBe('invitation_revoked')
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('are not sent by an inviter who is demoted between the read and the batch of the invitation [A2]', async () => {
      const calm = await inviting(provider)
      const { organization, admin, asOwner } = calm
      const kit = createKit({
        provider,
        around: meanwhile(async () =>
          unwrap(await changeRole(calm.kit.seatgate, asOwner, admin, { role: 'member' }))
        ),
      })
      const input = { email: newAddress(), role: 'member' }
      const sent = await createInvitation(kit.seatgate, organization.as(admin), input)
      expect(codeOf(sent)).toBe('insufficient_role')
      await Promise.all([kit.settled(), calm.kit.settled()])
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('stay with invitationsOutliveInviter [A2]', async () => {
      const scene = await inviting(provider, { invitationsOutliveInviter: true })
      const { kit, asOwner, admin, sent } = scene
      expect(unwrap(await removeMember(kit.seatgate, asOwner, admin))).toEqual({
        endedInvitations: 0,
      })
      await kit.settled()
      for (const one of sent) expect(await acceptAs(kit, one)).toBe('ok')
    })

    it('to the address of a removed member end too [A2]', async () => {
      const { kit, organization, admin, asOwner } = await inviting(provider)
      const email = newAddress()
      const invited = await sendAs(kit, organization, organization.owner, 'admin', email)
      await takeAddress(admin, email)
      expect(unwrap(await removeMember(kit.seatgate, asOwner, admin))).toEqual({
        endedInvitations: 3,
      })
      await kit.settled()
      const { token } = invited
      const accepted = await acceptInvitation(
        kit.seatgate,
        { caller: { userId: admin } },
        { token }
      )
      expect(codeOf(accepted)).toBe('invitation_revoked')
    })
  }
)

/** A member of an organization that lets its domain in, who has come in that way. */
async function neighbour(mode: 'refuse' | 'wait' = 'refuse', options: KitOptions = {}) {
  const kit: Kit = createJoiningKit(
    {
      lifecycle: {
        onDelete: (statements, { userId }) => ({
          ok: true,
          statements: [...statements, kit.seatgate.db.delete(users).where(eq(users.id, userId))],
        }),
      },
      ...options,
    },
    { whenFull: { domain: mode, request: mode } }
  )
  const organization = await openOrganization(kit, 'auto', 10)
  const userId = await neighbourOf(organization)
  const email = (await testEnv.DB.prepare('SELECT email FROM users WHERE id = ?')
    .bind(userId)
    .first<string>('email'))!
  expect(await joined(kit, organization, userId)).toBe('joined')
  return { kit, organization, userId, email, asOwner: organization.as(organization.owner) }
}

async function joined(kit: Kit, organization: TestOrganization, userId: string) {
  const answer = await joinAs(kit, organization, userId)
  await kit.settled()
  return answer.ok ? answer.value.status : answer.error.code
}

const modeFor = async ({ seatgate }: Kit, userId: string) =>
  unwrap(await listJoinableOrganizations(seatgate, { caller: { userId } })).data[0]?.mode

/** The account goes, and is made again with its address. */
async function accountAgain(kit: Kit, userId: string, email: string): Promise<string> {
  unwrap(await deleteUser(kit.seatgate, { caller: { userId } }, { password: PASSWORD }))
  await kit.settled()
  return userWith(email)
}

describe.each(['refuse', 'wait'] as const)(
  'a removed user of a full organization: %s [A2]',
  (mode) => {
    it('asks after a removal, also with another account of the address [A2]', async () => {
      const { kit, organization, userId, email, asOwner } = await neighbour(mode)
      unwrap(await removeMember(kit.seatgate, asOwner, userId))
      await kit.settled()
      expect(await modeFor(kit, userId)).toBe('request')
      expect(await joined(kit, organization, userId)).toBe('requested')
      const again = await accountAgain(kit, userId, email)
      expect(await modeFor(kit, again)).toBe('request')
      expect(await joined(kit, organization, again)).toBe('requested')
      // Others of the domain come in as before.
      const other = await neighbourOf(organization)
      expect(await modeFor(kit, other)).toBe('auto')
      expect(await joined(kit, organization, other)).toBe('joined')
    })

    it('asks after a suspended account was deleted, by the address it had then [A2]', async () => {
      const { kit, organization, userId, asOwner } = await neighbour(mode)
      unwrap(await suspendMember(kit.seatgate, asOwner, userId))
      const later = `later-${crypto.randomUUID()}@${organization.domain.domain}`
      await takeAddress(userId, later)
      const again = await accountAgain(kit, userId, later)
      expect(await joined(kit, organization, again)).toBe('requested')
    })

    it('joins by the domain again after leaving [A2]', async () => {
      const { kit, organization, userId } = await neighbour(mode)
      unwrap(
        await leaveOrganization(kit.seatgate, { caller: { userId }, organization: organization.id })
      )
      await kit.settled()
      expect(await modeFor(kit, userId)).toBe('auto')
      expect(await joined(kit, organization, userId)).toBe('joined')
    })

    it.each(['added', 'invited', 'approved', 'restored'])(
      'is no longer recorded once they are %s [A2]',
      async (way) => {
        const { kit, organization, userId, email, asOwner } = await neighbour(mode)
        const { seatgate } = kit
        if (way === 'restored') {
          unwrap(await suspendMember(seatgate, asOwner, userId))
          unwrap(await restoreMember(seatgate, asOwner, userId))
        } else {
          unwrap(await removeMember(seatgate, asOwner, userId))
        }
        await kit.settled()
        if (way === 'added') unwrap(await addMember(seatgate, asOwner, { userId, role: 'member' }))
        if (way === 'invited') {
          const { token } = await sendAs(kit, organization, organization.owner, 'member', email)
          unwrap(await acceptInvitation(seatgate, { caller: { userId } }, { token }))
        }
        if (way === 'approved') {
          const asked = unwrap(await joinAs(kit, organization, userId))
          if (asked.status === 'joined') throw new Error('joined')
          unwrap(await approveJoinRequest(seatgate, asOwner, asked.request.id, {}))
        }
        await kit.settled()
        unwrap(
          await leaveOrganization(seatgate, { caller: { userId }, organization: organization.id })
        )
        await kit.settled()
        expect(await joined(kit, organization, userId)).toBe('joined')
        const left = await testEnv.DB.prepare(
          'SELECT count(*) AS n FROM seatgate_exclusions WHERE organization_id = ?'
        )
          .bind(organization.id)
          .first('n')
        expect(left).toBe(0)
      }
    )

    it('is not recorded elsewhere, and their address is in no table in clear text [A2]', async () => {
      const { kit, organization, userId, email, asOwner } = await neighbour(mode)
      unwrap(await removeMember(kit.seatgate, asOwner, userId))
      await kit.settled()
      const { results } = await testEnv.DB.prepare(
        'SELECT * FROM seatgate_exclusions WHERE organization_id = ?'
      )
        .bind(organization.id)
        .all()
      expect(results).toMatchObject([
        { user_id: userId, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
      ])
      expect(JSON.stringify(results)).not.toContain(email)
      const erased = await erasePersonalData(kit.seatgate, { caller: { type: 'system' } }, userId)
      expect(erased).toMatchObject({ ok: true, value: { erased: 1 } })
      expect(await lastEventOf(organization.id)).toMatchObject({ action: 'audit.erasure' })
      // Their id stays known, their address does not.
      expect(await joined(kit, organization, userId)).toBe('requested')
      const again = await accountAgain(kit, userId, email)
      await testEnv.DB.exec(
        'UPDATE seatgate_exclusions SET salt = NULL, digest = NULL, address_length = NULL'
      )
      expect(await joined(kit, organization, again)).toBe('joined')
    })
  }
)

describe('the waiting line [A2]', () => {
  it('admits no user who was removed since they joined it: they request to join [A2]', async () => {
    const { kit, organization, userId, email, asOwner } = await neighbour('wait')
    const { seatgate } = kit
    const other = await join(kit, organization)
    unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: 2 }))
    const waiting = await neighbourOf(organization)
    expect(await joined(kit, organization, waiting)).toBe('waiting')
    unwrap(await removeMember(seatgate, asOwner, userId))
    await kit.settled()
    // Who waits has the address now of who was removed.
    await takeAddress(userId, newAddress())
    await takeAddress(waiting, email)
    unwrap(
      await leaveOrganization(seatgate, {
        caller: { userId: other },
        organization: organization.id,
      })
    )
    await kit.settled()
    const request = await testEnv.DB.prepare(
      'SELECT state, path FROM seatgate_join_requests WHERE organization_id = ? AND user_id = ?'
    )
      .bind(organization.id, waiting)
      .first()
    expect(request).toEqual({ state: 'open', path: 'request' })
    expect(await usageOf(kit, organization)).toMatchObject({ held: 1 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})
