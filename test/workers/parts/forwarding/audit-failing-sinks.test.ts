import { afterEach, describe, expect, it, vi } from 'vitest'
import { forwardOrganization, type Delivery, type Sink } from '../../../../src/index.ts'
import {
  clocked,
  cursorOf,
  delivered,
  isInOutbox,
  organizationWith,
  retry,
  sinkOf,
  upTo,
} from '../../../kit/index.ts'

describe('a sink that fails', () => {
  it('is tried again later and later, loses no event and keeps the order [FWD-29 FWD-32]', async () => {
    const sink = sinkOf('flaky', (_event, attempt) => (attempt <= 3 ? retry : delivered))
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    const waits: (number | null)[] = []
    for (const seconds of [0, 1, 2, 4]) {
      later(seconds)
      waits.push(await forwardOrganization(seatgate, id))
      if (waits.length < 4) {
        const cursor = { sequence: 0, attempts: waits.length, error: 'down', lease: null }
        expect(await cursorOf(id, 'flaky')).toEqual(cursor)
        expect(await isInOutbox(id)).toBe(true)
      }
    }
    expect(waits).toEqual([1, 2, 4, null])
    expect(sink.attempts).toEqual([1, 1, 1, ...upTo(4)])
    expect(sink.sequences()).toEqual(upTo(4))
    expect(await cursorOf(id, 'flaky')).toEqual({
      sequence: 4,
      attempts: 0,
      error: null,
      lease: null,
    })
    expect(await isInOutbox(id)).toBe(false)
  })

  it('is not called before its next attempt is due', async () => {
    const sink = sinkOf('flaky', () => retry)
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    later(0.999)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual([1])
    later(0.001)
    expect(await forwardOrganization(seatgate, id)).toBe(2)
    expect(sink.attempts).toEqual([1, 1])
  })

  it('spreads its return by up to a quarter, and never waits more than 15 hours', async () => {
    const sink = { ...sinkOf('dead', () => retry), retryHours: Infinity }
    const { seatgate, later } = clocked([sink], { random: () => 0.8 })
    const id = await organizationWith(seatgate)
    const waits: number[] = []
    for (let attempt = 1; attempt <= 20; attempt++) {
      const wait = (await forwardOrganization(seatgate, id)) ?? 0
      waits.push(wait)
      later(wait)
    }
    expect(waits.slice(0, 3)).toEqual([1.2, 2.4, 4.8])
    expect(waits.at(-1)).toBeCloseTo(12 * 3600 * 1.2)
    expect(sink.attempts).toEqual(upTo(20).fill(1))
  })

  it('waits as long as the sink asks for, if that is longer [FWD-33]', async () => {
    const sink = sinkOf('busy', () => ({ ...retry, afterSeconds: 90 }))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBe(90)
  })

  it('keeps events that it took before it failed', async () => {
    const sink = sinkOf('flaky', ({ sequence }, attempt) =>
      sequence === 3 && attempt === 3 ? retry : delivered
    )
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 3)
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    expect(await cursorOf(id, 'flaky')).toMatchObject({ sequence: 2, attempts: 1 })
    later(1)
    await forwardOrganization(seatgate, id)
    expect(sink.attempts).toEqual([1, 2, 3, 3, 4, 5])
    expect(sink.sequences()).toEqual(upTo(5))
  })

  it('counts its failures again for the next event', async () => {
    const sink = sinkOf('flaky', (_event, attempt) => (attempt === 3 ? delivered : retry))
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    const waits: (number | null)[] = []
    for (const seconds of [0, 1, 2]) {
      later(seconds)
      waits.push(await forwardOrganization(seatgate, id))
    }
    expect(sink.attempts).toEqual([1, 1, 1, 2])
    expect(waits).toEqual([1, 2, 1])
    expect(await cursorOf(id, 'flaky')).toMatchObject({ sequence: 1, attempts: 1 })
  })

  it('holds back no other sink, and no other organization [FWD-22]', async () => {
    const [dead, alive] = [sinkOf('dead', () => retry), sinkOf('alive')]
    const { seatgate } = clocked([dead, alive])
    const [one, two] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    await forwardOrganization(seatgate, one)
    await forwardOrganization(seatgate, two)
    expect(dead.attempts).toEqual([1, 1])
    expect(alive.attempts).toEqual([1, 2, 1, 2])
    expect([await isInOutbox(one), await isInOutbox(two)]).toEqual([true, true])
  })

  it.each([
    ['throws', () => Promise.reject(new Error('boom')), 'error'],
    [
      'throws at once',
      () => {
        throw new Error('boom')
      },
      'error',
    ],
    ['rejects with nothing', () => Promise.reject(), 'error'],
    ['answers nothing', () => undefined, 'invalid_answer'],
    ['answers null', () => null, 'invalid_answer'],
    ['answers true', () => true, 'invalid_answer'],
    ['answers a text', () => 'delivered', 'invalid_answer'],
    ['answers an unknown outcome', () => ({ outcome: 'ok' }), 'invalid_answer'],
    ['gives no reason', () => ({ outcome: 'retry' }), null],
  ])('%s: that is no delivery [FWD-30]', async (_what, answer, reason) => {
    const sink = sinkOf('odd', answer as () => Delivery)
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    expect(await cursorOf(id, 'odd')).toMatchObject({ sequence: 0, attempts: 1, lease: null })
    if (reason !== null) expect(await cursorOf(id, 'odd')).toMatchObject({ error: reason })
  })

  it.each([
    ['a delay that is no number', { ...retry, afterSeconds: 'soon' }, 1],
    ['a delay of NaN', { ...retry, afterSeconds: Number.NaN }, 1],
    ['a delay without end', { ...retry, afterSeconds: Number.POSITIVE_INFINITY }, 86_400],
    ['a negative delay', { ...retry, afterSeconds: -5 }, 1],
    ['a reason that is no text', { ...retry, reason: { status: 500 } }, 1],
  ])('%s does not stop it from being tried again [FWD-30]', async (_what, answer, seconds) => {
    const sink = sinkOf('odd', () => answer as unknown as Delivery)
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBe(seconds)
    expect(await cursorOf(id, 'odd')).toMatchObject({ sequence: 0, attempts: 1, lease: null })
  })

  it('is a sink that fails if its filter throws; others get their events [FWD-30]', async () => {
    const broken: Sink = {
      ...sinkOf('broken'),
      accepts: () => {
        throw new Error('boom')
      },
    }
    const fine = sinkOf('fine')
    const { seatgate } = clocked([broken, fine])
    const id = await organizationWith(seatgate)
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    expect(fine.attempts).toEqual([1, 2])
    expect(await cursorOf(id, 'broken')).toMatchObject({ attempts: 1, error: 'error', lease: null })
  })

  it('reports a throw with the organization it belongs to', async () => {
    const { seatgate, reports } = clocked([sinkOf('odd', () => Promise.reject(new Error('boom')))])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    expect(reports).toEqual([
      { event: 'delivery_failed', organizationId: id, error: expect.any(Error) },
    ])
  })
})

describe('a sink that hangs', () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  it('is given 15 seconds and then tried again later [FWD-30]', async () => {
    const started = Promise.withResolvers<void>()
    const sink = sinkOf('silent', () => {
      started.resolve()
      return new Promise<never>(() => {})
    })
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    let settled = false
    const run = forwardOrganization(seatgate, id).finally(() => (settled = true))
    await started.promise
    await vi.advanceTimersByTimeAsync(14_999)
    expect(settled).toBe(false)
    await vi.advanceTimersByTimeAsync(1)
    expect(await run).toBe(1)
    vi.useRealTimers()
    later(15)
    expect(await cursorOf(id, 'silent')).toEqual({
      sequence: 0,
      attempts: 1,
      error: 'timeout',
      lease: null,
    })
  })
})
