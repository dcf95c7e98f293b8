import { describe, expect, it } from 'vitest'
import { createMeter } from '../../bench/meter.ts'
import {
  forwardOrganization,
  tendOrganization,
  type AuditEvent,
  type Delivery,
  type Sink,
} from '../../src/index.ts'
import { addEvents, clocked, delivered, organizationWith, sinkOf, upTo } from './forwarding.ts'
import { testEnv } from './setup.ts'
import { createWorld } from './world.ts'

const ORGANIZATIONS = 10
const EVENTS_EACH = 50

/** Numbers from 0 to 1 that are the same in every run. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** A receiver that stores by id and fails three times in ten, before or after it has stored. */
function stormy(id: string, random: () => number) {
  const stored = new Map<string, AuditEvent>()
  const order = new Map<string, number[]>()
  const store = (event: AuditEvent) => {
    if (!stored.has(event.id)) {
      const sequences = order.get(event.organizationId) ?? []
      order.set(event.organizationId, [...sequences, event.sequence])
    }
    stored.set(event.id, event)
  }
  const sink: Sink = {
    id,
    async deliver(event): Promise<Delivery> {
      const luck = random()
      if (luck < 0.08) return { outcome: 'retry', reason: 'status_500' }
      if (luck < 0.14) return { outcome: 'retry', reason: 'status_429', afterSeconds: 30 }
      if (luck < 0.2) throw new Error('connection lost before')
      store(event)
      if (luck < 0.27) throw new Error('connection lost after')
      if (luck < 0.3) return undefined as never
      return delivered
    },
  }
  return { sink, stored, order }
}

describe('receivers that fail three times in ten, and consumers that die', () => {
  it('FWD-13 FWD-17 FWD-27: lose nothing, keep each organization’s order and store each event once', async () => {
    const random = seeded(20_260)
    const receivers = [stormy('one', random), stormy('two', random)]
    const { seatgate, later } = clocked(
      receivers.map(({ sink }) => sink),
      { random }
    )
    const ids: string[] = []
    for (let each = 0; each < ORGANIZATIONS; each++) {
      const id = await organizationWith(seatgate)
      await addEvents(id, EVENTS_EACH - 2)
      ids.push(id)
    }
    // A consumer that dies has delivered and never says so: its batch that would is lost.
    let dying = 0
    const mortal = {
      ...seatgate,
      db: new Proxy(seatgate.db, {
        get(target, key) {
          if (key === 'batch' && dying > 0 && random() < 0.1) {
            return () => Promise.reject(new Error('the consumer died'))
          }
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      }),
    }
    const waiting = async () =>
      (
        await testEnv.DB.prepare('SELECT organization_id AS id FROM audit_outbox').all<{
          id: string
        }>()
      ).results.map(({ id }) => id)
    let left = await waiting()
    for (let round = 0; left.length > 0 && round < 400; round++) {
      dying = round < 100 ? 1 : 0
      // Every wake-up twice: the queue delivers at least once.
      const wakeUps = [...left, ...left].map((id) => tendOrganization(mortal, id))
      await Promise.allSettled(wakeUps)
      later(61)
      left = await waiting()
    }
    expect(left).toEqual([])
    for (const { stored, order } of receivers) {
      expect(stored.size).toBe(ORGANIZATIONS * EVENTS_EACH)
      for (const id of ids) expect(order.get(id)).toEqual(upTo(EVENTS_EACH))
    }
    const dead = await testEnv.DB.prepare('SELECT count(*) AS n FROM sink_dead_letters').first('n')
    expect(dead).toBe(0)
  }, 300_000)
})

describe('what forwarding costs', () => {
  it('a hundred events of one organization are three trips to D1', async () => {
    const meter = createMeter()
    const sink = sinkOf('log')
    const world = createWorld({ provider: 'd1', around: meter.around, sinks: [sink] })
    const id = await organizationWith(world.seatgate)
    await addEvents(id, 98)
    const [, cost] = await meter.measure(
      () => forwardOrganization(world.seatgate, id),
      world.settled
    )
    expect(sink.sequences()).toEqual(upTo(100))
    expect(cost.d1Trips).toBe(3)
    expect(cost.rowsRead).toBeLessThan(600)
    expect(cost.rowsWritten).toBeLessThan(20)
  })

  it('FWD-27: a dead sink of one organization is waited for by no other', async () => {
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    let blocked = ''
    const sink = sinkOf('slow', async ({ organizationId }) => {
      if (organizationId !== blocked) return delivered
      entered.resolve()
      await gate.promise
      return delivered
    })
    const { seatgate } = clocked([sink])
    blocked = await organizationWith(seatgate)
    const other = await organizationWith(seatgate)
    const stuck = forwardOrganization(seatgate, blocked)
    await entered.promise
    expect(await forwardOrganization(seatgate, other)).toBeNull()
    expect(sink.taken.map(({ organizationId }) => organizationId)).toEqual([other, other])
    gate.resolve()
    await stuck
  })
})
