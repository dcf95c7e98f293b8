import { drizzle } from 'drizzle-orm/d1'
import { beforeEach, describe, expect, it } from 'vitest'
import { aroundDatabase, createMeter } from '../../../../bench/meter.ts'
import { sweepAudit, type WakeUp } from '../../../../src/index.ts'
import {
  clocked,
  delivered,
  freshStores,
  isInOutbox,
  organizationWith,
  retry,
  seeded,
  sinkOf,
  testEnv,
  upTo,
} from '../../../kit/index.ts'

beforeEach(freshStores)

/** Makes so many rows in the outbox, and no others. */
async function waitingTrails(count: number): Promise<void> {
  await testEnv.DB.batch([
    testEnv.DB.prepare('DELETE FROM seatgate_audit_outbox'),
    testEnv.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO seatgate_audit_outbox SELECT printf('waiting-%04d', i), i FROM n`
    ).bind(count),
  ])
}

function rememberingQueue() {
  const sent: string[] = []
  const queue = {
    send: async () => {},
    sendBatch: async (messages: readonly { readonly body: WakeUp }[]) => {
      sent.push(...messages.map(({ body }) => body.organizationId))
    },
  }
  return { sent, queue }
}

describe('the sweep of the outbox', () => {
  it.each([
    ['as long as the others', 1],
    ['shorter than the others', 9999],
    ['since a time ahead', 9_999_999_999_999],
  ])('reaches one that waits %s within a round, behind 2,500 others', async (_how, sweptAt) => {
    await waitingTrails(2500)
    await testEnv.DB.prepare(
      'UPDATE seatgate_audit_outbox SET swept_at = ? WHERE organization_id = ?'
    )
      .bind(sweptAt, 'waiting-2500')
      .run()
    const { sent, queue } = rememberingQueue()
    const { seatgate } = clocked([sinkOf('memory')], { queue })
    const rounds: string[][] = []
    for (let sweeps = 1; sweeps <= 5; sweeps++) {
      await sweepAudit(seatgate)
      rounds.push(sent.splice(0))
    }
    expect(rounds.map(({ length }) => length)).toEqual(Array.from({ length: 5 }, () => 1000))
    // Two rounds are five sweeps: each is served twice, and no sweep serves one twice.
    const times = new Map<string, number>()
    for (const sweep of rounds) {
      expect(new Set(sweep).size).toBe(1000)
      for (const id of sweep) times.set(id, (times.get(id) ?? 0) + 1)
    }
    expect([times.size, ...new Set(times.values())]).toEqual([2500, 2])
    expect(rounds.slice(0, 3).flat()).toContain('waiting-2500')
  })

  it('has a turn for each of two at once, and goes on where they stopped', async () => {
    await waitingTrails(2000)
    const { sent, queue } = rememberingQueue()
    const { seatgate } = clocked([sinkOf('memory')], { queue })
    await Promise.all([sweepAudit(seatgate), sweepAudit(seatgate)])
    expect(new Set(sent).size).toBe(2000)
  })

  it('writes one row, the place, and no row where all that wait have their turn', async () => {
    const { around, measure } = createMeter()
    const database = drizzle(aroundDatabase(testEnv.DB, around))
    const { queue } = rememberingQueue()
    const { seatgate } = clocked([sinkOf('memory')], { queue, database })
    const written = async () => {
      const [, { rowsWritten }] = await measure(
        () => sweepAudit(seatgate),
        async () => {}
      )
      return rowsWritten
    }
    await waitingTrails(1500)
    // One more is the place of the look at all trails.
    expect(await written()).toBe(2)
    await waitingTrails(900)
    await written()
    expect(await written()).toBe(1)
  })

  it.each([
    ['one sink', 1],
    ['as many sinks as leave statements for few', 12],
  ])('without a queue starves no one behind 60 that fail, with %s', async (_how, sinks) => {
    const tried = new Set<string>()
    const picky = (id: string) =>
      sinkOf(id, ({ organizationId }) => {
        tried.add(organizationId)
        return organizationId === last ? delivered : retry
      })
    const { seatgate } = clocked(
      upTo(sinks).map((each) => picky(`sink-${each}`)),
      { random: seeded(7) }
    )
    const ids: string[] = []
    for (let made = 0; made <= 60; made++) ids.push(await organizationWith(seatgate))
    const last = ids.toSorted().at(-1)!
    await sweepAudit(seatgate)
    const round = Math.ceil(61 / tried.size)
    expect(round).toBeGreaterThan(1)
    for (let sweeps = 2; sweeps <= round; sweeps++) await sweepAudit(seatgate)
    expect(tried).toEqual(new Set(ids))
    expect(await isInOutbox(last)).toBe(false)
  })
})
