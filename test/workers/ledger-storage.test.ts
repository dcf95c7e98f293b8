import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createOrganization, removeMember, seatUsage } from '../../src/index.ts'
import { LONG_ENOUGH_MS, abandonedAdd, expectSound, ledgerOf, passTime, slowAdd } from './faults.ts'
import { readLedger, readState } from './invariants.ts'
import { testEnv } from './setup.ts'
import {
  add,
  answered,
  codeOf,
  createWorld,
  join,
  newBusyOrganization,
  newOrganization,
  newUser,
  type TestOrganization,
} from './world.ts'

afterEach(() => {
  vi.useRealTimers()
})

describe('a ledger that is lost', () => {
  it('SEAT-33: counts the same again from D1, under the next epoch', async () => {
    const world = createWorld()
    const organization = await newOrganization(world, 4)
    await join(world, organization)
    const last = await join(world, organization)
    answered(await removeMember(world.seatgate, organization.as(last), last))
    const before = await readLedger(organization.id)
    const asking = () => seatUsage(world.seatgate, organization.as(organization.owner))
    const usage = answered(await asking())

    await loseStorage(organization)
    expect(await readLedger(organization.id)).toBeNull()
    expect(answered(await asking())).toEqual(usage)
    const after = await readLedger(organization.id)
    expect(after?.seats).toEqual(before?.seats)
    expect(after?.epoch).toBeGreaterThan(before!.epoch)
    await expectSound(organization.id, true)
  })

  it('SEAT-33: a write admitted by the lost ledger cannot land beside the new one', async () => {
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

  it('SEAT-33: the same write is admitted anew where there is room', async () => {
    const { organization, calm, joining, letGo } = await slowAdd()
    await loseStorage(organization)
    answered(await seatUsage(calm.seatgate, organization.as(organization.owner)))
    letGo()
    expect(codeOf(await joining())).toBe('ok')
    await expectSound(organization.id, true)
  })

  it('SEAT-33: knows the limit that was bought', async () => {
    const world = createWorld()
    const organization = await newOrganization(world, 1)
    await loseStorage(organization)
    expect(await add(world, organization)).toEqual({
      ok: false,
      error: { code: 'seat_limit_reached', limit: 1, used: 1 },
    })
  })

  it('SEAT-33: has everybody, however many pages they are read in', async () => {
    const world = createWorld()
    const organization = await newBusyOrganization(world, 10_001)
    const asking = () => seatUsage(world.seatgate, organization.as(organization.owner))
    expect(answered(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    await loseStorage(organization)
    expect(answered(await asking())).toMatchObject({ held: 10_001, reserved: 0 })
    const { members, ledger } = await readState(organization.id)
    expect(new Set(ledger?.seats.map(({ seat_id }) => seat_id))).toEqual(
      new Set(members.map(({ seat_id }) => seat_id))
    )
  })

  it('an object that is put out of memory keeps everything, its alarm too', async () => {
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
    'SEAT-15: an alarm that was lost comes back with the next call (put out of memory: $evicted)',
    async ({ evicted }) => {
      const { organization, calm } = await abandonedAdd()
      await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
        storage.deleteAlarm()
      )
      if (evicted) await evictDurableObject(ledgerOf(organization))
      passTime(LONG_ENOUGH_MS)
      expect(await runDurableObjectAlarm(ledgerOf(organization))).toBe(false)
      answered(await seatUsage(calm.seatgate, organization.as(organization.owner)))
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

describe('a ledger that is older than its organization', () => {
  it('SEAT-33: would not know the founder’s seat, so the organization is made under another id', async () => {
    const taken = Array.from({ length: 40 }, () => crypto.randomUUID())
    await testEnv.DB.prepare(
      'INSERT INTO seat_ledgers (organization_id, epoch) SELECT value, 1 FROM json_each(?)'
    )
      .bind(JSON.stringify(taken))
      .run()
    const ids = [...taken]
    const { seatgate } = createWorld({ newId: () => ids.shift() ?? crypto.randomUUID() })
    const caller = { userId: await newUser() }
    const created = await createOrganization(seatgate, { caller }, { name: 'Test' })
    if (created.ok) expect(taken).not.toContain(created.value.id)
    const { results } = await testEnv.DB.prepare(
      'SELECT id FROM organizations WHERE id IN (SELECT value FROM json_each(?))'
    )
      .bind(JSON.stringify(taken))
      .all()
    expect(results).toEqual([])
  })
})

async function loseStorage(organization: TestOrganization): Promise<void> {
  const ledger = ledgerOf(organization)
  await runInDurableObject(ledger, (_ledger, { storage }) => storage.deleteAll())
  await evictDurableObject(ledger)
}
