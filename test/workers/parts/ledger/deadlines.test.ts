import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { changeRole, createInvitation } from '../../../../src/index.ts'
import {
  abandonedAdd,
  expectSound,
  ledgerOf,
  losing,
  newAddress,
  muchLater,
  passTime,
  slowAdd,
  slowAddTo,
  readLedger,
  readState,
  violationsIn,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  type TestOrganization,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('the deadline and the late write', () => {
  it('a write after its fence is refused, and admitted on a new seat [SEAT-16]', async () => {
    const { organization, joining, letGo } = await slowAdd()
    const [slow] = await reservedSeats(organization)
    await muchLater(organization.id)
    expect((await readState(organization.id)).fences).toEqual([slow])
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })

    letGo()
    expect(codeOf(await joining())).toBe('ok')
    const state = await readState(organization.id)
    expect(violationsIn(state, { quiet: true })).toEqual([])
    expect(state.members.map(({ seat_id }) => seat_id)).not.toContain(slow)
  })

  it('a write after its fence is checked against the limit like any other [SEAT-16]', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await muchLater(organization.id)
    expect(codeOf(await add(calm, organization))).toBe('ok')
    letGo()
    expect(await joining()).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 2, used: 2 },
    })
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('a membership that came first is confirmed at the deadline [SEAT-16]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    unwrap(await add(createKit({ around: losing('confirm') }), organization))
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    const state = await readState(organization.id)
    expect(state.fences).toEqual([])
    expect(state.ledger).toMatchObject({ held: 2, reserved: 0 })
    expect(violationsIn(state, { quiet: true })).toEqual([])
  })

  it('a batch that lands while the alarm asks wins or loses, never both [SEAT-16]', async () => {
    for (let trial = 0; trial < 10; trial++) {
      const { organization, joining, letGo } = await slowAdd()
      passTime(31_000)
      const alarm = runDurableObjectAlarm(ledgerOf(organization))
      letGo()
      const answer = await joining()
      await alarm
      expect(codeOf(answer)).toBe('ok')
      await expectSound(organization.id, true)
      vi.useRealTimers()
    }
  })

  it('an invitation that D1 never had frees its seat at the deadline, not at its expiry [SEAT-15]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const scope = organization.as(organization.owner)
    const lost = createKit({ around: losing('d1 write') })
    const input = { email: newAddress(), role: 'member' }
    expect(codeOf(await createInvitation(lost.seatgate, scope, input))).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await muchLater(organization.id)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
    await expectSound(organization.id, true)
  })

  it('a seat is not touched before its deadline [SEAT-15]', async () => {
    const { organization, calm } = await abandonedAdd()
    passTime(29_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    expect((await readState(organization.id)).fences).toEqual([])
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    passTime(2_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization)), 'armed again').toBe(true)
    await expectSound(organization.id, true)
  })

  it('the alarm runs by itself [SEAT-15]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 2 })
    const kit = createKit({ around: losing('d1 write'), ledger: { reservationSeconds: 0.2 } })
    expect(codeOf(await add(kit, organization))).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    await vi.waitFor(
      async () => {
        expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
      },
      { timeout: 10_000, interval: 50 }
    )
    await expectSound(organization.id, true)
  })

  it('more reservations than one alarm settles are settled by the next [SEAT-15]', async () => {
    const calm = createKit()
    const organization = await calm.organization()
    const ledger = ledgerOf(organization)
    for (let more = 0; more < 501; more++) {
      await ledger.reserve({
        organizationId: organization.id,
        defaultLimit: { kind: 'unlimited' },
        seatId: crypto.randomUUID(),
        holder: `nobody ${more}`,
        reservationSeconds: 30,
      })
    }
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledger)).toBe(true)
    expect((await readState(organization.id)).fences).toHaveLength(500)
    await vi.waitFor(
      async () => {
        await runDurableObjectAlarm(ledger)
        await expectSound(organization.id, true)
      },
      { timeout: 10_000, interval: 50 }
    )
  })
})

describe('a batch that is refused', () => {
  it('gives its seat back at once [SEAT-14]', async () => {
    const calm = createKit()
    const organization = await calm.organization({ seats: 3 })
    const other = await join(calm, organization, 'owner')
    const { joining, letGo } = await slowAddTo(organization, other)
    expect(await readLedger(organization.id)).toMatchObject({ held: 2, reserved: 1 })
    // Who asked may not any more.
    unwrap(
      await changeRole(calm.seatgate, organization.as(organization.owner), other, {
        role: 'member',
      })
    )
    letGo()
    expect(codeOf(await joining())).toBe('insufficient_role')
    await expectSound(organization.id, true)
    expect(codeOf(await add(calm, organization))).toBe('ok')
  })
})

async function reservedSeats({ id }: TestOrganization): Promise<string[]> {
  const ledger = await readLedger(id)
  return ledger!.seats.filter(({ state }) => state === 'reserved').map(({ seat_id }) => seat_id)
}
