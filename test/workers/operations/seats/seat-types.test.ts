import { describe, expect, it } from 'vitest'
import {
  acceptInvitation,
  addMember,
  canAdd,
  changeInvitationRole,
  changeRole,
  checkSeatLimit,
  createInvitation,
  declineInvitation,
  explainSeats,
  forwardOrganization,
  rebuildSeats,
  resendInvitation,
  restoreMember,
  restoreOrganization,
  revokeInvitation,
  seatUsage,
  softDeleteOrganization,
  suspendMember,
  transferOwnership,
  verifySeats,
} from '../../../../src/index.ts'
import {
  PASSWORD,
  codeOf,
  createKit,
  createRowMeter,
  enforcing,
  enforcingOr,
  inD1,
  newUser,
  readLedger,
  readState,
  unwrap,
  violations,
  type KitOptions,
  type TestOrganization,
} from '../../../kit/index.ts'

const TYPES = {
  roles: ['owner', 'admin', 'member', 'viewer', 'guest', 'partner'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
  seatTypes: {
    light: { roles: ['viewer', 'guest'], defaultLimit: 2 },
    partner: { roles: ['partner'] },
  },
} satisfies KitOptions

const memberIn = async ({ id }: TestOrganization, userId: string) =>
  (await readState(id)).members.find(({ user_id }) => user_id === userId)

const typeOf = (seatId: string | null | undefined) =>
  seatId == null ? seatId : (/^~(\w+)\//.exec(seatId)?.[1] ?? 'default')

const seatEventsOf = async ({ id }: TestOrganization, userId: string) =>
  (await readState(id)).events
    .filter(({ metadata }) => metadata['user_id'] === userId)
    .filter(({ action }) => action === 'seat.assigned' || action === 'seat.released')
    .map(({ action, target_id }) => [action, typeOf(target_id)])

/** The seats in each ledger are those in D1, and the counts are those of the rows. */
async function expectSound({ id }: TestOrganization, provider: string) {
  expect(await violations(id, { quiet: true })).toEqual([])
  const { members, invitations } = await readState(id)
  for (const type of ['light', 'partner']) {
    const ofType = (seatId: string | null) => typeOf(seatId) === type
    const held = members.flatMap(({ seat_id }) => (ofType(seat_id) ? [String(seat_id)] : []))
    const open = invitations.filter(
      (row) =>
        row.expired + (row.accepted_at ?? row.revoked_at ?? row.declined_at ?? 0) === 0 &&
        ofType(row.seat_id)
    )
    if (provider !== 'ledger') continue
    const ledger = await readLedger(`${id}~seats/${type}`)
    if (ledger === null) continue
    expect(ledger.seats.map(({ seat_id }) => seat_id).toSorted()).toEqual(
      [...held, ...open.map(({ seat_id }) => String(seat_id))].toSorted()
    )
    expect([ledger.held, ledger.reserved]).toEqual([held.length, open.length])
  }
}

describe.each(enforcingOr('ledger'))('a type of seats, with %s seats', (provider) => {
  const kit = createKit({ ...TYPES, provider })
  const { seatgate } = kit
  const roleOf = (organization: TestOrganization, userId: string, role: string) =>
    changeRole(seatgate, organization.as(organization.owner), userId, { role })
  const sound = async (organization: TestOrganization) => {
    await kit.settled()
    await expectSound(organization, provider)
  }

  it('has a limit of its own, beside that of the default type [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 2, members: 2 })
    const viewer = await organization.join('viewer')
    await organization.join('guest')
    const refusal = await organization.add(undefined, 'viewer')
    expect(refusal.ok || refusal.error).toEqual({
      code: 'seat_limit_reached',
      limit: 2,
      used: 2,
      seatType: 'light',
    })
    const full = await organization.add()
    expect(full.ok || full.error).toEqual({ code: 'seat_limit_reached', limit: 2, used: 2 })
    await organization.join('partner')
    expect(typeOf((await memberIn(organization, viewer))?.seat_id)).toBe('light')
    expect(await organization.seats()).toEqual({
      limit: 2,
      held: 2,
      reserved: 0,
      available: 0,
      overLimit: false,
      version: 1,
      types: {
        light: expect.objectContaining({ limit: 2, held: 2, reserved: 0, available: 0 }),
        partner: expect.objectContaining({ limit: 'unlimited', held: 1, available: 'unlimited' }),
      },
    })
    await sound(organization)
  })

  it('is changed by a role in one transfer: refused by the limit of the new type [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 3, members: 3 })
    const [guest, viewer] = [await organization.join('guest'), await organization.join('viewer')]
    const promoted = await roleOf(organization, guest, 'member')
    expect(promoted.ok || promoted.error).toEqual({ code: 'seat_limit_reached', limit: 3, used: 3 })
    expect(await memberIn(organization, guest)).toMatchObject({ role: 'guest' })
    const [member] = (await readState(organization.id)).members.filter(
      ({ role }) => role === 'member'
    )
    const demoted = await roleOf(organization, member!.user_id, 'viewer')
    expect(demoted.ok || demoted.error).toMatchObject({ limit: 2, used: 2, seatType: 'light' })
    // Within a type a full limit refuses no change, and the seat stays.
    const { seat_id: before } = (await memberIn(organization, viewer))!
    unwrap(await roleOf(organization, viewer, 'guest'))
    expect((await memberIn(organization, viewer))?.seat_id).toBe(before)
    await organization.limitTo(4)
    unwrap(await roleOf(organization, guest, 'member'))
    expect(await organization.seats()).toMatchObject({ held: 4, types: { light: { held: 1 } } })
    expect(await seatEventsOf(organization, guest)).toEqual([
      ['seat.assigned', 'light'],
      ['seat.released', 'light'],
      ['seat.assigned', 'default'],
    ])
    // The seat that was left is free for another member at once.
    unwrap(await roleOf(organization, member!.user_id, 'viewer'))
    expect(await organization.seats()).toMatchObject({ held: 3, types: { light: { held: 2 } } })
    await sound(organization)
  })

  it('is that of an invitation, through a change of its role and its end [SEAT-30 INV-37]', async () => {
    const organization = await kit.organization({ seats: 2, members: 1 })
    const scope = organization.as(organization.owner)
    const invite = async (role: string) => {
      const email = `${crypto.randomUUID()}@example.com`
      return createInvitation(seatgate, scope, { email, role })
    }
    const first = unwrap(await invite('viewer'))
    const second = unwrap(await invite('guest'))
    const third = await invite('viewer')
    expect(third.ok || third.error).toMatchObject({ limit: 2, used: 2, seatType: 'light' })
    // At a full limit: the link again, and a role of the same type.
    unwrap(await resendInvitation(seatgate, scope, first.id))
    unwrap(await changeInvitationRole(seatgate, scope, first.id, { role: 'guest' }))
    unwrap(await changeInvitationRole(seatgate, scope, first.id, { role: 'member' }))
    await kit.settled()
    expect(await organization.seats()).toMatchObject({
      held: 1,
      reserved: 1,
      types: { light: { held: 0, reserved: 1 } },
    })
    const back = unwrap(await invite('viewer'))
    const refused = await changeInvitationRole(seatgate, scope, first.id, { role: 'viewer' })
    expect(refused.ok || refused.error).toMatchObject({ limit: 2, used: 2, seatType: 'light' })
    const taken = await changeInvitationRole(seatgate, scope, back.id, { role: 'admin' })
    expect(taken.ok || taken.error).toEqual({ code: 'seat_limit_reached', limit: 2, used: 2 })
    unwrap(await revokeInvitation(seatgate, scope, second.id))
    unwrap(await changeInvitationRole(seatgate, scope, first.id, { role: 'viewer' }))
    await kit.settled()
    expect(await organization.seats()).toMatchObject({
      held: 1,
      reserved: 0,
      types: { light: { held: 0, reserved: 2 } },
    })
    await sound(organization)
  })

  it('is reserved by an invitation, which is accepted at a full limit [SEAT-37]', async () => {
    const organization = await kit.organization({ seats: 1 })
    const scope = organization.as(organization.owner)
    const users = [await newUser(), await newUser()]
    const invited = []
    for (const userId of users) {
      const email = `${userId}@example.com`
      invited.push(unwrap(await createInvitation(seatgate, scope, { email, role: 'viewer' })))
    }
    expect(codeOf(await organization.add(undefined, 'guest'))).toBe('seat_limit_reached')
    const [first, second] = invited
    const caller = { userId: users[0]! }
    unwrap(await acceptInvitation(seatgate, { caller }, { token: first!.mailToken }))
    unwrap(
      await declineInvitation(
        seatgate,
        { caller: { userId: users[1]! } },
        { token: second!.mailToken }
      )
    )
    await kit.settled()
    expect(await organization.seats()).toMatchObject({ types: { light: { held: 1, reserved: 0 } } })
    expect(await memberIn(organization, users[0]!)).toMatchObject({ role: 'viewer' })
    await sound(organization)
  })

  it('frees the seat of an open invitation to a member of another type [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const scope = organization.as(organization.owner)
    const userId = await newUser()
    const email = `${userId}@example.com`
    unwrap(await createInvitation(seatgate, scope, { email, role: 'viewer' }))
    unwrap(await addMember(seatgate, scope, { userId, role: 'member' }))
    await kit.settled()
    expect(await organization.seats()).toMatchObject({
      held: 2,
      reserved: 0,
      types: { light: { held: 0, reserved: 0 } },
    })
    // The same way round, an invitation in place of another one.
    const other = `${crypto.randomUUID()}@example.com`
    unwrap(await createInvitation(seatgate, scope, { email: other, role: 'guest' }))
    await organization.limitTo(3)
    unwrap(await createInvitation(seatgate, scope, { email: other, role: 'member' }))
    await kit.settled()
    expect(await organization.seats()).toMatchObject({
      held: 2,
      reserved: 1,
      types: { light: { held: 0, reserved: 0 } },
    })
    await sound(organization)
  })

  it('is claimed again by a suspended member, in the type of the role of then [SEAT-20]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const scope = organization.as(organization.owner)
    const viewer = await organization.join('viewer')
    unwrap(await suspendMember(seatgate, scope, viewer))
    await organization.join('guest')
    await organization.join('guest')
    expect(codeOf(await restoreMember(seatgate, scope, viewer))).toBe('seat_limit_reached')
    unwrap(await roleOf(organization, viewer, 'member'))
    unwrap(await restoreMember(seatgate, scope, viewer))
    expect(await organization.seats()).toMatchObject({ held: 2, types: { light: { held: 2 } } })
    await sound(organization)
  })

  it('is that of each side of a transfer of ownership [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 1 })
    const guest = await organization.join('guest')
    const transfer = () =>
      transferOwnership(seatgate, organization.as(organization.owner), {
        userId: guest,
        role: 'viewer',
        password: PASSWORD,
      })
    const refused = await transfer()
    expect(refused.ok || refused.error).toEqual({ code: 'seat_limit_reached', limit: 1, used: 1 })
    expect(await organization.seats()).toMatchObject({ held: 1, types: { light: { held: 1 } } })
    await organization.limitTo(2)
    unwrap(await transfer())
    await kit.settled()
    expect(await organization.seats()).toMatchObject({ held: 1, types: { light: { held: 1 } } })
    expect(typeOf((await memberIn(organization, guest))?.seat_id)).toBe('default')
    expect(typeOf((await memberIn(organization, organization.owner))?.seat_id)).toBe('light')
    await sound(organization)
  })

  it('is asked about by a role, and explained beside the others', async () => {
    const organization = await kit.organization({ seats: 1 })
    const scope = organization.as(organization.owner)
    await organization.join('viewer')
    expect(unwrap(await canAdd(seatgate, scope, 1, 'guest'))).toMatchObject({
      limit: 2,
      available: 1,
      canAdd: true,
    })
    expect(unwrap(await canAdd(seatgate, scope, 2, 'guest'))).toMatchObject({
      canAdd: false,
      refusal: { code: 'seat_limit_reached', limit: 2, used: 1, seatType: 'light' },
    })
    expect(codeOf(await checkSeatLimit(seatgate, scope, 'member'))).toBe('seat_limit_reached')
    expect(unwrap(await checkSeatLimit(seatgate, scope, 'viewer'))).toMatchObject({ limit: 2 })
    expect(unwrap(await explainSeats(seatgate, scope))).toMatchObject({
      held: 1,
      refusal: { code: 'seat_limit_reached', limit: 1, used: 1 },
      members: [{ userId: organization.owner }],
      types: { light: { held: 1 }, partner: { held: 0 } },
    })
  })

  it('ends with its organization, and is there again with it', async () => {
    const organization = await kit.organization({ seats: 1 })
    const scope = organization.as(organization.owner)
    const viewer = await organization.join('viewer')
    unwrap(await createInvitation(seatgate, scope, { email: `${viewer}x@x.org`, role: 'guest' }))
    unwrap(
      await softDeleteOrganization(seatgate, scope, { confirmName: 'Test', password: PASSWORD })
    )
    await kit.settled()
    // The outbox empties the ledgers of all types.
    await forwardOrganization(seatgate, organization.id)
    await kit.settled()
    unwrap(await restoreOrganization(seatgate, organization.asOperator, organization.id))
    await kit.settled()
    expect(await organization.seats()).toMatchObject({
      held: 1,
      types: { light: { held: 1, reserved: 0 } },
    })
    await sound(organization)
  })

  it('is configured later: a repair moves the members, also above the limit [SEAT-34]', async () => {
    const before = createKit({ ...TYPES, provider, seatTypes: {} })
    const organization = await before.organization({ seats: 9 })
    for (let count = 0; count < 3; count++) await organization.join('viewer')
    const { asOperator } = organization
    const found = unwrap(await verifySeats(seatgate, asOperator))
    expect(found.differences.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 3 }, () => 'misplaced_seat')
    )
    expect(unwrap(await rebuildSeats(seatgate, asOperator))).toMatchObject({
      held: 1,
      types: { light: { held: 3, limit: 2, overLimit: true } },
    })
    await kit.settled()
    expect(unwrap(await verifySeats(seatgate, asOperator)).differences).toEqual([])
    expect(codeOf(await organization.add(undefined, 'member'))).toBe('ok')
    await sound(organization)
    // And no more: they take seats of the default type again.
    const after = unwrap(await verifySeats(before.seatgate, asOperator))
    expect(after.differences.map(({ kind }) => kind)).toEqual(
      Array.from({ length: 3 }, () => 'misplaced_seat')
    )
    expect(unwrap(await rebuildSeats(before.seatgate, asOperator))).toMatchObject({ held: 5 })
    await before.settled()
    expect(unwrap(await verifySeats(before.seatgate, asOperator)).differences).toEqual([])
  })

  it('is repaired in its own count and its own ledger [SEAT-34]', async () => {
    const organization = await kit.organization({ seats: 3, members: 2 })
    const viewer = await organization.join('viewer')
    const { asOperator } = organization
    await inD1(
      'UPDATE seatgate_seat_type_counts SET seats = 7 WHERE organization_id = ?',
      organization.id
    )
    const { seat_id: seatId } = (await memberIn(organization, viewer))!
    const found = unwrap(await verifySeats(seatgate, asOperator))
    expect(found.differences).toMatchObject([
      { kind: 'member_count', seatType: 'light', stored: '1 seats', counted: '7 seats' },
    ])
    await inD1(
      'UPDATE seatgate_memberships SET seat_id = ? WHERE seat_id = ?',
      `${seatId}x`,
      seatId
    )
    const both = unwrap(await verifySeats(seatgate, asOperator))
    expect(both.differences.map(({ kind }) => kind).toSorted()).toEqual(
      provider === 'ledger' ? ['leaked_seat', 'member_count', 'unknown_seat'] : ['member_count']
    )
    expect(both.differences.map(({ seatType }) => seatType)).not.toContain(undefined)
    unwrap(await rebuildSeats(seatgate, asOperator))
    expect(unwrap(await verifySeats(seatgate, asOperator)).differences).toEqual([])
    expect(unwrap(await seatUsage(seatgate, asOperator))).toMatchObject({
      held: 2,
      types: { light: { held: 1 } },
    })
  })
})

describe('the cost of a change of type', () => {
  it.each(enforcing)('is that of one admission, with %s seats [SEAT-30]', async (provider) => {
    const { around, namespace, measure } = createRowMeter()
    const kit = createKit({ ...TYPES, provider, around, namespace })
    const organization = await kit.organization({ seats: 5 })
    const scope = organization.as(organization.owner)
    const people = [await organization.join('viewer'), await organization.join('viewer')]
    unwrap(await changeRole(kit.seatgate, scope, people[0]!, { role: 'member' }))
    await kit.settled()
    const change = await measure(kit, () =>
      changeRole(kit.seatgate, scope, people[1]!, { role: 'member' })
    )
    unwrap(change.value)
    const admission = await measure(kit, () => organization.add())
    unwrap(admission.value)
    const { trips, calls, statements } = change.cost.answer
    expect([trips, admission.cost.answer.trips]).toEqual([2, 2])
    // One more call frees the seat in the ledger of the former type, and one more event is written.
    expect(calls).toBe(provider === 'ledger' ? admission.cost.answer.calls + 1 : 0)
    expect([statements, admission.cost.answer.statements]).toEqual([
      provider === 'ledger' ? 9 : 8,
      7,
    ])
  })
})
