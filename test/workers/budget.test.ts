import { beforeAll, describe, expect, it } from 'vitest'
import { createMeter, type Cost } from '../../bench/meter.ts'
import {
  addMember,
  changeRole,
  createOrganization,
  getOrganization,
  listMembers,
  removeMember,
  type Result,
} from '../../src/index.ts'
import { answered, createWorld, newBusyOrganization, newUser, signedIn } from './world.ts'

// Sign-in and authorization are in every number: the caller is a session that is looked up.
const SIZES = [10, 1_000, 10_000]

type Costs = Record<string, Cost>

async function costsAt(members: number, provider: 'ledger' | 'd1'): Promise<Costs> {
  const meter = createMeter()
  const world = createWorld({ provider, around: meter.around })
  const { seatgate } = world
  const organization = await newBusyOrganization(world, members)
  const owner = await signedIn(world, organization.owner)
  const asOwner = { caller: owner, organization: organization.slug }
  const asMember = {
    caller: await signedIn(world, organization.someMember),
    organization: organization.slug,
  }
  const userId = await newUser()
  const slug = `t${crypto.randomUUID().replaceAll('-', '')}`
  const cost = async (act: () => Promise<Result<unknown>>) => {
    const [answer, spent] = await meter.measure(act, world.settled)
    answered(answer)
    return spent
  }
  return {
    read: await cost(() => getOrganization(seatgate, asMember)),
    add: await cost(() => addMember(seatgate, asOwner, { userId, role: 'member' })),
    change: await cost(() => changeRole(seatgate, asOwner, userId, { role: 'admin' })),
    remove: await cost(() => removeMember(seatgate, asOwner, userId)),
    list: await cost(() => listMembers(seatgate, asMember, { limit: 5 })),
    create: await cost(() =>
      createOrganization(seatgate, { caller: owner }, { name: 'Test', slug })
    ),
  }
}

describe('what an operation may cost', () => {
  const ledger = new Map<number, Costs>()
  beforeAll(async () => {
    for (const members of SIZES) ledger.set(members, await costsAt(members, 'ledger'))
  }, 120_000)

  it.each(SIZES)('SEAT-5: adding waits for three trips, one of them to the ledger (%i)', (size) => {
    expect(ledger.get(size)!['add']).toMatchObject({ inSequence: 3, d1Trips: 2, ledgerCalls: 2 })
  })

  it.each(SIZES)('reading an organization is one trip to D1 (%i)', (size) => {
    expect(ledger.get(size)!['read']).toMatchObject({ inSequence: 1, d1Trips: 1, ledgerCalls: 0 })
  })

  it.each(SIZES)('removing waits for three trips, the freed seat included (%i)', (size) => {
    expect(ledger.get(size)!['remove']).toMatchObject({ inSequence: 3, d1Trips: 2, ledgerCalls: 1 })
  })

  it.each(SIZES)(
    'creating and changing a role wait for two trips, listing for one (%i)',
    (size) => {
      const { create, change, list } = ledger.get(size)!
      expect([create, change, list].map((cost) => cost?.inSequence)).toEqual([2, 2, 1])
    }
  )

  it('SEAT-5: every operation reads as many rows at ten members as at ten thousand', () => {
    const [few, ...more] = SIZES.map((size) => ledger.get(size)!)
    for (const [name, { rowsRead }] of Object.entries(few!)) {
      expect(rowsRead, name).toBeGreaterThan(0)
      expect(rowsRead, name).toBeLessThan(50)
      for (const costs of more) expect(costs[name]?.rowsRead, name).toBe(rowsRead)
    }
  })

  it('SEAT-5: the meter sees the row per member that D1 alone must read', async () => {
    const { add } = await costsAt(1_000, 'd1')
    expect(add).toMatchObject({ inSequence: 2, d1Trips: 2, ledgerCalls: 0 })
    expect(add!.rowsRead).toBeGreaterThan(1_000)
  })
})

describe('the meter', () => {
  it('counts what waits for one another, and not what runs beside or after it', async () => {
    const { around, measure } = createMeter()
    const d1 = { store: 'd1', asked: [] } as const
    const gate = Promise.withResolvers<void>()
    const later: Promise<unknown>[] = []
    const trip = () => around(d1, async () => {})
    const [, cost] = await measure(
      async () => {
        await trip()
        await Promise.all([trip(), trip(), trip()])
        await trip()
        later.push(around(d1, () => gate.promise))
      },
      async () => {
        gate.resolve()
        await Promise.all(later)
      }
    )
    expect(cost).toMatchObject({ inSequence: 3, d1Trips: 6 })
  })
})
