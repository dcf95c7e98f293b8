import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  createOrganization,
  removeMember,
  seatUsage,
  setSeatLimit,
  verifySeats,
} from '../../../../src/index.ts'
import { finite } from '../../../../src/engine/seats/limit.ts'
import {
  LONG_ENOUGH_MS,
  accept,
  abandonedAdd,
  aroundDatabaseOf,
  expectSound,
  importIsOver,
  ledgerOf,
  losing,
  passTime,
  slowAdd,
  readLedger,
  readState,
  invite,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  largeOrganization,
  newUser,
  type TestOrganization,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('a ledger that is lost', () => {
  it('counts the same again from D1, under the next epoch [SEAT-33]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 4 })
    await join(kit, organization)
    const last = await join(kit, organization)
    unwrap(await removeMember(kit.seatgate, organization.as(last), last))
    const before = await readLedger(organization.id)
    const asking = () => seatUsage(kit.seatgate, organization.as(organization.owner))
    const usage = unwrap(await asking())

    await loseStorage(organization)
    expect(await readLedger(organization.id)).toBeNull()
    expect(unwrap(await asking())).toEqual(usage)
    const after = await readLedger(organization.id)
    expect(after?.seats).toEqual(before?.seats)
    expect(after?.epoch).toBeGreaterThan(before!.epoch)
    await expectSound(organization.id, true)
  })

  it('a write admitted by the lost ledger cannot land beside the new one [SEAT-33]', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await loseStorage(organization)
    expect(codeOf(await add(calm, organization))).toBe('ok')
    letGo()
    expect(await joining()).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 2, used: 2 },
    })
    await calm.settled()
    await expectSound(organization.id, true)
  })

  it('the same write is admitted again where there is room [SEAT-33]', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await loseStorage(organization)
    unwrap(await seatUsage(calm.seatgate, organization.as(organization.owner)))
    letGo()
    expect(codeOf(await joining())).toBe('ok')
    await expectSound(organization.id, true)
  })

  it('knows the limit that was bought [SEAT-33]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 1 })
    await loseStorage(organization)
    expect(await add(kit, organization)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 1, used: 1 },
    })
  })

  it('keeps an unlimited entitlement for any default [SEAT-33]', async () => {
    const kit = createKit({ defaultSeatLimit: 1 })
    const organization = await kit.organization({ seats: 1 })
    unwrap(await setSeatLimit(kit.seatgate, organization.asOperator, { limit: 'unlimited' }))
    await loseStorage(organization)
    expect(codeOf(await add(kit, organization))).toBe('ok')
    const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(usage).toMatchObject({ limit: 'unlimited', held: 2 })
  })

  it('has every user, however many pages they are read in [SEAT-33]', async () => {
    const kit = createKit()
    const organization = await largeOrganization(kit, 10_001)
    const asking = () => seatUsage(kit.seatgate, organization.as(organization.owner))
    expect(unwrap(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    await loseStorage(organization)
    expect(unwrap(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    await importIsOver(organization)
    const { members, ledger } = await readState(organization.id)
    expect(new Set(ledger?.seats.map(({ seat_id }) => seat_id))).toEqual(
      new Set(members.map(({ seat_id }) => seat_id))
    )
  })

  it('an evicted object keeps its storage and its alarm', async () => {
    const { organization, calm } = await abandonedAdd()
    const before = await readLedger(organization.id)
    await evictDurableObject(ledgerOf(organization))
    expect(await readLedger(organization.id)).toEqual(before)
    expect(codeOf(await add(calm, organization))).toBe('seat_limit_reached')
    await evictDurableObject(ledgerOf(organization))
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    await expectSound(organization.id, true)
    expect((await readState(organization.id)).epoch).toBe(before?.epoch)
  })

  it.each([{ evicted: true }, { evicted: false }])(
    'a lost alarm is set again by the next call (evicted: $evicted) [SEAT-15]',
    async ({ evicted }) => {
      const { organization, calm } = await abandonedAdd()
      await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
        storage.deleteAlarm()
      )
      if (evicted) await evictDurableObject(ledgerOf(organization))
      passTime(LONG_ENOUGH_MS)
      expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(false)
      unwrap(await seatUsage(calm.seatgate, organization.as(organization.owner)))
      await vi.waitFor(
        async () => {
          await runDurableObjectAlarm(ledgerOf(organization))
          await expectSound(organization.id, true)
        },
        { timeout: 10_000, interval: 50 }
      )
    }
  )
})

describe('a ledger', () => {
  const alarmOf = (organization: TestOrganization) =>
    runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => storage.getAlarm())
  const asked = { defaultLimit: finite(10) }

  it('answers for no organization but its own', async () => {
    const [one, other] = [
      await createKit().organization({ seats: 4 }),
      await createKit().organization({ seats: 4 }),
    ]
    await join(createKit(), one)
    const before = await readLedger(one.id)
    const request = { ...asked, organizationId: other.id }
    const unavailable = { ok: false, error: { code: 'seats_unavailable' } }
    expect(await ledgerOf(one).usage(request)).toEqual(unavailable)
    const seat = { ...request, seatId: 'seat', holder: 'holder', reservationSeconds: 30 }
    expect(await ledgerOf(one).reserve(seat)).toEqual(unavailable)
    expect(await readLedger(one.id)).toEqual(before)
  })

  it('reads D1 once when it starts, however many ask at once', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 4 })
    await loseStorage(organization)
    let trips = 0
    const leave = await aroundDatabaseOf(organization, (run) => {
      trips += 1
      return run()
    })
    const request = { ...asked, organizationId: organization.id }
    await ledgerOf(organization).usage(request)
    const alone = trips
    await ledgerOf(organization).close(request)
    await Promise.all(Array.from({ length: 10 }, () => ledgerOf(organization).usage(request)))
    expect(trips).toBe(2 * alone)
    await leave()
    await expectSound(organization.id, true)
  })

  it('sets the alarm for the first deadline, and moves it to no later one [SEAT-15]', async () => {
    const { organization, calm } = await abandonedAdd()
    unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 4 }))
    const first = await alarmOf(organization)
    expect(first).toBeLessThanOrEqual(Date.now() + 30_000)
    const { expiresAt } = await invite(calm, organization)
    expect(new Date(expiresAt).getTime()).toBeGreaterThan(first!)
    expect(await alarmOf(organization)).toBe(first)
  })

  it('rings again when the next one ends, and not before [SEAT-15]', async () => {
    const { organization, calm } = await abandonedAdd()
    unwrap(await setSeatLimit(calm.seatgate, organization.asOperator, { limit: 4 }))
    const { expiresAt } = await invite(calm, organization)
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await alarmOf(organization)).toBe(new Date(expiresAt).getTime())
  })

  it('rings for an invitation whose confirmation is lost, and then at its expiry [SEAT-15]', async () => {
    const organization = await createKit().organization({ seats: 2 })
    const { expiresAt } = await invite(createKit({ around: losing('confirm') }), organization)
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await alarmOf(organization)).toBe(new Date(expiresAt).getTime())
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    passTime(new Date(expiresAt).getTime() - Date.now() + 1)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
    await expectSound(organization.id, true)
  })

  it('settles a claim no later than its invitation expires, and rests then [SEAT-15]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 2 })
    const ledger = ledgerOf(organization)
    const seatId = crypto.randomUUID()
    await ledger.reserve({
      organizationId: organization.id,
      defaultLimit: finite(2),
      seatId,
      holder: `invitation:${seatId}`,
      reservationSeconds: 30,
      until: Date.now() + 5_000,
    })
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 1 })
    passTime(6_000)
    expect(await runDurableObjectAlarm(ledger)).toBe(true)
    expect(await readLedger(organization.id)).toMatchObject({ held: 1, reserved: 0 })
    expect(await alarmOf(organization)).toBeNull()
    await expectSound(organization.id, true)
  })

  it('that starts with promises has its alarm set for their end [SEAT-36]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 4 })
    const { expiresAt } = await invite(kit, organization)
    await loseStorage(organization)
    expect(await alarmOf(organization)).toBeNull()
    unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    expect(await alarmOf(organization)).toBe(new Date(expiresAt).getTime())
  })
})

describe('a request that comes after its seat was settled and the ledger was lost', () => {
  it('is counted until its deadline, is no drift, and leaves one seat [SEAT-16 SEAT-33]', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 3 })
    const invitation = await invite(kit, organization)
    const [seat] = (await readLedger(organization.id))!.seats.filter(
      ({ state }) => state === 'reserved'
    )
    const late = { seatId: seat!.seat_id, holder: seat!.holder }
    unwrap(await accept(kit, invitation))
    await kit.settled()
    await loseStorage(organization)
    unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    const { id: organizationId } = organization
    const request = { organizationId, defaultLimit: finite(3), reservationSeconds: 30 }
    expect(codeOf(await ledgerOf(organization).reserve({ ...request, ...late }))).toBe('ok')
    expect(await readLedger(organizationId)).toMatchObject({ held: 2, reserved: 1 })
    expect(unwrap(await verifySeats(kit.seatgate, organization.asOperator)).differences).toEqual([])
    passTime(31_000)
    expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(true)
    expect(await readLedger(organizationId)).toMatchObject({ held: 2, reserved: 0 })
    await expectSound(organizationId, true)
  })
})

describe('a ledger that is older than its organization', () => {
  it('would not know the founder’s seat, so the organization is made under another id [SEAT-33]', async () => {
    const taken = Array.from({ length: 40 }, () => crypto.randomUUID())
    await testEnv.DB.prepare(
      'INSERT INTO seatgate_seat_ledgers (organization_id, epoch) SELECT value, 1 FROM json_each(?)'
    )
      .bind(JSON.stringify(taken))
      .run()
    const ids = [...taken]
    const { seatgate } = createKit({ newId: () => ids.shift() ?? crypto.randomUUID() })
    const caller = { userId: await newUser() }
    const created = await createOrganization(seatgate, { caller }, { name: 'Test' })
    if (created.ok) expect(taken).not.toContain(created.value.id)
    const { results } = await testEnv.DB.prepare(
      'SELECT id FROM seatgate_organizations WHERE id IN (SELECT value FROM json_each(?))'
    )
      .bind(JSON.stringify(taken))
      .all()
    expect(results).toEqual([])
  })
})

describe('a close that is meant for another ledger', () => {
  it.each([
    ['an earlier', -1],
    ['a later', 1],
  ])('is ignored by the one in force: %s epoch [D6]', async (_which, by) => {
    const organization = await createKit().organization({ seats: 3 })
    unwrap(await seatUsage(createKit().seatgate, organization.as(organization.owner)))
    const before = await readLedger(organization.id)
    const close = (epoch: number) =>
      ledgerOf(organization).close({
        organizationId: organization.id,
        defaultLimit: finite(3),
        epoch,
      })
    expect(await close(before!.epoch + by)).toEqual({ ok: true, value: null })
    expect(await readLedger(organization.id)).toEqual(before)
    expect(await close(before!.epoch)).toEqual({ ok: true, value: null })
    expect(await readLedger(organization.id)).toBeNull()
  })
})

async function loseStorage(organization: TestOrganization): Promise<void> {
  const ledger = ledgerOf(organization)
  await runInDurableObject(ledger, (_ledger, { storage }) => storage.deleteAll())
  await evictDurableObject(ledger)
}
