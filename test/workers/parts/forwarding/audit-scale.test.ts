import { describe, expect, it } from 'vitest'
import { createMeter, type Around } from '../../../../bench/meter.ts'
import {
  forwardOrganization,
  generateLogKey,
  proveConsistency,
  proveInclusion,
  sealOrganization,
  sweepAudit,
  type Sink,
} from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import {
  addEvents,
  clocked,
  delivered,
  organizationWith,
  permanent,
  rename,
  sinkOf,
  upTo,
  WHOLE,
  unwrap,
  createKit,
  type KitOptions,
} from '../../../kit/index.ts'

// A share of it each time; `npm run scale` for the million.
const MANY = WHOLE ? 1_000_000 : 20_000
const SEALED = WHOLE ? 1_000_000 : 4_096
const EVENTS_PER_INSERT = 20_000
const PATIENCE_MS = 3_600_000

const { privateKey } = await generateLogKey('audit.example.com')

/** A world whose costs are counted, and the most rows that a trip to D1 has brought back. */
function measured(options: KitOptions = {}) {
  const meter = createMeter()
  const held = { most: 0 }
  const around: Around = (trip, run) =>
    meter.around(trip, async () => {
      const answer = await run()
      for (const result of [answer].flat() as { results?: unknown[] }[]) {
        held.most = Math.max(held.most, result?.results?.length ?? 0)
      }
      return answer
    })
  const kit = createKit({ provider: 'd1', around, auditLogKey: privateKey, ...options })
  const costOf = async (act: () => Promise<unknown>) => (await meter.measure(act, kit.settled))[1]
  return { ...kit, held, costOf }
}

/** An organization with so many events. */
async function organizationOf({ seatgate }: ReturnType<typeof measured>, events: number) {
  const id = await organizationWith(seatgate)
  for (let there = 2; there < events;) {
    const more = Math.min(EVENTS_PER_INSERT, events - there)
    await addEvents(id, more, there)
    there += more
  }
  return id
}

describe('the cost of forwarding', () => {
  it('a hundred events of one organization are three trips to D1, and few rows', async () => {
    const sink = sinkOf('log')
    const kit = measured({ sinks: [sink] })
    const id = await organizationOf(kit, 100)
    const cost = await kit.costOf(() => forwardOrganization(kit.seatgate, id))
    expect(sink.sequences()).toEqual(upTo(100))
    expect(cost.d1Trips).toBe(3)
    expect(cost.rowsRead).toBeLessThan(600)
    expect(cost.rowsWritten).toBeLessThan(20)
  })

  it('as many where every second event is not for the sink', async () => {
    const sink = sinkOf('log')
    const kit = measured({ sinks: [{ ...sink, include: ['organization.create', 'test.odd'] }] })
    const id = await organizationWith(kit.seatgate)
    await addEvents(id, 98, 2, "iif(value % 2, 'test.odd', 'test.even')")
    const cost = await kit.costOf(() => forwardOrganization(kit.seatgate, id))
    expect(sink.sequences()).toHaveLength(50)
    expect(cost.d1Trips).toBe(3)
    expect(cost.rowsWritten).toBeLessThan(20)
  })
})

describe('an organization with a sink that does not answer, or an event that no sink takes', () => {
  it.each(['the queue', 'the sweep'])('keeps no other waiting, by %s [FWD-27]', async (by) => {
    const gate = Promise.withResolvers<void>()
    const taken: string[] = []
    const sink: Sink = {
      id: 'log',
      async deliver({ organizationId }) {
        if (organizationId === poisoned) return permanent
        if (organizationId === dead) await gate.promise
        taken.push(organizationId)
        return delivered
      },
    }
    const { seatgate } = clocked([sink])
    const dead = await organizationWith(seatgate)
    const poisoned = await organizationWith(seatgate)
    const others = [await organizationWith(seatgate), await organizationWith(seatgate)]
    const all = Promise.withResolvers<void>()
    const messages = [dead, poisoned, ...others].map((organizationId) => {
      const ack = () => organizationId === others[1] && all.resolve()
      return { id: organizationId, body: { organizationId }, ack, retry() {} }
    })
    const running =
      by === 'the queue' ? auditQueueHandler(seatgate)({ messages } as never) : sweepAudit(seatgate)
    if (by === 'the queue') await all.promise
    else while (taken.length < 4) await new Promise((resolve) => setTimeout(resolve))
    // The dead one is still in the air, and no time has passed on the clock.
    expect(taken.toSorted()).toEqual([...others, ...others].toSorted())
    gate.resolve()
    await running
  })
})

describe('the cost of proofs', () => {
  it('sealing 10,000 events takes a trip for each 500, rows in proportion, and holds no more of them', async () => {
    const kit = measured()
    const costs = []
    const most: number[] = []
    for (const events of [1_000, 10_000]) {
      const id = await organizationOf(kit, events)
      kit.held.most = 0
      costs.push(await kit.costOf(() => sealOrganization(kit.seatgate, id)))
      most.push(kit.held.most)
    }
    const [few, many] = costs
    expect(few!.d1Trips).toBe(3)
    expect(many!.d1Trips).toBe(21)
    expect(many!.rowsRead / few!.rowsRead).toBeLessThan(10.5)
    expect(many!.rowsWritten / few!.rowsWritten).toBeLessThan(10.5)
    expect(many!.rowsWritten).toBeLessThan(2 * 10_000 + 100)
    expect(most).toEqual([500, 500])
  })

  it(
    'a proof reads as many hashes as the tree is high, in two trips, and is at most 1 KB [AUD-56]',
    async () => {
      const kit = measured()
      const { seatgate, costOf } = kit
      for (const events of [64, SEALED]) {
        const id = await organizationOf(kit, events)
        const scope = { caller: { type: 'system' }, organization: id } as const
        await sealOrganization(seatgate, id)
        const asked = { sequence: Math.ceil(events / 3) }
        const inclusion = await costOf(async () => {
          const { hashes } = unwrap(await proveInclusion(seatgate, scope, asked))
          expect(hashes).toHaveLength(Math.log2(events) % 1 === 0 ? Math.log2(events) : 20)
          expect(JSON.stringify(hashes).length).toBeLessThanOrEqual(1024)
        })
        const range = { from: asked.sequence, to: events }
        const consistency = await costOf(async () =>
          unwrap(await proveConsistency(seatgate, scope, range))
        )
        for (const { d1Trips, rowsRead } of [inclusion, consistency]) {
          expect(d1Trips).toBe(2)
          expect(rowsRead).toBeLessThan(100)
        }
        if (WHOLE) console.log('proof', events, JSON.stringify({ inclusion, consistency }))
      }
    },
    PATIENCE_MS
  )

  it(
    'appending to an organization with many events reads as many rows as to one with two',
    async () => {
      const kit = measured()
      const read: number[] = []
      for (const events of [3, MANY]) {
        const id = await organizationOf(kit, events)
        await organizationWith(kit.seatgate)
        const cost = await kit.costOf(() => rename(kit.seatgate, id, 'New'))
        read.push(cost.rowsRead)
      }
      expect(Math.abs(read[1]! - read[0]!)).toBeLessThanOrEqual(3)
      expect(read[1]).toBeLessThan(50)
      if (WHOLE) console.log('append', MANY, JSON.stringify(read))
    },
    PATIENCE_MS
  )
})
