import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  addMember,
  changeInvitationRole,
  changeRole,
  createInvitation,
  createInvitations,
  explainSeats,
  getMembership,
  removeMember,
  resendInvitation,
  restoreMember,
  revokeInvitation,
  seatUsage,
  setSeatLimit,
  suspendMember,
  transferOwnership,
  type Result,
} from '../../../../src/index.ts'
import {
  readState,
  violations,
  accept,
  createKit,
  invite,
  newAddress,
  userWith,
  everything,
  testEnv,
  add,
  unwrap,
  codeOf,
  enforcingOr,
  join,
  newUser,
  PASSWORD,
} from '../../../kit/index.ts'

const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()

const member = () => ({ email: newAddress(), role: 'member' })

describe.each(enforcingOr('ledger'))('bugs of others, with invitations (%s seats)', (provider) => {
  it('every operation and every display have one number [MUSEUM-02]', async () => {
    const kit = createKit({ provider })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 3, members: 2 })
    const asOwner = organization.as(organization.owner)
    await invite(kit, organization)
    const full = { ok: false, error: { code: 'seat_limit_reached', limit: 3, used: 3 } }
    expect(await add(kit, organization)).toEqual(full)
    expect(await createInvitation(seatgate, asOwner, member())).toEqual(full)
    expect(unwrap(await seatUsage(seatgate, asOwner))).toMatchObject({ held: 2, reserved: 1 })
    expect(unwrap(await explainSeats(seatgate, asOwner))).toMatchObject({
      held: 2,
      reserved: 1,
      available: 0,
      refusal: full.error,
    })
  })

  it('accepting does not count the invitation again, in any way [MUSEUM-03 SEAT-37]', async () => {
    for (const signUp of [true, false]) {
      const kit = createKit({ provider })
      const { seatgate } = kit
      const organization = await kit.organization({ seats: 2 })
      const asOwner = organization.as(organization.owner)
      const invited = await invite(kit, organization)
      const used = async () => {
        const { held, reserved } = unwrap(await seatUsage(seatgate, asOwner))
        return held + reserved
      }
      expect(await used()).toBe(2)
      expect(codeOf(await createInvitation(seatgate, asOwner, member()))).toBe('seat_limit_reached')
      const accepted = signUp
        ? await acceptInvitationWithSignup(seatgate, { ...invited, password: PASSWORD })
        : await accept(kit, invited)
      expect(codeOf(accepted)).toBe('ok')
      await kit.settled()
      expect(await used()).toBe(2)
      expect(codeOf(await createInvitation(seatgate, asOwner, member()))).toBe('seat_limit_reached')
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    }
  })

  it('all invited users get in at once, by sign-up and with an account [MUSEUM-04]', async () => {
    const kit = createKit({ provider, delayMs: 2 })
    const organization = await kit.organization({ seats: 7 })
    const invited = []
    for (let more = 0; more < 6; more++) invited.push(await invite(kit, organization))
    const answers = await Promise.all(
      invited.map((one, index): Promise<Result<unknown>> =>
        index % 2 === 0
          ? acceptInvitationWithSignup(kit.seatgate, { ...one, password: PASSWORD })
          : accept(kit, one)
      )
    )
    expect(answers.map(codeOf)).toEqual(Array(6).fill('ok'))
    await kit.settled()
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('an invited user with an account counts once [MUSEUM-05]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const email = newAddress()
    await userWith(email)
    await invite(kit, organization, email)
    const asOwner = organization.as(organization.owner)
    expect(unwrap(await seatUsage(kit.seatgate, asOwner))).toMatchObject({
      held: 1,
      reserved: 1,
      available: 1,
    })
    await invite(kit, organization)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('ten first invitations at once meet one ledger, and no call fails [MUSEUM-10]', async () => {
    const calm = createKit({ provider })
    const organization = await calm.organization()
    const kit = createKit({ provider, delayMs: 2 })
    const asOwner = organization.as(organization.owner)
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => createInvitation(kit.seatgate, asOwner, member()))
    )
    expect(answers.map(codeOf)).toEqual(Array(10).fill('ok'))
    await kit.settled()
    expect((await readState(organization.id)).epoch > 0).toBe(provider === 'ledger')
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('a revoked invitation does not take the seat of another user, however late it is asked for [MUSEUM-11 SEAT-24]', async () => {
    const kit = createKit({ provider })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 2 })
    const asOwner = organization.as(organization.owner)
    const ann = await invite(kit, organization)
    const once = { operationId: crypto.randomUUID() }
    unwrap(await revokeInvitation(seatgate, asOwner, ann.id, once))
    const ben = await invite(kit, organization)
    const before = await everything()
    unwrap(await revokeInvitation(seatgate, asOwner, ann.id, once))
    expect(codeOf(await revokeInvitation(seatgate, asOwner, ann.id))).toBe('not_pending')
    expect(
      codeOf(await acceptInvitation(seatgate, { caller: { userId: await newUser() } }, ann))
    ).toBe('invitation_revoked')
    const { users: _users, ...after } = await everything()
    expect({ ...after, users: before['users'] }).toEqual(before)
    const { invitations } = await readState(organization.id)
    expect(new Set(invitations.map(({ seat_id }) => seat_id)).size).toBe(2)
    expect(codeOf(await accept(kit, ben))).toBe('ok')
  })

  it('no operation admits a user to a full organization, and each does with one more seat [MUSEUM-20]', async () => {
    let now = new Date()
    const options = { provider, now: () => now }
    const kit = createKit(options)
    const late = createKit({ ...options, invitationsHoldSeats: false })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 5 })
    const asOwner = organization.as(organization.owner)
    const expired = await invite(kit, organization)
    unwrap(await revokeInvitation(seatgate, asOwner, (await invite(kit, organization)).id))
    now = new Date(now.getTime() + 8 * 24 * 60 * 60 * 1000)
    const suspended = await join(kit, organization)
    unwrap(await suspendMember(seatgate, asOwner, suspended))
    const [unheld, unheldToo] = [await invite(late, organization), await invite(late, organization)]
    const userId = await userWith(unheld.email)
    await kit.settled()

    const doors: Record<string, () => Promise<Result<unknown>>> = {
      addMember: () => add(kit, organization),
      restoreMember: () => restoreMember(seatgate, asOwner, suspended),
      createInvitation: () => createInvitation(seatgate, asOwner, member()),
      createInvitations: async () => {
        const rows = { invitations: [member(), member()] }
        return unwrap(await createInvitations(seatgate, asOwner, rows))[0]!
      },
      'resendInvitation, of one that expired': () =>
        resendInvitation(seatgate, asOwner, expired.id),
      'acceptInvitation, of one without a seat': () =>
        acceptInvitation(late.seatgate, { caller: { userId } }, unheld),
      'acceptInvitationWithSignup, of one without a seat': () =>
        acceptInvitationWithSignup(late.seatgate, { ...unheldToo, password: PASSWORD }),
    }
    for (const [door, enter] of Object.entries(doors)) {
      const { held, reserved } = unwrap(await seatUsage(seatgate, asOwner))
      const used = held + reserved
      unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: used }))
      expect(await enter(), door).toMatchObject({
        ok: false,
        error: { code: 'seat_limit_reached', limit: used, used },
      })
      unwrap(await setSeatLimit(seatgate, organization.asOperator, { limit: used + 1 }))
      expect(codeOf(await enter()), door).toBe('ok')
      await kit.settled()
      await late.settled()
    }
  })

  it('a list of one has the same answer as the first row of many [SEAT-40]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 1 })
    const rows = { invitations: [member()] }
    const asOwner = organization.as(organization.owner)
    expect(await createInvitations(kit.seatgate, asOwner, rows)).toEqual({
      ok: true,
      value: [{ ok: false, error: { code: 'seat_limit_reached', limit: 1, used: 1 } }],
    })
  })

  it('harmless edits of an open invitation need no seat [MUSEUM-21 INV-37]', async () => {
    const kit = createKit({ provider })
    const { seatgate } = kit
    const organization = await kit.organization({ seats: 3, members: 2 })
    const asOwner = organization.as(organization.owner)
    const { id, email } = await invite(kit, organization)
    const before = unwrap(await seatUsage(seatgate, asOwner))
    unwrap(await changeInvitationRole(seatgate, asOwner, id, { role: 'admin' }))
    unwrap(await resendInvitation(seatgate, asOwner, id))
    const again = unwrap(await createInvitation(seatgate, asOwner, { email, role: 'member' }))
    const rows = { invitations: [{ email, role: 'member' }] }
    const [listed] = unwrap(await createInvitations(seatgate, asOwner, rows))
    expect(listed).toMatchObject({ ok: true, value: { email } })
    expect(codeOf(await resendInvitation(seatgate, asOwner, again.id))).toBe('not_pending')
    await kit.settled()
    expect(unwrap(await seatUsage(seatgate, asOwner))).toEqual(before)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })
})

describe('an owner who was invited', () => {
  it('is one from the acceptance on, and does not depend on the invitation [MUSEUM-26]', async () => {
    const kit = createKit()
    const { seatgate } = kit
    const organization = await kit.organization()
    const { owner } = organization
    const asOwner = organization.as(owner)
    const email = newAddress()
    const userId = await userWith(email)
    const invited = await invite(kit, organization, email, 'owner')
    // Nobody can leave it to who is not in yet.
    expect(codeOf(await removeMember(seatgate, asOwner, owner))).toBe('last_owner')
    expect(codeOf(await changeRole(seatgate, asOwner, owner, { role: 'member' }))).toBe(
      'last_owner'
    )
    expect(codeOf(await transferOwnership(seatgate, asOwner, { userId, password: PASSWORD }))).toBe(
      'not_a_member'
    )
    const [transferred, revoked] = await Promise.all([
      transferOwnership(seatgate, asOwner, { userId, password: PASSWORD }),
      revokeInvitation(seatgate, asOwner, invited.id),
    ])
    expect([codeOf(transferred), codeOf(revoked)]).toEqual(['not_a_member', 'ok'])
    await kit.settled()
    expect(await getMembership(seatgate, owner, organization.id)).toMatchObject({ role: 'owner' })

    const again = await invite(kit, organization, email, 'owner')
    unwrap(await acceptInvitation(seatgate, { caller: { userId } }, again))
    unwrap(await removeMember(seatgate, asOwner, owner))
    await kit.settled()
    // What is left of the invitation is history.
    await run('DELETE FROM seatgate_invitations WHERE id = ?', again.id)
    expect(await getMembership(seatgate, userId, organization.id)).toMatchObject({ role: 'owner' })
    const added = await addMember(seatgate, organization.as(userId), {
      userId: await newUser(),
      role: 'member',
    })
    expect(codeOf(added)).toBe('ok')
  })
})
