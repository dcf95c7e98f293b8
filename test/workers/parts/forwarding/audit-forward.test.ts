import { drizzle } from 'drizzle-orm/d1'
import { describe, expect, it } from 'vitest'
import { aroundDatabase, type Around } from '../../../../bench/meter.ts'
import { forwardOrganization } from '../../../../src/index.ts'
import {
  addEvents,
  clocked,
  cursorOf,
  delivered,
  heldSink,
  isInOutbox,
  organizationWith,
  owners,
  rename,
  retry,
  sinkOf,
  upTo,
  testEnv,
} from '../../../kit/index.ts'

describe('forwarding', () => {
  it('delivers in order, moves the cursor, and clears the outbox at the end [FWD-27]', async () => {
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 3)
    expect(await isInOutbox(id)).toBe(true)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual(upTo(5))
    expect(await cursorOf(id, 'memory')).toEqual({
      sequence: 5,
      attempts: 0,
      error: null,
      lease: null,
    })
    expect(await isInOutbox(id)).toBe(false)
  })

  it('delivers no event twice, and continues where it stopped', async () => {
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    await forwardOrganization(seatgate, id)
    await rename(seatgate, id, 'New')
    expect(await isInOutbox(id)).toBe(true)
    await forwardOrganization(seatgate, id)
    expect(sink.attempts).toEqual([1, 2, 3])
  })

  it('hands over the event as readers see it [FWD-18]', async () => {
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(sink.taken[0]).toEqual({
      id: expect.any(String),
      organizationId: id,
      sequence: 1,
      action: 'organization.create',
      outcome: 'success',
      actorType: 'user',
      actorId: owners.get(id),
      effectiveUserId: owners.get(id),
      targetType: 'organization',
      targetId: id,
      metadata: {},
      requestId: null,
      traceId: null,
      causeEventId: null,
      idempotencyKey: null,
      personalDigest: null,
      personal: null,
      insertedAt: expect.stringMatching(/Z$/),
      schemaVersion: 1,
      occurredAt: expect.stringMatching(/Z$/),
    })
  })

  it('passes over events that a sink does not accept [FWD-24]', async () => {
    const picky = { ...sinkOf('picky'), accepts: (action: string) => action.endsWith('.rename') }
    const { seatgate } = clocked([picky])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    expect(picky.attempts).toEqual([3, 4])
    expect(await cursorOf(id, 'picky')).toMatchObject({ sequence: 4 })
    expect(await isInOutbox(id)).toBe(false)
  })

  it('delivers more events than one read or one run takes', async () => {
    const sink = sinkOf('memory')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await addEvents(id, 1400)
    let runs = 0
    for (let wait: number | null = 0; wait !== null; runs++) {
      wait = await forwardOrganization(seatgate, id)
      if (wait !== null) {
        expect(wait).toBe(0)
        expect(await isInOutbox(id)).toBe(true)
      }
    }
    expect(runs).toBe(3)
    expect(sink.attempts).toEqual(upTo(1402))
    expect(await isInOutbox(id)).toBe(false)
  })

  it('keeps an event that is written while the last one is on its way', async () => {
    const sink = sinkOf('memory', async ({ sequence, organizationId }) => {
      if (sequence === 2) await rename(seatgate, organizationId, 'Meanwhile')
      return delivered
    })
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(sink.attempts).toEqual([1, 2])
    expect(await isInOutbox(id)).toBe(true)
    await forwardOrganization(seatgate, id)
    expect(sink.attempts).toEqual([1, 2, 3])
  })

  it('costs no call where there is no sink [FWD-1]', async () => {
    const { seatgate } = clocked([])
    const id = await organizationWith(seatgate)
    expect(await isInOutbox(id)).toBe(false)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
  })
})

describe('two forwarders at once', () => {
  it('one delivers, and the other retries in a second; no event is delivered twice [FWD-26]', async () => {
    const sink = heldSink('slow')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    const first = forwardOrganization(seatgate, id)
    await sink.entered
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    expect(sink.attempts).toEqual([1])
    sink.letGo()
    expect(await first).toBeNull()
    expect(sink.attempts).toEqual(upTo(4))
  })

  it('reads no event where it may not deliver, as D1 counts', async () => {
    const failing = sinkOf('failing', () => retry)
    const { around, events } = countingEvents()
    const { seatgate } = clocked([failing], {
      database: drizzle(aroundDatabase(testEnv.DB, around)),
    })
    const id = await organizationWith(seatgate, 3)
    await forwardOrganization(seatgate, id)
    expect(events()).toBe(5)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(events()).toBe(5)
  })

  it('holds for ten that start together [FWD-26]', async () => {
    let under = 0
    let most = 0
    const sink = sinkOf('slow', async () => {
      most = Math.max(most, ++under)
      await Promise.resolve()
      under -= 1
      return delivered
    })
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 5)
    await Promise.all(upTo(10).map(() => forwardOrganization(seatgate, id)))
    await forwardOrganization(seatgate, id)
    expect(most).toBe(1)
    expect(sink.attempts).toEqual(upTo(7))
  })

  it('lets another run take over after a lease, and the former holder makes no change', async () => {
    const sink = heldSink('slow', retry)
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 1)
    const crashed = forwardOrganization(seatgate, id)
    await sink.entered
    later(59.999)
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    later(0.001)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    const cursor = { sequence: 3, attempts: 0, error: null, lease: null }
    expect(await cursorOf(id, 'slow')).toEqual(cursor)
    sink.letGo()
    await crashed
    expect(await cursorOf(id, 'slow')).toEqual(cursor)
  })
})

describe('the outbox', () => {
  it('keeps an organization until every sink is at the end', async () => {
    const late = sinkOf('late', (_event, attempt) => (attempt === 1 ? retry : delivered))
    const { seatgate, later } = clocked([sinkOf('prompt'), late])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(await isInOutbox(id)).toBe(true)
    later(1)
    await forwardOrganization(seatgate, id)
    expect(await isInOutbox(id)).toBe(false)
  })

  it('does not wait for the cursor of a sink that is no longer configured', async () => {
    const { seatgate } = clocked([sinkOf('gone', () => retry), sinkOf('stays')])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    await forwardOrganization(clocked([sinkOf('stays')]).seatgate, id)
    expect(await isInOutbox(id)).toBe(false)
  })
})

/** Counts the events that D1 has answered. */
function countingEvents() {
  let count = 0
  const around: Around = async ({ asked }, run) => {
    const answer = await run()
    const answers = answer as readonly D1Result[]
    asked.forEach((sql, index) => {
      if (sql.startsWith('select') && sql.includes('from "seatgate_audit_events"')) {
        count += answers[index]!.results.length
      }
    })
    return answer
  }
  return { around, events: () => count }
}
