import {
  refitted,
  db,
  clocked,
  delivered,
  isInOutbox,
  organizationWith,
  retry,
  sinkOf,
  upTo,
  testEnv,
} from '../../../kit/index.ts'
import { createExecutionContext, createMessageBatch, getQueueResult } from 'cloudflare:test'
import { describe, expect, it } from 'vitest'
import { sweepAudit, type Seatgate, type Sink, type WakeUp } from '../../../../src/index.ts'
import { auditQueueHandler, sweepHandler } from '../../../../src/worker/index.ts'

describe('the sweep', () => {
  it('delivers events after a lost wake-up [FWD-14 FWD-16]', async () => {
    await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
    const sink = sinkOf('memory')
    const lost = { send: async () => {}, sendBatch: async () => {} }
    const { seatgate } = clocked([sink], { queue: lost })
    const id = await organizationWith(seatgate, 1)
    expect(sink.attempts).toEqual([])
    await sweepAudit({ ...seatgate, queue: null })
    expect(sink.sequences()).toEqual(upTo(3))
    expect(await isInOutbox(id)).toBe(false)
  })

  it('wakes every organization that waits, over the queue if there is one', async () => {
    const sent: WakeUp[] = []
    const queue = {
      send: async () => {},
      sendBatch: async (messages: readonly { readonly body: WakeUp }[]) => {
        expect(messages.length).toBeLessThanOrEqual(100)
        sent.push(...messages.map(({ body }) => body))
      },
    }
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink], { queue })
    const ids = [await organizationWith(seatgate), await organizationWith(seatgate)]
    await sweepHandler(seatgate)()
    expect(sent.map(({ organizationId }) => organizationId)).toEqual(expect.arrayContaining(ids))
    expect(sink.attempts).toEqual([])
  })

  it('serves every other organization if one of them fails', async () => {
    await testEnv.DB.exec('DELETE FROM seatgate_audit_outbox')
    const sink = sinkOf('memory')
    const { seatgate, reports, later } = clocked([sink])
    const bad = await organizationWith(seatgate)
    later(1)
    const good = await organizationWith(seatgate)
    const picky: Sink = {
      id: 'picky',
      accepts: () => true,
      deliver: async (event) => (event.organizationId === bad ? retry : delivered),
    }
    await sweepAudit(refitted(seatgate, { sinks: [picky, sink] }))
    expect(sink.taken.map(({ organizationId }) => organizationId)).toContain(good)
    expect([await isInOutbox(bad), await isInOutbox(good)]).toEqual([true, false])
    expect(reports).toEqual([])
  })

  it('does not throw while D1 does not answer, and reports each of its parts', async () => {
    const down = new Proxy(db, {
      get: (target, key) =>
        key === 'batch'
          ? () => Promise.reject(new Error('reset'))
          : Reflect.get(target, key, target),
    })
    const { seatgate, reports } = clocked([sinkOf('memory')], { database: down })
    await expect(sweepHandler(seatgate)()).resolves.toBeUndefined()
    // Seven sweeps, and the record of the run.
    expect(reports).toMatchObject(Array.from({ length: 8 }, () => ({ event: 'sweep_failed' })))
  })
})

describe('the queue handler', () => {
  const run = async (seatgate: Seatgate, bodies: readonly unknown[]) => {
    const messages = bodies.map((body, index) => ({
      id: `message-${index}`,
      timestamp: new Date(),
      attempts: 1,
      body,
    }))
    const batch = createMessageBatch('seatgate-audit', messages)
    const context = createExecutionContext()
    await auditQueueHandler(seatgate)(batch)
    const { explicitAcks, retryMessages } = await getQueueResult(batch, context)
    return { acked: explicitAcks.sort(), retried: retryMessages.map(({ msgId }) => msgId) }
  }

  it('acknowledges and reports junk, and processes the other messages [FWD-36]', async () => {
    const sink = sinkOf('memory')
    const { seatgate, reports } = clocked([sink])
    const id = await organizationWith(seatgate)
    const junk = [null, 7, 'text', [], {}, { organizationId: '' }, { organizationId: 7 }, { id }]
    const result = await run(seatgate, [...junk, { organizationId: id }])
    expect(result).toEqual({ acked: upTo(9).map((n) => `message-${n - 1}`), retried: [] })
    expect(reports).toEqual(
      junk.map((_, index) => ({ event: 'queue_message_invalid', error: `message-${index}` }))
    )
    expect(sink.attempts).toEqual([1, 2])
  })

  it('sends the wake-up of a failing sink back, and acknowledges the others', async () => {
    const sink = sinkOf('picky', ({ organizationId }) =>
      organizationId === bad ? retry : delivered
    )
    const { seatgate } = clocked([sink])
    const bad = await organizationWith(seatgate)
    const good = await organizationWith(seatgate)
    const result = await run(seatgate, [{ organizationId: bad }, { organizationId: good }])
    expect(result).toEqual({ acked: ['message-1'], retried: ['message-0'] })
  })

  it('delivers once for two wake-ups of one organization in a batch', async () => {
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink])
    const organizationId = await organizationWith(seatgate)
    const result = await run(seatgate, [{ organizationId }, { organizationId }])
    expect(result).toEqual({ acked: ['message-0', 'message-1'], retried: [] })
    expect(sink.attempts).toEqual([1, 2])
  })

  it('acknowledges an organization that there is not [FWD-35]', async () => {
    const { seatgate } = clocked([sinkOf('memory')])
    const result = await run(seatgate, [{ organizationId: 'no-such' }])
    expect(result).toEqual({ acked: ['message-0'], retried: [] })
  })

  it('sends everything back while D1 does not answer, and does not throw', async () => {
    const down = new Proxy(db, {
      get: (target, key) =>
        key === 'batch'
          ? () => Promise.reject(new Error('reset'))
          : Reflect.get(target, key, target),
    })
    const { seatgate, reports } = clocked([sinkOf('memory')], { database: down })
    const result = await run(seatgate, [{ organizationId: 'acme' }])
    expect(result).toEqual({ acked: [], retried: ['message-0'] })
    expect(reports).toMatchObject([{ event: 'forwarding_failed', organizationId: 'acme' }])
  })

  it('is woken by every change with ids only, which FWD-20 asks for', async () => {
    const sent: WakeUp[] = []
    const queue = { send: async (message: WakeUp) => sent.push(message), sendBatch: async () => {} }
    const { seatgate } = clocked([sinkOf('memory')], { queue })
    const organizationId = await organizationWith(seatgate, 1)
    expect(sent).toEqual([{ organizationId }, { organizationId }])
  })

  it('changes no answer when the queue is down', async () => {
    const queue = {
      send: () => Promise.reject(new Error('overloaded')),
      sendBatch: async () => {},
    }
    const { seatgate, reports } = clocked([sinkOf('memory')], { queue })
    const id = await organizationWith(seatgate)
    expect(await isInOutbox(id)).toBe(true)
    expect(reports).toMatchObject([{ event: 'background_failed', organizationId: id }])
  })
})
