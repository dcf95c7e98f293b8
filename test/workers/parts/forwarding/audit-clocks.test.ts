import { beforeEach, describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  replaySink,
  type AuditEvent,
  type Sink,
} from '../../../../src/index.ts'
import {
  addEvents,
  attemptsOf,
  byOperator,
  clocked,
  cursorOf,
  delivered,
  heldSink,
  isInOutbox,
  lettersOf,
  organizationWith,
  rename,
  retry,
  sinkOf,
  upTo,
  seeded,
  freshStores,
  unwrap,
  atScale,
} from '../../../kit/index.ts'

beforeEach(freshStores)

const HOUR = 3600
const YEAR = 365 * 24 * HOUR

/** A forwarder with a clock of its own, which differs by so many seconds from this one's. */
function elsewhere(sinks: readonly Sink[], clock: { readonly now: number }, seconds: number) {
  return clocked(sinks, { now: () => new Date(clock.now + seconds * 1000) }).seatgate
}

/** An organization of three events whose first one somebody has been delivering ever since. */
async function abandoned() {
  const sink = heldSink('slow')
  const made = clocked([sink])
  const id = await organizationWith(made.seatgate, 1)
  void forwardOrganization(made.seatgate, id)
  await sink.entered
  return { ...made, sink, id }
}

/** What a receiver has after it has thrown away what it had before. */
function firstOf(events: readonly AuditEvent[]): number[] {
  return [...new Set(events.map(({ sequence }) => sequence))]
}

describe('a clock that runs back', () => {
  it('loses no event, and the order is that of the commits', async () => {
    const sink = sinkOf('memory')
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    later(-3600)
    await rename(seatgate, id, 'Earlier')
    await forwardOrganization(seatgate, id)
    later(-3600)
    await rename(seatgate, id, 'Earlier still')
    await forwardOrganization(seatgate, id)
    expect(sink.taken.map(({ sequence }) => sequence)).toEqual(upTo(4))
    const times = sink.taken.map(({ occurredAt }) => occurredAt)
    expect(times).not.toEqual(times.toSorted())
    expect(await isInOutbox(id)).toBe(false)
  })

  it.each([
    ['an hour', -HOUR],
    ['a year', -YEAR],
  ])('by %s leaves no lease with a forwarder that died', async (_what, seconds) => {
    const { sink, seatgate, later, id } = await abandoned()
    later(seconds)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.sequences()).toEqual(upTo(3))
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 3, lease: null })
  })

  it('by less than a lease can differ leaves it to its holder, until it ends', async () => {
    const { sink, seatgate, later, id } = await abandoned()
    later(-240)
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    later(240 + 60)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.sequences()).toEqual(upTo(3))
  })

  it('does not prevent a replay that a lease of then would forbid', async () => {
    const { sink, seatgate, later, id } = await abandoned()
    const replay = () => replaySink(seatgate, byOperator(id), 'slow', { fromSequence: 1 })
    expect(await replay()).toMatchObject({ error: { code: 'operation_in_progress' } })
    later(-YEAR)
    unwrap(await replay())
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(upTo(4))
  })

  it.each([
    ['an hour', 1, 24],
    ['six hours', 6, 0],
    ['a year', 365 * 24, 0],
  ])('by %s lets a sink rest no longer than it ever does', async (_what, back, rest) => {
    const busy = { outcome: 'retry', reason: 'busy', afterSeconds: 23 * HOUR } as const
    const sink = sinkOf('busy', (_event, attempt) => (attempt === 1 ? busy : delivered))
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    later(-back * HOUR)
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(rest === 0 ? [1, 2] : [])
    later(rest * HOUR)
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual([1, 2])
  })

  it('is not assumed if a sink waits for its longest time', async () => {
    const sink = sinkOf('down', () => retry)
    const patient = { ...sink, retryHours: 1000 }
    const { seatgate, later } = clocked([patient], { random: () => 0.999 })
    const id = await organizationWith(seatgate)
    let seconds: number | null = 0
    for (let failures = 1; failures <= 18; failures++) {
      later(seconds ?? 0)
      seconds = await forwardOrganization(seatgate, id)
    }
    expect(seconds).toBeGreaterThan(14.9 * HOUR)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toHaveLength(18)
  })

  it.each([
    ['an hour', -HOUR],
    ['a year', -YEAR],
  ])('by %s gives an event its hours again, and no more', async (_what, seconds) => {
    const { seatgate, later } = clocked([sinkOf('down', () => retry)])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    later(seconds)
    let hours = 0
    for (; (await lettersOf(seatgate, id, 'down')).length === 0; hours++) {
      expect(hours).toBeLessThan(100)
      later(HOUR)
      await forwardOrganization(seatgate, id)
    }
    // The last attempt comes when the time is up, and is seen within the hour.
    expect(hours).toBeGreaterThanOrEqual(75)
    expect(hours).toBeLessThanOrEqual(77)
    const [letter] = await lettersOf(seatgate, id, 'down')
    expect(letter?.slice(0, 3)).toEqual([1, 'dead', 'exhausted: down'])
  })
})

describe('two consumers with different clocks', () => {
  it.each([
    ['by four minutes ahead', 240],
    ['by half a minute behind', -30],
  ])('%s: one delivers, and the other retries', async (_what, seconds) => {
    const sink = heldSink('slow')
    const { seatgate, clock } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    const first = forwardOrganization(elsewhere([sink], clock, seconds), id)
    await sink.entered
    expect(await forwardOrganization(seatgate, id)).toBe(1)
    sink.letGo()
    await first
    expect(sink.attempts).toEqual(upTo(4))
  })

  it.each([
    ['ahead by more than a lease can be', YEAR],
    ['ahead by six minutes', 360],
    ['behind by more than a lease lasts', -61],
    ['behind by a year', -YEAR],
  ])('%s: some arrive twice, in order, and no event is lost', async (_what, seconds) => {
    const sink = heldSink('slow')
    const { seatgate, clock } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    const first = forwardOrganization(elsewhere([sink], clock, seconds), id)
    await sink.entered
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    sink.letGo()
    await first
    expect(sink.attempts).toEqual([1, ...upTo(4), 2, 3, 4])
    expect(firstOf(sink.taken)).toEqual(upTo(4))
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 4, lease: null })
    // Whoever had lost the lease has put nothing on record.
    expect(await attemptsOf(seatgate, id, 'slow')).toEqual([[1, 4, 'delivered', null, 1]])
  })

  it.each(upTo(atScale({ share: 4, thorough: 12 })))(
    'by anything, and jump: each event at least once, in order (%i)',
    async (seed) => {
      const random = seeded(seed * 7919)
      const stormy = sinkOf('stormy', async () => {
        await Promise.resolve()
        return random() < 0.2 ? retry : delivered
      })
      // By a clock that is a year ahead its time would be up, and a dead letter lets others pass.
      const sink = { ...stormy, retryHours: 1_000_000 }
      const { seatgate, clock } = clocked([sink])
      const id = await organizationWith(seatgate)
      await addEvents(id, 150)
      const offsets = [0, 0, 0]
      const consumers = offsets.map(
        (_zero, index) =>
          clocked([sink], { now: () => new Date(clock.now + offsets[index]! * 1000) }).seatgate
      )
      const jumps = [30, 90, 400, HOUR, 20 * HOUR, YEAR]
      for (let rounds = 1; rounds <= 40; rounds++) {
        clock.now += Math.floor(random() * 120_000)
        if (random() < 0.3) {
          const jump = jumps[Math.floor(random() * jumps.length)]!
          offsets[Math.floor(random() * offsets.length)] = random() < 0.5 ? jump : -jump
        }
        const woken = consumers.filter(() => random() < 0.7)
        await Promise.all(woken.map((consumer) => forwardOrganization(consumer, id)))
      }
      // Once the clocks agree again it comes to its end.
      for (let runs = 1; runs <= 200 && (await isInOutbox(id)); runs++) {
        clock.now += 16 * HOUR * 1000
        await forwardOrganization(seatgate, id)
      }
      expect(firstOf(sink.taken)).toEqual(upTo(152))
      expect(await cursorOf(id, 'stormy')).toMatchObject({ sequence: 152, lease: null })
      expect(await lettersOf(seatgate, id, 'stormy')).toEqual([])
    }
  )
})
