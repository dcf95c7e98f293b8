import { describe, expect, it } from 'vitest'
import {
  addMember,
  changeRole,
  rebuildSeats,
  restoreMember,
  suspendMember,
  transferOwnership,
  verifySeats,
} from '../../../../src/index.ts'
import {
  PASSWORD,
  codeOf,
  createKit,
  enforcingOr,
  inD1,
  newUser,
  readState,
  unwrap,
  violations,
  type KitOptions,
  type TestOrganization,
} from '../../../kit/index.ts'

const GUESTS = {
  roles: ['owner', 'admin', 'member', 'viewer', 'guest'],
  ownerRole: 'owner',
  invitationAdminRoles: ['owner', 'admin'],
  seatlessRoles: ['viewer', 'guest'],
} satisfies KitOptions

const memberIn = async ({ id }: TestOrganization, userId: string) =>
  (await readState(id)).members.find(({ user_id }) => user_id === userId)

const seatEventsOf = async ({ id }: TestOrganization) =>
  (await readState(id)).events
    .filter(({ action }) => action === 'seat.assigned' || action === 'seat.released')
    .map(({ action, metadata }) => [action, metadata['user_id']])

describe.each(enforcingOr('ledger'))('a role that takes no seat, with %s seats', (provider) => {
  const kit = createKit({ ...GUESTS, provider })
  const { seatgate } = kit
  const roleOf = (organization: TestOrganization, userId: string, role: string) =>
    changeRole(seatgate, organization.as(organization.owner), userId, { role })
  const sound = async ({ id }: TestOrganization) => {
    await kit.settled()
    expect(await violations(id, { quiet: true })).toEqual([])
  }

  it('joins at a full limit and is in no count [SEAT-20 MUSEUM-38]', async () => {
    const organization = await kit.organization({ seats: 2, members: 2 })
    const guest = await organization.join('guest')
    const viewer = await organization.join('viewer')
    expect(codeOf(await organization.add())).toBe('seat_limit_reached')
    expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0, available: 0 })
    expect(await memberIn(organization, guest)).toMatchObject({ status: 'active', seat_id: null })
    const events = await seatEventsOf(organization)
    expect(events.filter(([, userId]) => userId === guest || userId === viewer)).toEqual([])
    await sound(organization)
    // A founder takes a seat, and so does a member of every other role.
    expect(events).toHaveLength(2)
  })

  it('is promoted through the gate: refused at a full limit, with the numbers [SEAT-20]', async () => {
    const organization = await kit.organization({ seats: 2, members: 2 })
    const guest = await organization.join('guest')
    const promoted = await roleOf(organization, guest, 'member')
    expect(promoted.ok || promoted.error).toEqual({ code: 'seat_limit_reached', limit: 2, used: 2 })
    expect(await memberIn(organization, guest)).toMatchObject({ role: 'guest', seat_id: null })
    // Between roles without a seat, and between roles with one, a full limit refuses no change.
    unwrap(await roleOf(organization, guest, 'viewer'))
    await organization.limitTo(3)
    unwrap(await roleOf(organization, guest, 'member'))
    await kit.settled()
    unwrap(await roleOf(organization, guest, 'admin'))
    expect(await organization.seats()).toMatchObject({ held: 3, reserved: 0 })
    expect((await seatEventsOf(organization)).at(-1)).toEqual(['seat.assigned', guest])
    await sound(organization)
  })

  it('frees the seat of a member at once [SEAT-20 SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const member = await organization.join()
    unwrap(await roleOf(organization, member, 'guest'))
    expect(await organization.seats()).toMatchObject({ held: 1, reserved: 0 })
    expect((await seatEventsOf(organization)).at(-1)).toEqual(['seat.released', member])
    await organization.join()
    expect(codeOf(await roleOf(organization, member, 'member'))).toBe('seat_limit_reached')
    // There and back takes another seat, as every admission does.
    await organization.limitTo(3)
    const { seat_id: before } = (await memberIn(organization, member))!
    unwrap(await roleOf(organization, member, 'member'))
    await kit.settled()
    const { seat_id: after } = (await memberIn(organization, member))!
    expect([before, typeof after]).toEqual([null, 'string'])
    await sound(organization)
  })

  it('stays without a seat through suspension and restoration, at a full limit [SEAT-20]', async () => {
    const organization = await kit.organization({ seats: 2, members: 2 })
    const asOwner = organization.as(organization.owner)
    const guest = await organization.join('guest')
    unwrap(await suspendMember(seatgate, asOwner, guest))
    unwrap(await restoreMember(seatgate, asOwner, guest))
    expect(await memberIn(organization, guest)).toMatchObject({ status: 'active', seat_id: null })
    // The role that somebody has when they come back decides.
    unwrap(await suspendMember(seatgate, asOwner, guest))
    unwrap(await roleOf(organization, guest, 'member'))
    expect(codeOf(await restoreMember(seatgate, asOwner, guest))).toBe('seat_limit_reached')
    expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0 })
    await sound(organization)
  })

  it('becomes the owner with a seat of its own, and the former owner gives one back [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 2, members: 2 })
    const guest = await organization.join('guest')
    const transfer = (role: string) =>
      transferOwnership(seatgate, organization.as(organization.owner), {
        userId: guest,
        role,
        password: PASSWORD,
      })
    expect(codeOf(await transfer('guest'))).toBe('seat_limit_reached')
    await organization.limitTo(3)
    unwrap(await transfer('guest'))
    await kit.settled()
    expect(await memberIn(organization, organization.owner)).toMatchObject({
      role: 'guest',
      seat_id: null,
    })
    expect(await memberIn(organization, guest)).toMatchObject({ role: 'owner' })
    expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0 })
    await sound(organization)
  })

  it('is left by two changes at once: the seat is counted once [SEAT-30]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const guest = await organization.join('guest')
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        roleOf(organization, guest, index % 2 === 0 ? 'member' : 'admin')
      )
    )
    expect(answers.some(({ ok }) => ok)).toBe(true)
    expect(answers.flatMap((answer) => (answer.ok ? [] : [answer.error.code]))).not.toContain(
      'seat_limit_reached'
    )
    await kit.settled()
    expect(await organization.seats()).toMatchObject({ held: 2, reserved: 0 })
    await sound(organization)
  })

  it('is configured later: a repair frees the seats that it was given before [SEAT-20 SEAT-34]', async () => {
    const before = createKit({ ...GUESTS, provider, seatlessRoles: [] })
    const earlier = await before.organization({ seats: 3 })
    const guest = await earlier.join('guest')
    await earlier.join()
    const asked = { caller: { userId: 'operator', operator: true }, organization: earlier.id }
    const found = unwrap(await verifySeats(seatgate, asked))
    expect(found.differences.map(({ kind, id }) => [kind, id])).toEqual([['needless_seat', guest]])
    const rebuilt = unwrap(await rebuildSeats(seatgate, asked))
    expect(rebuilt).toMatchObject({ held: 2, reserved: 0 })
    expect(unwrap(await verifySeats(seatgate, asked)).differences).toEqual([])
    expect(await memberIn(earlier, guest)).toMatchObject({ role: 'guest', seat_id: null })
    await sound(earlier)
  })

  it('takes a seat after a change of the configuration: a repair seats its members, also above the limit [SEAT-20 SEAT-34]', async () => {
    const organization = await kit.organization({ seats: 1 })
    const guest = await organization.join('guest')
    const after = createKit({ ...GUESTS, provider, seatlessRoles: ['viewer'] })
    const { asOperator } = organization
    const found = unwrap(await verifySeats(after.seatgate, asOperator))
    expect(found.differences).toMatchObject([{ kind: 'member_without_seat', id: guest }])
    expect(unwrap(await rebuildSeats(after.seatgate, asOperator))).toMatchObject({
      held: 2,
      overLimit: true,
    })
  })

  it('is not repaired if it is correct [SEAT-34]', async () => {
    const organization = await kit.organization({ seats: 2 })
    const guest = await organization.join('guest')
    expect(unwrap(await verifySeats(seatgate, organization.asOperator)).differences).toEqual([])
    unwrap(await rebuildSeats(seatgate, organization.asOperator))
    expect(await memberIn(organization, guest)).toMatchObject({ seat_id: null })
    // A member without the seat of their role is a difference still.
    const member = await organization.join()
    await inD1('UPDATE seatgate_memberships SET seat_id = NULL WHERE user_id = ?', member)
    const { differences } = unwrap(await verifySeats(seatgate, organization.asOperator))
    expect(differences.map(({ kind }) => kind)).toContain('member_without_seat')
  })
})

describe('without a limit', () => {
  it('a role without a seat holds no seat either, and promotion always succeeds [SEAT-20]', async () => {
    const kit = createKit({ ...GUESTS, provider: 'unlimited' })
    const organization = await kit.organization()
    const guest = await organization.join('guest')
    expect(await memberIn(organization, guest)).toMatchObject({ seat_id: null })
    const scope = organization.as(organization.owner)
    unwrap(await changeRole(kit.seatgate, scope, guest, { role: 'member' }))
    expect(await memberIn(organization, guest)).toMatchObject({ seat_id: expect.any(String) })
    unwrap(await addMember(kit.seatgate, scope, { userId: await newUser(), role: 'viewer' }))
    expect(await organization.seats()).toMatchObject({ limit: 'unlimited', held: 2 })
  })
})
