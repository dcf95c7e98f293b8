import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  requeueDeadLetters,
  sweepAudit,
  type Seatgate,
  type Sink,
  type WakeUp,
} from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import {
  type FlatOptions,
  addEvents,
  byOperator,
  clocked,
  cursorOf,
  delivered,
  lettersOf,
  organizationWith,
  permanent,
  sinkOf,
  upTo,
  freshStores,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'

/** A sink that takes so many seconds for each answer, by a clock that stands still otherwise. */
function slowly(seconds: number, options: Partial<FlatOptions> = {}, more: Partial<Sink> = {}) {
  const sink = sinkOf('slow', () => {
    kit.later(seconds)
    return kit.answer()
  })
  const kit = {
    sink,
    answer: () => delivered,
    ...clocked([{ ...sink, ...more }], options),
  }
  return kit
}

/** What becomes of wake-ups for these organizations: the seconds after which they return, or `acked`. */
async function consume(seatgate: Seatgate, ids: readonly string[]) {
  const outcomes: (number | string)[] = []
  const messages = ids.map((organizationId, index) => ({
    id: `message-${index}`,
    body: { organizationId },
    ack: () => (outcomes[index] = 'acked'),
    retry: ({ delaySeconds }: { delaySeconds: number }) => (outcomes[index] = delaySeconds),
  }))
  await auditQueueHandler(seatgate)({ messages } as never)
  return outcomes
}

const rememberingQueue = () => {
  const sent: string[] = []
  const send = async ({ organizationId }: WakeUp) => void sent.push(organizationId)
  return { sent, queue: { send, sendBatch: async () => {} } }
}

describe('a run for a sink that is slow', () => {
  it('begins no delivery after ten seconds, gives its lease back and is to go on at once', async () => {
    const { seatgate, sink, clock } = slowly(9)
    const id = await organizationWith(seatgate, 3)
    const began = clock.now
    expect(await forwardOrganization(seatgate, id)).toBe(0)
    expect((clock.now - began) / 1000).toBe(18)
    expect(sink.attempts).toEqual([1, 2])
    const cursor = { sequence: 2, attempts: 0, error: null, lease: null }
    expect(await cursorOf(id, 'slow')).toEqual(cursor)
    expect(await forwardOrganization(seatgate, id)).toBe(0)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual(upTo(5))
  })

  it('counts its seconds over all that it reads', async () => {
    const { seatgate, sink } = slowly(0.06)
    const id = await organizationWith(seatgate)
    await addEvents(id, 248)
    expect(await forwardOrganization(seatgate, id)).toBe(0)
    expect(sink.attempts).toEqual(upTo(167))
  })

  it('waits no longer than its deliveries require while its backlog is slowed down', async () => {
    const { seatgate, sink } = slowly(4, {}, { eventsPerMinute: 10 })
    const id = await organizationWith(seatgate, 10)
    // Three events, for which it has 18 seconds: 12 of them are over.
    expect(await forwardOrganization(seatgate, id)).toBe(6)
    expect(sink.attempts).toEqual([1, 2, 3])
  })

  it('retries dead letters in half of its time, so that new events pass', async () => {
    const kit = slowly(3)
    const { seatgate, sink } = kit
    const id = await organizationWith(seatgate, 2)
    kit.answer = () => permanent as never
    await forwardOrganization(seatgate, id)
    kit.answer = () => delivered
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'slow', {}))
    sink.attempts.length = 0
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    expect(sink.attempts).toEqual([1, 2, 5])
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual([1, 2, 5, 3, 4])
    const states = (await lettersOf(seatgate, id, 'slow')).map(([, state]) => state)
    expect(states).toEqual(upTo(4).fill('delivered' as never))
  })

  it('is over soon, and others are served beside it [FWD-27]', async () => {
    const { sent, queue } = rememberingQueue()
    const othersServed = Promise.withResolvers<void>()
    let left = 4
    const sink = sinkOf('slow', async ({ organizationId }) => {
      if (organizationId === slow) {
        await othersServed.promise
        later(9)
      } else if (--left === 0) othersServed.resolve()
      return delivered
    })
    const { seatgate, clock, later } = clocked([sink], { queue })
    const slow = await organizationWith(seatgate, 30)
    const others = [await organizationWith(seatgate), await organizationWith(seatgate)]
    const began = clock.now
    sent.length = 0
    const outcomes = await consume(seatgate, [slow, slow, ...others])
    expect((clock.now - began) / 1000).toBe(18)
    // Not sent back, which can be done so many times only, but sent anew, once.
    expect(outcomes).toEqual(Array.from({ length: 4 }, () => 'acked'))
    expect(sent).toEqual([slow])
    expect(await cursorOf(slow, 'slow')).toMatchObject({ sequence: 2, attempts: 0 })
    for (const id of others) expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 2 })
  })

  it('is sent back to the queue where a new wake-up cannot be sent', async () => {
    const send = () => Promise.reject(new Error('overloaded'))
    const { seatgate, reports } = slowly(9, { queue: { send, sendBatch: async () => {} } })
    const id = await organizationWith(seatgate, 3)
    reports.length = 0
    expect(await consume(seatgate, [id])).toEqual([10])
    expect(reports).toMatchObject([{ event: 'forwarding_failed', organizationId: id }])
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 2, lease: null })
  })
})

describe('an invocation that may ask a thousand times', () => {
  const ORGANIZATIONS = 12
  const EVENTS = 100

  it.each(['the queue', 'the sweep'])(
    'counts as no failure of a sink, and continues in the next one, by %s [FWD-27]',
    async (by) => {
      let asked = 0
      const sink = sinkOf('log', () => {
        asked += 1
        if (asked > 1000) throw new Error('Too many subrequests.')
        return delivered
      })
      const { sent, queue } = rememberingQueue()
      const { seatgate, reports } = clocked([sink], by === 'the queue' ? { queue } : {})
      // The sweep looks at the trails of others too.
      await freshStores()
      const ids: string[] = []
      for (let each = 0; each < ORGANIZATIONS; each++) {
        const id = await organizationWith(seatgate)
        await addEvents(id, EVENTS - 2)
        ids.push(id)
      }
      let invocations = 0
      for (let waiting = ids; waiting.length > 0; invocations++) {
        asked = 0
        sent.length = 0
        if (by === 'the queue') await consume(seatgate, waiting)
        else await sweepAudit(seatgate)
        expect(asked).toBeLessThanOrEqual(500)
        const { results } = await testEnv.DB.prepare(
          'SELECT organization_id AS id FROM seatgate_audit_outbox'
        ).all<{ id: string }>()
        waiting = results.map(({ id }) => id)
        if (by === 'the queue') expect(sent.toSorted()).toEqual(waiting.toSorted())
      }
      expect(invocations).toBe(3)
      expect(reports).toEqual([])
      for (const id of ids) {
        expect(await cursorOf(id, 'log')).toMatchObject({ sequence: EVENTS, attempts: 0 })
      }
      expect(sink.attempts).toHaveLength(ORGANIZATIONS * EVENTS)
    }
  )
})
