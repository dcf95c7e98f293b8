import { eq } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
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
import { newAddress, takeAddress, userWith } from '../../../kit/invitations.ts'
import { violations } from '../../../kit/invariants.ts'
import { createJoiningWorld, joinAs, neighbourOf, openOrganization } from '../../../kit/joining.ts'
import { lastEventOf, meanwhile } from '../../../kit/every-change.ts'
import { testEnv } from '../../../kit/environment.ts'
import {
  answered,
  codeOf,
  createWorld,
  enforcing,
  join,
  newOrganization,
  PASSWORD,
  type TestOrganization,
  type World,
  type WorldOptions,
} from '../../../kit/kit.ts'

async function sendAs(
  world: World,
  organization: TestOrganization,
  userId: string,
  role = 'member',
  email = newAddress()
): Promise<InvitationWithToken> {
  const scope = organization.as(userId)
  const sent = answered(await createInvitation(world.seatgate, scope, { email, role }))
  await world.settled()
  return sent
}

const acceptAs = async ({ seatgate }: World, { email, token }: InvitationWithToken) =>
  codeOf(await acceptInvitation(seatgate, { caller: { userId: await userWith(email) } }, { token }))

const usageOf = async ({ seatgate }: World, organization: TestOrganization) =>
  answered(await seatUsage(seatgate, organization.asOperator))

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
async function inviting(provider: 'ledger' | 'd1', options: WorldOptions = {}) {
  const world = createWorld({ provider, ...options })
  const organization = await newOrganization(world, 10)
  const admin = await join(world, organization, 'admin')
  const sent = [
    await sendAs(world, organization, admin),
    await sendAs(world, organization, admin, 'admin'),
  ]
  return { world, organization, admin, sent, asOwner: organization.as(organization.owner) }
}

type Inviting = Awaited<ReturnType<typeof inviting>>

const LOSSES: readonly (readonly [
  what: string,
  lose: (scene: Inviting) => Promise<Result<unknown>>,
  event: string,
])[] = [
  [
    'removed',
    ({ world, asOwner, admin }) => removeMember(world.seatgate, asOwner, admin),
    'member_remove',
  ],
  [
    'suspended',
    ({ world, asOwner, admin }) => suspendMember(world.seatgate, asOwner, admin),
    'member_suspend',
  ],
  [
    'demoted',
    ({ world, asOwner, admin }) => changeRole(world.seatgate, asOwner, admin, { role: 'member' }),
    'member_role_change',
  ],
  [
    'gone by themselves',
    ({ world, organization, admin }) =>
      leaveOrganization(world.seatgate, {
        caller: { userId: admin },
        organization: organization.id,
      }),
    'member_remove',
  ],
]

describe.each(enforcing)('A2 the invitations of who cannot send them any more (%s)', (provider) => {
  it.each(LOSSES)('A2 end when the sender is %s, with their seats', async (_what, lose, event) => {
    const scene = await inviting(provider)
    const { world, organization, sent } = scene
    expect(await usageOf(world, organization)).toMatchObject({ held: 2, reserved: 2 })
    expect(answered(await lose(scene))).toMatchObject({ endedInvitations: 2 })
    // The seats are free when it answers.
    expect(await usageOf(world, organization)).toMatchObject({ reserved: 0 })
    await world.settled()
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
    for (const one of sent) expect(await acceptAs(world, one)).toBe('invitation_revoked')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('A2 end with the account of the sender, in each organization', async () => {
    const scene = await inviting(provider, {
      lifecycle: {
        onDelete: (statements, { userId }) => ({
          ok: true,
          statements: [
            ...statements,
            scene.world.seatgate.db.delete(users).where(eq(users.id, userId)),
          ],
        }),
      },
    })
    const { world, organization, admin, sent } = scene
    const other = await newOrganization(world, 10)
    await join(world, other, 'admin', admin)
    sent.push(await sendAs(world, other, admin))
    answered(
      await deleteUser(world.seatgate, { caller: { userId: admin } }, { password: PASSWORD })
    )
    await world.settled()
    for (const one of sent) expect(await acceptAs(world, one)).toBe('invitation_revoked')
    for (const [place, count] of [
      [organization, 2],
      [other, 1],
    ] as const) {
      expect(await usageOf(world, place)).toMatchObject({ held: 1, reserved: 0 })
      expect(await eventsOf(place, 'organization.member_remove')).toMatchObject([
        { ended_invitations: count },
      ])
      expect(await violations(place.id, { quiet: true })).toEqual([])
    }
  })

  it('A2 to the owner’s role end when an owner is demoted or hands over, the others stay', async () => {
    for (const way of ['changeRole', 'transferOwnership']) {
      const world = createWorld({ provider })
      const organization = await newOrganization(world, 10)
      const second = await join(world, organization, 'owner')
      const [heir, member] = [
        await sendAs(world, organization, second, 'owner'),
        await sendAs(world, organization, second),
      ]
      const answer =
        way === 'changeRole'
          ? await changeRole(world.seatgate, organization.as(organization.owner), second, {
              role: 'admin',
            })
          : await transferOwnership(world.seatgate, organization.as(second), {
              userId: organization.owner,
              role: 'admin',
              password: PASSWORD,
            })
      expect(answered<{ endedInvitations: number }>(answer)).toMatchObject({ endedInvitations: 1 })
      await world.settled()
      expect(await acceptAs(world, heir)).toBe('invitation_revoked')
      expect(await acceptAs(world, member)).toBe('ok')
      await world.settled()
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })

  it('A2 are theirs who changed the role or sent it again last', async () => {
    const { world, organization, admin, sent, asOwner } = await inviting(provider)
    const second = await join(world, organization, 'owner')
    const asSecond = organization.as(second)
    answered(await changeInvitationRole(world.seatgate, asSecond, sent[0]!.id, { role: 'owner' }))
    const again = answered(await resendInvitation(world.seatgate, asOwner, sent[1]!.id))
    answered(await changeRole(world.seatgate, asOwner, second, { role: 'admin' }))
    expect(answered(await removeMember(world.seatgate, asOwner, admin))).toEqual({
      endedInvitations: 0,
    })
    await world.settled()
    expect(await acceptAs(world, sent[0]!)).toBe('invitation_revoked')
    expect(await acceptAs(world, again)).toBe('ok')
  })

  it('A2 end though one is sent between the read and the batch of the removal', async () => {
    const calm = await inviting(provider)
    const { organization, admin } = calm
    const late: InvitationWithToken[] = []
    const world = createWorld({
      provider,
      around: meanwhile(async () => {
        late.push(await sendAs(calm.world, organization, admin))
      }),
    })
    const removed = answered(await removeMember(world.seatgate, calm.asOwner, admin))
    expect(removed).toEqual({ endedInvitations: 3 })
    await world.settled()
    expect(await acceptAs(world, late[0]!)).toBe('invitation_revoked')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('A2 are not sent by who is demoted between the read and the batch of the invitation', async () => {
    const calm = await inviting(provider)
    const { organization, admin, asOwner } = calm
    const world = createWorld({
      provider,
      around: meanwhile(async () =>
        answered(await changeRole(calm.world.seatgate, asOwner, admin, { role: 'member' }))
      ),
    })
    const input = { email: newAddress(), role: 'member' }
    const sent = await createInvitation(world.seatgate, organization.as(admin), input)
    expect(codeOf(sent)).toBe('insufficient_role')
    await Promise.all([world.settled(), calm.world.settled()])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('A2 stay with invitationsOutliveInviter', async () => {
    const scene = await inviting(provider, { invitationsOutliveInviter: true })
    const { world, asOwner, admin, sent } = scene
    expect(answered(await removeMember(world.seatgate, asOwner, admin))).toEqual({
      endedInvitations: 0,
    })
    await world.settled()
    for (const one of sent) expect(await acceptAs(world, one)).toBe('ok')
  })

  it('A2 to the address of who is removed end too', async () => {
    const { world, organization, admin, asOwner } = await inviting(provider)
    const email = newAddress()
    const invited = await sendAs(world, organization, organization.owner, 'admin', email)
    await takeAddress(admin, email)
    expect(answered(await removeMember(world.seatgate, asOwner, admin))).toEqual({
      endedInvitations: 3,
    })
    await world.settled()
    const { token } = invited
    const accepted = await acceptInvitation(
      world.seatgate,
      { caller: { userId: admin } },
      { token }
    )
    expect(codeOf(accepted)).toBe('invitation_revoked')
  })
})

/** A member of an organization that lets its domain in, who has come in that way. */
async function neighbour(mode: 'refuse' | 'wait' = 'refuse', options: WorldOptions = {}) {
  const world: World = createJoiningWorld(
    {
      lifecycle: {
        onDelete: (statements, { userId }) => ({
          ok: true,
          statements: [...statements, world.seatgate.db.delete(users).where(eq(users.id, userId))],
        }),
      },
      ...options,
    },
    { whenFull: { domain: mode, request: mode } }
  )
  const organization = await openOrganization(world, 'auto', 10)
  const userId = await neighbourOf(organization)
  const email = (await testEnv.DB.prepare('SELECT email FROM users WHERE id = ?')
    .bind(userId)
    .first<string>('email'))!
  expect(await joined(world, organization, userId)).toBe('joined')
  return { world, organization, userId, email, asOwner: organization.as(organization.owner) }
}

async function joined(world: World, organization: TestOrganization, userId: string) {
  const answer = await joinAs(world, organization, userId)
  await world.settled()
  return answer.ok ? answer.value.status : answer.error.code
}

const modeFor = async ({ seatgate }: World, userId: string) =>
  answered(await listJoinableOrganizations(seatgate, { caller: { userId } })).data[0]?.mode

/** The account goes, and is made again with its address. */
async function accountAgain(world: World, userId: string, email: string): Promise<string> {
  answered(await deleteUser(world.seatgate, { caller: { userId } }, { password: PASSWORD }))
  await world.settled()
  return userWith(email)
}

describe.each(['refuse', 'wait'] as const)('A2 who was put out, when full: %s', (mode) => {
  it('A2 asks after a removal, also with another account of the address', async () => {
    const { world, organization, userId, email, asOwner } = await neighbour(mode)
    answered(await removeMember(world.seatgate, asOwner, userId))
    await world.settled()
    expect(await modeFor(world, userId)).toBe('request')
    expect(await joined(world, organization, userId)).toBe('requested')
    const again = await accountAgain(world, userId, email)
    expect(await modeFor(world, again)).toBe('request')
    expect(await joined(world, organization, again)).toBe('requested')
    // Others of the domain come in as before.
    const other = await neighbourOf(organization)
    expect(await modeFor(world, other)).toBe('auto')
    expect(await joined(world, organization, other)).toBe('joined')
  })

  it('A2 asks after a suspended account was deleted, by the address it had then', async () => {
    const { world, organization, userId, asOwner } = await neighbour(mode)
    answered(await suspendMember(world.seatgate, asOwner, userId))
    const later = `later-${crypto.randomUUID()}@${organization.domain.domain}`
    await takeAddress(userId, later)
    const again = await accountAgain(world, userId, later)
    expect(await joined(world, organization, again)).toBe('requested')
  })

  it('A2 comes in by the domain after leaving by themselves', async () => {
    const { world, organization, userId } = await neighbour(mode)
    answered(
      await leaveOrganization(world.seatgate, { caller: { userId }, organization: organization.id })
    )
    await world.settled()
    expect(await modeFor(world, userId)).toBe('auto')
    expect(await joined(world, organization, userId)).toBe('joined')
  })

  it.each(['added', 'invited', 'approved', 'restored'])(
    'A2 is known no more once they are %s',
    async (way) => {
      const { world, organization, userId, email, asOwner } = await neighbour(mode)
      const { seatgate } = world
      if (way === 'restored') {
        answered(await suspendMember(seatgate, asOwner, userId))
        answered(await restoreMember(seatgate, asOwner, userId))
      } else {
        answered(await removeMember(seatgate, asOwner, userId))
      }
      await world.settled()
      if (way === 'added') answered(await addMember(seatgate, asOwner, { userId, role: 'member' }))
      if (way === 'invited') {
        const { token } = await sendAs(world, organization, organization.owner, 'member', email)
        answered(await acceptInvitation(seatgate, { caller: { userId } }, { token }))
      }
      if (way === 'approved') {
        const asked = answered(await joinAs(world, organization, userId))
        if (asked.status === 'joined') throw new Error('joined')
        answered(await approveJoinRequest(seatgate, asOwner, asked.request.id, {}))
      }
      await world.settled()
      answered(
        await leaveOrganization(seatgate, { caller: { userId }, organization: organization.id })
      )
      await world.settled()
      expect(await joined(world, organization, userId)).toBe('joined')
      const left = await testEnv.DB.prepare(
        'SELECT count(*) AS n FROM seatgate_exclusions WHERE organization_id = ?'
      )
        .bind(organization.id)
        .first('n')
      expect(left).toBe(0)
    }
  )

  it('A2 is not known elsewhere, and their address is in no table in clear', async () => {
    const { world, organization, userId, email, asOwner } = await neighbour(mode)
    answered(await removeMember(world.seatgate, asOwner, userId))
    await world.settled()
    const { results } = await testEnv.DB.prepare(
      'SELECT * FROM seatgate_exclusions WHERE organization_id = ?'
    )
      .bind(organization.id)
      .all()
    expect(results).toMatchObject([
      { user_id: userId, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    ])
    expect(JSON.stringify(results)).not.toContain(email)
    const erased = await erasePersonalData(world.seatgate, { caller: { type: 'system' } }, userId)
    expect(erased).toMatchObject({ ok: true, value: { erased: 1 } })
    expect(await lastEventOf(organization.id)).toMatchObject({ action: 'audit.erasure' })
    // Their id stays known, their address does not.
    expect(await joined(world, organization, userId)).toBe('requested')
    const again = await accountAgain(world, userId, email)
    await testEnv.DB.exec(
      'UPDATE seatgate_exclusions SET salt = NULL, digest = NULL, address_length = NULL'
    )
    expect(await joined(world, organization, again)).toBe('joined')
  })
})

describe('A2 the waiting line', () => {
  it('A2 lets in nobody who was put out since they have come into it: they ask', async () => {
    const { world, organization, userId, email, asOwner } = await neighbour('wait')
    const { seatgate } = world
    const other = await join(world, organization)
    answered(await setSeatLimit(seatgate, organization.asOperator, { limit: 2 }))
    const waiting = await neighbourOf(organization)
    expect(await joined(world, organization, waiting)).toBe('waiting')
    answered(await removeMember(seatgate, asOwner, userId))
    await world.settled()
    // Who waits has the address now of who was removed.
    await takeAddress(userId, newAddress())
    await takeAddress(waiting, email)
    answered(
      await leaveOrganization(seatgate, {
        caller: { userId: other },
        organization: organization.id,
      })
    )
    await world.settled()
    const request = await testEnv.DB.prepare(
      'SELECT state, path FROM seatgate_join_requests WHERE organization_id = ? AND user_id = ?'
    )
      .bind(organization.id, waiting)
      .first()
    expect(request).toEqual({ state: 'open', path: 'request' })
    expect(await usageOf(world, organization)).toMatchObject({ held: 1 })
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})
