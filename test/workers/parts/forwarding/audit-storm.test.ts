import { describe, expect, it } from 'vitest'
import type { Database, AuditEvent, Delivery, Sink } from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import {
  addEvents,
  clocked,
  delivered,
  organizationWith,
  upTo,
  seeded,
  testEnv,
  WHOLE,
  atScale,
} from '../../../kit/index.ts'

const EVENTS_EACH = atScale({ share: 25, thorough: 50, whole: 500 })
const ROUNDS = 5000
// As wrangler.toml has it.
const WAKE_UPS_PER_BATCH = 5
// Of each kind, for each trip to D1: a share of the storm has few trips.
const DEATHS = WHOLE ? 0.05 : 0.1
const PATIENCE_MS = 3_600_000

/**
 * A receiver that stores by id and fails three times in ten: it answers 500 or 429, is lost before or
 * after it has stored, times out, or says something that is no answer.
 */
function stormy(id: string, random: () => number, together: boolean) {
  const stored = new Set<string>()
  const order = new Map<string, number[]>()
  const calls = { all: 0, failed: 0, repeats: 0 }
  const store = ({ id, organizationId, sequence }: AuditEvent) => {
    if (stored.has(id)) {
      calls.repeats += 1
      return
    }
    stored.add(id)
    const sequences = order.get(organizationId) ?? []
    sequences.push(sequence)
    order.set(organizationId, sequences)
  }
  const answer = (events: readonly AuditEvent[]): Delivery => {
    const luck = random()
    calls.all += 1
    if (luck < 0.3) calls.failed += 1
    if (luck < 0.08) return { outcome: 'retry', reason: 'status_500' }
    if (luck < 0.14) return { outcome: 'retry', reason: 'status_429', afterSeconds: 30 }
    if (luck < 0.18) throw new Error('connection lost before')
    if (luck < 0.2) throw new DOMException('timed out before', 'TimeoutError')
    for (const event of events) store(event)
    if (luck < 0.25) throw new Error('connection lost after')
    if (luck < 0.28) throw new DOMException('timed out after', 'TimeoutError')
    if (luck < 0.3) return undefined as never
    return delivered
  }
  const sink: Sink = {
    id,
    deliver: async (event) => answer([event]),
    ...(together && { deliverMany: async (events) => answer(events) }),
  }
  return { sink, stored, order, calls }
}

/**
 * What a consumer sees of D1 that dies, having delivered, in some of its trips: before its batch has got
 * there, or when it is committed and the consumer has not heard so.
 */
function mortal(db: Database, random: () => number) {
  const deaths = { before: 0, after: 0 }
  const batch: Database['batch'] = async (statements) => {
    const luck = random()
    if (luck < DEATHS) {
      deaths.before += 1
      throw new Error('the consumer died')
    }
    const answer = await db.batch(statements)
    if (luck < 2 * DEATHS) {
      deaths.after += 1
      throw new Error('the consumer died before it heard')
    }
    return answer
  }
  const dying = new Proxy(db, {
    get(target, key) {
      const value: unknown = key === 'batch' ? batch : Reflect.get(target, key)
      return typeof value === 'function' && key !== 'batch' ? value.bind(target) : value
    },
  })
  return { db: dying, deaths }
}

const all = async <T>(sql: string) => (await testEnv.DB.prepare(sql).all<T>()).results
const waiting = async () =>
  (await all<{ id: string }>('SELECT organization_id AS id FROM seatgate_audit_outbox')).map(
    ({ id }) => id
  )

/** What is wrong with the final records of a sink: each event must have one, and one only. */
const gapsAndRepeats = (sinkId: string) =>
  all(
    `SELECT * FROM (
       SELECT organization_id, first_sequence, coalesce(lag(last_sequence) OVER (
         PARTITION BY organization_id ORDER BY first_sequence, id), 0) AS before
       FROM seatgate_sink_attempts WHERE sink_id = '${sinkId}' AND outcome NOT IN ('retry', 'paused')
     ) WHERE first_sequence <> before + 1`
  )

describe('receivers that fail three times in ten, and consumers that die', () => {
  it.each([
    ['one by one', false, atScale({ share: 6, thorough: 10, whole: 200 })],
    ['many at once', true, atScale({ share: 12, thorough: 20, whole: 200 })],
  ])(
    'lose no event, keep each organization’s order and store each event once, %s [FWD-11 FWD-13 FWD-17 FWD-25 FWD-27]',
    async (how, together, organizations) => {
      const random = seeded(20_260)
      const { sink, stored, order, calls } = stormy(how.replaceAll(' ', '-'), random, together)
      const { seatgate, later } = clocked([sink], { random })
      const ids: string[] = []
      for (let each = 0; each < organizations; each++) {
        const id = await organizationWith(seatgate)
        await addEvents(id, EVENTS_EACH - 2)
        ids.push(id)
      }
      const { db, deaths } = mortal(seatgate.db, random)
      const consume = auditQueueHandler({ ...seatgate, db })
      let rounds = 0
      for (let left = await waiting(); left.length > 0 && rounds < ROUNDS; rounds++) {
        for (let from = 0; from < left.length; from += WAKE_UPS_PER_BATCH) {
          // Every wake-up twice, in two batches: the queue delivers at least once.
          const messages = left.slice(from, from + WAKE_UPS_PER_BATCH).map((organizationId) => {
            return { id: organizationId, body: { organizationId }, ack() {}, retry() {} }
          })
          const batch = { messages } as never
          await Promise.all([consume(batch), consume(batch)])
        }
        later(61)
        left = await waiting()
      }

      expect(await waiting()).toEqual([])
      const rows = await all<{ id: string }>(
        `SELECT id FROM seatgate_audit_events
         WHERE organization_id IN (SELECT value FROM json_each('${JSON.stringify(ids)}'))`
      )
      expect(rows).toHaveLength(organizations * EVENTS_EACH)
      expect([...stored].toSorted()).toEqual(rows.map(({ id }) => id).toSorted())
      for (const id of ids) expect(order.get(id)).toEqual(upTo(EVENTS_EACH))
      // Many at once are few deliveries in a share of the storm, too few for a rate.
      expect(calls.failed / calls.all).toBeGreaterThan(WHOLE || !together ? 0.25 : 0)
      expect(calls.repeats).toBeGreaterThan(0)
      expect(await gapsAndRepeats(sink.id)).toEqual([])
      if (WHOLE) console.log(how, JSON.stringify({ ...calls, rounds, ...deaths }))
      expect(Math.min(deaths.before, deaths.after)).toBeGreaterThan(0)
      expect(await all('SELECT * FROM seatgate_sink_dead_letters')).toEqual([])
    },
    PATIENCE_MS
  )
})
