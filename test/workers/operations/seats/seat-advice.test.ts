import { describe, expect, it } from 'vitest'
import {
  addMember,
  billing,
  canAdd,
  checkSeatLimit,
  createInvitation,
  explainSeats,
  listAuditEvents,
  releaseSeat,
  setEntitlement,
  verifySeats,
  type OverLimitPolicy,
} from '../../../../src/index.ts'
import {
  codeOf,
  createKit,
  enforcing,
  enforcingOr,
  newUser,
  everything,
  testEnv,
  unwrap,
  type KitOrganization,
} from '../../../kit/index.ts'

const host = ({ id }: KitOrganization) =>
  ({ caller: { type: 'system' }, organization: id }) as const

describe.each(enforcingOr('d1'))('advice about seats, with %s seats', (provider) => {
  it('counts held, reserved and asked seats, and changes no row [SEAT-22]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5, members: 2 })
    const { seatgate } = kit
    const asOwner = organization.as(organization.owner)
    const email = `${crypto.randomUUID()}@example.com`
    unwrap(await createInvitation(seatgate, asOwner, { email, role: 'member' }))
    await kit.settled()
    const before = await everything()
    expect(unwrap(await canAdd(seatgate, asOwner, 2))).toMatchObject({
      canAdd: true,
      refusal: null,
      held: 2,
      reserved: 1,
      available: 2,
    })
    expect(unwrap(await canAdd(seatgate, asOwner, 3))).toMatchObject({
      canAdd: false,
      refusal: { code: 'seat_limit_reached', limit: 5, used: 3 },
    })
    expect(unwrap(await checkSeatLimit(seatgate, asOwner))).toMatchObject({ available: 2 })
    expect(await everything()).toEqual(before)
    await organization.limitTo(3)
    expect(await checkSeatLimit(seatgate, asOwner)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 3, used: 3 },
    })
  })

  it.each([0, -1, 1.5, Number.NaN, 2e9])('refuses to advise about %s members', async (members) => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 5 })
    const asked = canAdd(kit.seatgate, organization.as(organization.owner), members)
    expect(codeOf(await asked)).toBe('validation_error')
  })

  it('answers a stranger like absence, without a number [SEAT-19]', async () => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 1 })
    const stranger = organization.as(await newUser())
    expect(codeOf(await canAdd(kit.seatgate, stranger))).toBe('organization_not_found')
    expect(codeOf(await checkSeatLimit(kit.seatgate, stranger))).toBe('organization_not_found')
  })

  it('an unknown limit is no seat, and no number [SEAT-22]', async () => {
    const kit = createKit({ provider, billing: billing({ plans: {}, unknownHours: 0 }) })
    const organization = await kit.organization()
    const unknown = { included: 'unknown' as const, reason: 'test' }
    unwrap(await setEntitlement(kit.seatgate, organization.asOperator, unknown))
    expect(codeOf(await checkSeatLimit(kit.seatgate, host(organization)))).toBe('seats_unavailable')
  })
})

describe('releaseSeat', () => {
  const ghost = async (how: 'added' | 'invited') => {
    const kit = createKit({ provider: 'ledger' })
    const organization = await kit.organization({ seats: 5 })
    const userId = how === 'added' ? await organization.join() : await newUser()
    if (how === 'invited') {
      // The ledger keeps the seat of an accepted invitation under the invitation.
      const seat = crypto.randomUUID()
      const { seats, seatContext } = kit.seatgate
      const request = {
        organizationId: organization.id,
        seatId: seat,
        holder: `invitation:${seat}`,
      }
      unwrap(await seats.reserve(seatContext, { ...request, kind: 'new', until: null }))
      await seats.confirm(seatContext, request, null)
      await testEnv.DB.prepare(
        `INSERT INTO seatgate_invitations (id, organization_id, email, role, token_hash, token_version,
           invited_by_id, seat_id, expires_at, accepted_at, accepted_by_id, mail_status, created_at, updated_at)
         VALUES (?, ?, 'a@example.com', 'member', ?, 1, 'x', ?, 1, 1, ?, 'sent', 1, 1)`
      )
        .bind(
          crypto.randomUUID(),
          organization.id,
          seat.replaceAll('-', '').padEnd(64, '0'),
          seat,
          userId
        )
        .run()
    } else {
      await testEnv.DB.prepare('DELETE FROM seatgate_memberships WHERE user_id = ?')
        .bind(userId)
        .run()
    }
    return { kit, organization, userId }
  }

  it.each(['added', 'invited'] as const)(
    'frees the seat of a removed holder once: %s [SEAT-21]',
    async (how) => {
      const { kit, organization, userId } = await ghost(how)
      const { seatgate } = kit
      expect((await organization.seats()).held).toBe(2)
      const release = () => releaseSeat(seatgate, host(organization), userId)
      expect(unwrap(await release())).toEqual({ released: 1 })
      await kit.settled()
      expect((await organization.seats()).held).toBe(1)
      expect(unwrap(await release())).toEqual({ released: 0 })
      const scope = organization.as(organization.owner)
      const { data } = unwrap(
        await listAuditEvents(seatgate, scope, { action: 'seat.drift_repaired' })
      )
      expect(data.map(({ metadata }) => metadata)).toEqual([
        { differences: { leaked_seat: 1 }, held: 1, reserved: 0, limit: 5 },
      ])
      expect(unwrap(await verifySeats(seatgate, host(organization))).differences).toEqual([])
    }
  )

  it.each(enforcing)('never frees the seat of a member (%s) [SEAT-21]', async (provider) => {
    const kit = createKit({ provider })
    const organization = await kit.organization({ seats: 3 })
    const member = await organization.join()
    for (const userId of [member, organization.owner, 'nobody']) {
      expect(unwrap(await releaseSeat(kit.seatgate, host(organization), userId))).toEqual({
        released: 0,
      })
    }
    expect((await organization.seats()).held).toBe(2)
  })

  it('is for operators and the host [SEAT-21]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const asOwner = organization.as(organization.owner)
    expect(codeOf(await releaseSeat(kit.seatgate, asOwner, 'x'))).toBe('insufficient_role')
    const stranger = organization.as(await newUser())
    expect(codeOf(await releaseSeat(kit.seatgate, stranger, 'x'))).toBe('organization_not_found')
  })
})

describe.each(enforcingOr('d1'))('explainSeats above the limit, with %s seats', (provider) => {
  const NOW = Date.parse('2026-03-01T00:00:00Z')
  const at = (days: number) => new Date(NOW + days * 86_400_000).toISOString()

  it.each<[OverLimitPolicy, 'stays' | 'suspension', string | null]>([
    ['block_change', 'stays', null],
    ['allow_with_grace', 'suspension', at(14)],
    ['suspend_excess', 'suspension', at(0)],
  ])(
    'names the next step of %s, with its user and time [SEAT-22 SEAT-46]',
    async (whenOver, next, then) => {
      const kit = createKit({
        provider,
        now: () => new Date(NOW),
        billing: billing({ plans: {}, baseSeats: 9, whenOver, overGraceDays: 14 }),
      })
      const organization = await kit.organization({ members: 2 })
      const newest = await newUser()
      const asOwner = organization.as(organization.owner)
      unwrap(await addMember(kit.seatgate, asOwner, { userId: newest, role: 'member' }))
      const explained = async () => unwrap(await explainSeats(kit.seatgate, asOwner))
      expect((await explained()).over).toBeNull()
      const entitlement = { included: 1, until: at(30), reason: 'Contract 4711' }
      unwrap(await setEntitlement(kit.seatgate, organization.asOperator, entitlement))
      await kit.settled()
      const { inputs, over } = await explained()
      expect(inputs).toEqual({
        plan: null,
        included: 1,
        purchased: 0,
        addOns: 0,
        cap: null,
        override: { reason: 'Contract 4711', until: at(30) },
        graceEnd: null,
        unknownSince: null,
        syncedAt: null,
      })
      expect(over).toMatchObject({ since: at(0), seats: 2, policy: whenOver, next, at: then })
      expect(over?.members).toHaveLength(next === 'stays' ? 0 : 2)
      expect(over?.members.map(({ role }) => role)).not.toContain('owner')
    }
  )
})
