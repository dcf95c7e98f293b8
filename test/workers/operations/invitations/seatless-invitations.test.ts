import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  acceptInvitationWithSignup,
  changeInvitationRole,
  createInvitation,
  createInvitations,
  createInviteLink,
  importMembers,
  joinByLink,
  joinRules,
  resendInvitation,
  revokeInvitation,
  setSeatLimit,
  softDeleteOrganization,
  type InvitationWithToken,
  type Result,
} from '../../../../src/index.ts'
import {
  PASSWORD,
  accept,
  approve,
  codeOf,
  createKit,
  enforcingOr,
  invite,
  isChange,
  joinAs,
  neighbourOf,
  newAddress,
  openOrganization,
  readState,
  testEnv,
  unwrap,
  userWith,
  violations,
  type KitOptions,
  type TestOrganization,
} from '../../../kit/index.ts'
import { createScimKit, pushedOrganization, pushingTo } from '../../../kit/scim.ts'

const GUESTS = {
  roles: ['owner', 'admin', 'member', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
  seatlessRoles: ['guest'],
} satisfies KitOptions

const seatOf = async ({ id }: InvitationWithToken) =>
  testEnv.DB.prepare('SELECT seat_id FROM seatgate_invitations WHERE id = ?')
    .bind(id)
    .first<string>('seat_id')

const memberIn = async ({ id }: TestOrganization, userId: string) =>
  (await readState(id)).members.find(({ user_id }) => user_id === userId)

describe.each(enforcingOr('d1'))(
  'an invitation to a role that takes no seat, with %s seats',
  (provider) => {
    const kit = createKit({ ...GUESTS, provider })
    const { seatgate } = kit
    const sound = async ({ id }: TestOrganization) => {
      await kit.settled()
      expect(await violations(id, { quiet: true })).toEqual([])
    }
    const roleOf = ({ as, owner }: TestOrganization, { id }: InvitationWithToken, role: string) =>
      changeInvitationRole(seatgate, as(owner), id, { role })

    it('reserves no seat, and is accepted, signed up with and resent at a full limit [SEAT-20]', async () => {
      const organization = await kit.organization({ seats: 1 })
      const scope = organization.as(organization.owner)
      const first = await invite(kit, organization, newAddress(), 'guest')
      const second = await invite(kit, organization, newAddress(), 'guest')
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
      expect(
        codeOf(await createInvitation(seatgate, scope, { email: newAddress(), role: 'member' }))
      ).toBe('seat_limit_reached')
      const resent = unwrap(await resendInvitation(seatgate, scope, first.id))
      const { membership } = unwrap(await accept(kit, resent))
      expect(await memberIn(organization, membership.userId)).toMatchObject({ seat_id: null })
      const { email, token } = second
      unwrap(
        await acceptInvitationWithSignup(seatgate, {
          token,
          email,
          password: PASSWORD,
          name: 'Ann',
        })
      )
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
      await sound(organization)
    })

    it('claims one with another role, and frees it with the role back [SEAT-30 INV-37]', async () => {
      const organization = await kit.organization({ seats: 2, members: 2 })
      const invited = await invite(kit, organization, newAddress(), 'guest')
      const full = await roleOf(organization, invited, 'member')
      expect(full.ok || full.error).toEqual({ code: 'seat_limit_reached', limit: 2, used: 2 })
      expect(await seatOf(invited)).toBeNull()
      await organization.limitTo(3)
      unwrap(await roleOf(organization, invited, 'member'))
      await kit.settled()
      expect(await organization.seats()).toMatchObject({ held: 2, reserved: 1 })
      // Within the roles that take one the seat stays, at the full limit.
      const seat = await seatOf(invited)
      unwrap(await roleOf(organization, invited, 'admin'))
      expect(await seatOf(invited)).toBe(seat)
      unwrap(await roleOf(organization, invited, 'guest'))
      expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0 })
      await organization.join()
      const { membership } = unwrap(await accept(kit, invited))
      expect(membership.role).toBe('guest')
      expect(await organization.seats()).toMatchObject({ held: 3, reserved: 0 })
      await sound(organization)
    })

    it('replaces one with a seat, and is replaced by one [SEAT-20]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const email = newAddress()
      await invite(kit, organization, email, 'member')
      expect(await organization.seats()).toMatchObject({ reserved: 1 })
      await invite(kit, organization, email, 'guest')
      expect(await organization.seats()).toMatchObject({ reserved: 0 })
      await invite(kit, organization, email, 'member')
      expect(await organization.seats()).toMatchObject({ reserved: 1 })
      const last = await invite(kit, organization, email, 'guest')
      unwrap(await revokeInvitation(seatgate, organization.as(organization.owner), last.id))
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
      await sound(organization)
    })

    it('to a user who is added in another role: the role that they get decides on the seat [SEAT-20]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const [reserved, free] = [newAddress(), newAddress()]
      const [first, second] = [await userWith(reserved), await userWith(free)]
      await invite(kit, organization, reserved, 'member')
      await invite(kit, organization, free, 'guest')
      unwrap(await organization.add(first, 'guest'))
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
      unwrap(await organization.add(second, 'member'))
      expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0 })
      await sound(organization)
    })

    it('in a list and in a file: rows without a seat are admitted beside refused ones [SEAT-20]', async () => {
      const organization = await kit.organization({ seats: 2 })
      const scope = organization.as(organization.owner)
      const row = (role: string) => ({ email: newAddress(), role })
      const outcomes = unwrap(
        await createInvitations(seatgate, scope, {
          invitations: ['guest', 'member', 'member', 'guest'].map(row),
        })
      )
      await kit.settled()
      expect(outcomes.map((each) => each.ok || each.error.code)).toEqual([
        true,
        true,
        'seat_limit_reached',
        true,
      ])
      const file = `email,role\n${newAddress()},guest\n${newAddress()},member\n`
      const imported = unwrap(await importMembers(seatgate, scope, file))
      await kit.settled()
      expect(imported.map(({ outcome }) => outcome.ok)).toEqual([true, false])
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 1 })
      await sound(organization)
    })

    it('made before its role lost the seat frees it when it is accepted or resent [SEAT-20]', async () => {
      const before = createKit({ ...GUESTS, provider, seatlessRoles: [] })
      const organization = await before.organization({ seats: 3 })
      const first = await invite(before, organization, newAddress(), 'guest')
      const second = await invite(before, organization, newAddress(), 'guest')
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 2 })
      unwrap(await accept(kit, first))
      unwrap(await resendInvitation(seatgate, organization.as(organization.owner), second.id))
      await kit.settled()
      expect(await seatOf(second)).toBeNull()
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
      await sound(organization)
    })

    it('resent after its expiry has no seat any more, if its role lost it or no invitation holds one [SEAT-20 INV-36]', async () => {
      const before = createKit({ ...GUESTS, provider, seatlessRoles: [] })
      const holding = createKit({ provider })
      const unheld = createKit({ provider, invitationsHoldSeats: false })
      for (const [inviting, resending, role] of [
        [before, kit, 'guest'],
        [holding, unheld, 'member'],
      ] as const) {
        const organization = await inviting.organization({ seats: 3 })
        const invitation = await invite(inviting, organization, newAddress(), role)
        await testEnv.DB.prepare('UPDATE seatgate_invitations SET expires_at = ? WHERE id = ?')
          .bind(Date.now() - 1, invitation.id)
          .run()
        const asOwner = organization.as(organization.owner)
        unwrap(await resendInvitation(resending.seatgate, asOwner, invitation.id))
        await resending.settled()
        expect(await seatOf(invitation)).toBeNull()
        expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
        await sound(organization)
      }
    })

    it('loses and gains its seat while others look at it: no seat is left behind [SEAT-30]', async () => {
      // Everything is read before, and written after the role went there and back, under another seat.
      const acts = {
        accepting: async (slow: typeof seatgate, { email, token }: InvitationWithToken) => {
          const caller = { userId: await userWith(email) }
          return acceptInvitation(slow, { caller }, { token })
        },
        resending: (
          slow: typeof seatgate,
          { id }: InvitationWithToken,
          organization: TestOrganization
        ) => resendInvitation(slow, organization.as(organization.owner), id),
        'inviting again': (
          slow: typeof seatgate,
          { email }: InvitationWithToken,
          organization: TestOrganization
        ) => createInvitation(slow, organization.as(organization.owner), { email, role: 'member' }),
        revoking: (
          slow: typeof seatgate,
          { id }: InvitationWithToken,
          organization: TestOrganization
        ) => revokeInvitation(slow, organization.as(organization.owner), id),
        deleting: (slow: typeof seatgate, _: unknown, organization: TestOrganization) =>
          softDeleteOrganization(slow, organization.as(organization.owner), {
            confirmName: 'Test',
            password: PASSWORD,
          }),
      }
      for (const [name, act] of Object.entries(acts)) {
        const organization = await kit.organization({ seats: 4 })
        const invited = await invite(kit, organization, newAddress(), 'member')
        let held = false
        const slow = createKit({
          ...GUESTS,
          provider,
          around: async (trip, run) => {
            if (isChange(trip.asked) && !held) {
              held = true
              unwrap(await roleOf(organization, invited, 'guest'))
              unwrap(await roleOf(organization, invited, 'member'))
              await kit.settled()
            }
            return run()
          },
        })
        const answer: Result<unknown> = await act(slow.seatgate, invited, organization)
        unwrap(answer)
        await slow.settled()
        expect([name, held]).toEqual([name, true])
        if (name !== 'deleting') await sound(organization)
        const { events } = await readState(organization.id)
        const seats = (action: string) =>
          events.flatMap((event) => (event.action === action ? [event.target_id] : []))
        const released = seats('seat.released')
        expect([name, new Set(released).size]).toEqual([name, released.length])
        if (name === 'revoking' || name === 'deleting') {
          expect([name, released.toSorted()]).toEqual([name, seats('seat.reserved').toSorted()])
        }
      }
    })

    it('races with others for seats: promotion never exceeds the limit [SEAT-30]', async () => {
      const organization = await kit.organization({ seats: 8 })
      const invited = await Promise.all(
        Array.from({ length: 20 }, () => invite(kit, organization, newAddress(), 'guest'))
      )
      const answers = await Promise.all(invited.map((each) => roleOf(organization, each, 'member')))
      await kit.settled()
      expect(answers.filter(({ ok }) => ok)).toHaveLength(7)
      expect(await organization.seats()).toMatchObject({ held: 1, reserved: 7 })
      await sound(organization)
    })
  }
)

describe('invitations that hold no seats', () => {
  it('change between roles with and without a seat without claiming one [SEAT-20]', async () => {
    const kit = createKit({ ...GUESTS, provider: 'd1', invitationsHoldSeats: false })
    const organization = await kit.organization({ seats: 1 })
    const invited = await invite(kit, organization, newAddress(), 'guest')
    const scope = organization.as(organization.owner)
    unwrap(await changeInvitationRole(kit.seatgate, scope, invited.id, { role: 'member' }))
    expect(codeOf(await accept(kit, invited))).toBe('seat_limit_reached')
    unwrap(await changeInvitationRole(kit.seatgate, scope, invited.id, { role: 'guest' }))
    const { userId } = unwrap(
      await acceptInvitation(
        kit.seatgate,
        { caller: { userId: await userOf(invited.email) } },
        invited
      )
    ).membership
    expect(await memberIn(organization, userId)).toMatchObject({ role: 'guest', seat_id: null })
  })
})

const userOf = async (email: string) =>
  (await testEnv.DB.prepare('SELECT id FROM users WHERE email = ?')
    .bind(email)
    .first<string>('id'))!

describe.each(enforcingOr('d1'))(
  'joining in a role that takes no seat, with %s seats',
  (provider) => {
    const guests = (whenFull: 'refuse' | 'wait') =>
      createKit({
        ...GUESTS,
        provider,
        joining: joinRules({
          role: 'guest',
          verifyDomain: () => true,
          whenFull: { domain: whenFull, request: whenFull },
        }),
      })

    it.each(['refuse', 'wait'] as const)(
      'succeeds at a full limit, by domain and by request, where others %s [SEAT-20]',
      async (whenFull) => {
        const kit = guests(whenFull)
        const auto = await openOrganization(kit, 'auto', 1)
        const joined = unwrap(await joinAs(kit, auto, await neighbourOf(auto)))
        expect(joined).toMatchObject({ status: 'joined', membership: { role: 'guest' } })
        const open = await openOrganization(kit, 'request', 1)
        const asked = unwrap(await joinAs(kit, open, await neighbourOf(open)))
        const id = asked.status === 'joined' ? '' : asked.request.id
        expect(unwrap(await approve(kit, open, id))).toMatchObject({ status: 'joined' })
        await kit.settled()
        for (const organization of [auto, open]) {
          expect((await readState(organization.id)).counts).toMatchObject({ active: 2, seats: 1 })
          expect(await violations(organization.id, { quiet: true })).toEqual([])
        }
      }
    )

    it.each(['refuse', 'wait'] as const)(
      'succeeds by a link at a full limit, past those on the waitlist, where others %s [SEAT-20 LINK-4]',
      async (whenFull) => {
        const kit = createKit({
          ...GUESTS,
          provider,
          joining: joinRules({
            role: 'member',
            verifyDomain: () => true,
            whenFull: { domain: 'wait' },
            links: { whenFull },
          }),
        })
        const organization = await openOrganization(kit, 'auto', 1)
        const ahead = await joinAs(kit, organization, await neighbourOf(organization))
        expect(unwrap(ahead).status).toBe('waiting')
        const scope = organization.as(organization.owner)
        const link = unwrap(
          await createInviteLink(kit.seatgate, scope, { role: 'guest', maxUses: 1 })
        )
        const userId = await userWith(newAddress())
        const token = link.token ?? ''
        const joined = unwrap(await joinByLink(kit.seatgate, { caller: { userId } }, { token }))
        expect(joined).toMatchObject({ status: 'joined', membership: { role: 'guest' } })
        await kit.settled()
        expect(await memberIn(organization, userId)).toMatchObject({ seat_id: null })
        expect(await violations(organization.id, { quiet: true })).toEqual([])
      }
    )

    it('succeeds by SCIM at a full limit, past those on the waitlist [SEAT-20 SCIM-9]', async () => {
      const joining = joinRules({ verifyDomain: () => true, whenFull: { domain: 'wait' } })
      const pushing = (role: string) =>
        createScimKit({ ...GUESTS, provider, joining }, { role, whenFull: 'wait' })
      const organization = await pushedOrganization(pushing('member'), 1)
      expect(await organization.push('ahead')).toMatchObject({ active: false })
      const pushed = await pushingTo(pushing('guest'), organization).push('ann')
      expect(pushed).toMatchObject({ active: true })
      expect((await readState(organization.id)).counts).toMatchObject({ active: 2, seats: 1 })
      expect(await violations(organization.id, { quiet: true })).toEqual([])
    })

    it('does not wait: a user on the waitlist is admitted after their role stopped taking a seat [SEAT-20]', async () => {
      const kit = guests('wait')
      const organization = await openOrganization(kit, 'auto', 1)
      const before = createKit({
        ...GUESTS,
        provider,
        seatlessRoles: [],
        joining: joinRules({
          role: 'guest',
          verifyDomain: () => true,
          whenFull: { domain: 'wait' },
        }),
      })
      const userId = await neighbourOf(organization)
      expect(unwrap(await joinAs(before, organization, userId)).status).toBe('waiting')
      await before.settled()
      unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 2 }))
      await kit.settled()
      expect(await memberIn(organization, userId)).toMatchObject({ role: 'guest', seat_id: null })
    })
  }
)
