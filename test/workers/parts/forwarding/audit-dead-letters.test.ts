import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  listDeadLetters,
  replaySink,
  requeueDeadLetters,
  sweepAudit,
} from '../../../../src/index.ts'
import {
  addEvents,
  sinkActionsOf,
  byOperator,
  clocked,
  delivered,
  heldSink,
  isInOutbox,
  lettersOf,
  organizationWith,
  permanent,
  rename,
  retry,
  sinkOf,
  upTo,
  testEnv,
  unwrap,
  codeOf,
} from '../../../kit/index.ts'

describe('a dead letter', () => {
  it('is an event that a sink refuses permanently, at once; later events pass [FWD-34 FWD-27]', async () => {
    const sink = sinkOf('picky', ({ sequence }) => (sequence === 2 ? permanent : delivered))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual(upTo(4))
    expect(sink.sequences()).toEqual([1, 3, 4])
    expect(await lettersOf(seatgate, id, 'picky')).toEqual([[2, 'dead', 'schema', 1]])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('is an event that was tried for 75 hours, the last time after them [FWD-32]', async () => {
    const sink = sinkOf('down', ({ sequence }) => (sequence === 1 ? retry : delivered))
    const { seatgate, later, clock } = clocked([sink])
    const id = await organizationWith(seatgate)
    const began = clock.now
    let waits = 0
    for (let wait: number | null = 0; wait !== null; waits++) {
      later(wait)
      wait = await forwardOrganization(seatgate, id)
      if (wait !== null) expect(wait).toBeGreaterThan(0)
    }
    expect((clock.now - began) / 3_600_000).toBeCloseTo(75, 5)
    expect(sink.attempts).toEqual([...upTo(waits).fill(1), 2])
    expect(waits).toBeGreaterThan(15)
    expect(await lettersOf(seatgate, id, 'down')).toEqual([[1, 'dead', 'exhausted: down', waits]])
  })

  it('is not delayed by a Retry-After [FWD-33]', async () => {
    const sink = sinkOf('slow', () => ({ ...retry, afterSeconds: 12 * 3600 }))
    const { seatgate, later, clock } = clocked([{ ...sink, retryHours: 1 }])
    const id = await organizationWith(seatgate)
    const began = clock.now
    expect(await forwardOrganization(seatgate, id)).toBe(3600)
    later(3600)
    await forwardOrganization(seatgate, id)
    expect(clock.now - began).toBe(3_600_000)
    expect((await lettersOf(seatgate, id, 'slow'))[0]).toEqual([1, 'dead', 'exhausted: down', 2])
  })

  it('is one sink’s and one organization’s own [FWD-22]', async () => {
    const [one, two] = [sinkOf('one', () => permanent), sinkOf('two')]
    const { seatgate } = clocked([one, two])
    const [a, b] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    await forwardOrganization(seatgate, a)
    expect(await lettersOf(seatgate, a, 'one')).toHaveLength(2)
    expect(await lettersOf(seatgate, a, 'two')).toEqual([])
    expect(await lettersOf(seatgate, b, 'one')).toEqual([])
    expect(two.sequences()).toEqual([1, 2])
  })

  it('is never written by a forwarder that lost the lease', async () => {
    const sink = heldSink('slow', permanent)
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    const late = forwardOrganization(seatgate, id)
    await sink.entered
    later(60)
    await forwardOrganization(seatgate, id)
    sink.letGo()
    await late
    expect(await lettersOf(seatgate, id, 'slow')).toEqual([])
  })

  it('of a page that is full stays as well [FWD-13]', async () => {
    const sink = sinkOf('picky', ({ sequence }) => (sequence % 50 === 0 ? permanent : delivered))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await addEvents(id, 248)
    await forwardOrganization(seatgate, id)
    expect((await lettersOf(seatgate, id, 'picky')).map(([sequence]) => sequence)).toEqual([
      50, 100, 150, 200, 250,
    ])
    expect(sink.sequences()).toHaveLength(245)
  })
})

describe('putting dead letters back', () => {
  const broken = () => {
    const state = { healed: false }
    const sink = sinkOf('log', ({ sequence }) =>
      sequence <= 2 && !state.healed ? permanent : delivered
    )
    return { ...clocked([sink]), sink, heal: () => void (state.healed = true) }
  }

  it('retries one on the same path, and is recorded with the operator [FWD-41 FWD-44]', async () => {
    const { seatgate, sink, heal } = broken()
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    const requeue = (sequence: number) =>
      requeueDeadLetters(seatgate, byOperator(id), 'log', { sequence })
    expect(unwrap(await requeue(1))).toEqual({ sink: 'log', events: 1 })
    // Nothing is queued twice, delivered or not.
    expect(codeOf(await requeue(1))).toBe('already_replayed')
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([
      [1, 'dead', 'schema', 2],
      [2, 'dead', 'schema', 1],
    ])
    heal()
    unwrap(await requeue(1))
    expect(await isInOutbox(id)).toBe(true)
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([
      [1, 'delivered', 'schema', 3],
      [2, 'dead', 'schema', 1],
    ])
    expect(sink.sequences()).toEqual([3, 1, 4])
    expect(codeOf(await requeue(1))).toBe('already_replayed')
    expect(codeOf(await requeue(3))).toBe('not_dead')
    expect(codeOf(await requeue(99))).toBe('not_found')
    const told = ['audit.requeue', 'operator', 'ops', { sink: 'log', events: 1, sequence: 1 }]
    expect(await sinkActionsOf(id)).toEqual([told, told])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('is dead again if a replay is refused after it was delivered [D2]', async () => {
    let refuses = true
    const sink = sinkOf('log', ({ sequence }) =>
      sequence === 2 && refuses ? { ...permanent, reason: 'again' } : delivered
    )
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    refuses = false
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'log', { sequence: 2 }))
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([[2, 'delivered', 'again', 2]])
    refuses = true
    unwrap(await replaySink(seatgate, byOperator(id), 'log', { fromSequence: 1 }))
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([[2, 'dead', 'again', 3]])
    // And so it can be put back once more.
    refuses = false
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'log', { sequence: 2 }))
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([[2, 'delivered', 'again', 4]])
  })

  it('of many counts them first, and retries a hundred at a time with a pause [FWD-43]', async () => {
    const state = { healed: false }
    const sink = sinkOf('log', () => (state.healed ? delivered : permanent))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await addEvents(id, 248)
    await forwardOrganization(seatgate, id)
    const all = (more: object) => requeueDeadLetters(seatgate, byOperator(id), 'log', more)
    expect(unwrap(await all({ dryRun: true })).events).toBe(250)
    expect(unwrap(await all({ dryRun: true, action: 'test.event' })).events).toBe(248)
    expect(await sinkActionsOf(id)).toEqual([])
    state.healed = true
    expect(unwrap(await all({ action: 'test.event' })).events).toBe(248)
    const answers: (number | null)[] = []
    while (answers.at(-1) !== null && answers.length < 5) {
      answers.push(await forwardOrganization(seatgate, id))
      // A wake-up that is lost loses nothing: the sweep finds what is left.
      expect(await isInOutbox(id)).toBe(answers.at(-1) !== null)
    }
    expect(answers).toEqual([1, 1, null])
    expect((await lettersOf(seatgate, id, 'log')).slice(0, 3).map(([, each]) => each)).toEqual([
      'dead',
      'dead',
      'delivered',
    ])
    expect(unwrap(await all({ dryRun: true })).events).toBe(2)
  })

  it('is taken up by the sweep, without a queue', async () => {
    const { seatgate, sink, heal } = broken()
    const id = await organizationWith(seatgate)
    await sweepAudit(seatgate)
    heal()
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'log', {}))
    await sweepAudit(seatgate)
    // A sink that is new gets what others have left here, too.
    const taken = sink.taken.filter(({ organizationId }) => organizationId === id)
    expect(taken.map(({ sequence }) => sequence).toSorted((a, b) => a - b)).toEqual([1, 2, 3])
  })

  it('of more than 10,000 needs force, and counts them without it [FWD-43]', async () => {
    const { seatgate } = broken()
    const id = await organizationWith(seatgate)
    const bury = (numbers: string) =>
      testEnv.DB.prepare(
        `INSERT INTO seatgate_sink_dead_letters
         SELECT ?1, 'log', value, ?1 || value, 'test.event', 'dead', 'schema', 1, 7, 7 FROM json_each(?2)`
      )
        .bind(id, numbers)
        .run()
    await bury(JSON.stringify(upTo(10_000)))
    const requeue = (more: object) => requeueDeadLetters(seatgate, byOperator(id), 'log', more)
    await bury('[10001]')
    expect(unwrap(await requeue({ dryRun: true })).events).toBe(10_001)
    expect(codeOf(await requeue({}))).toBe('too_many')
    expect(await sinkActionsOf(id)).toEqual([])
    expect(unwrap(await requeue({ force: true })).events).toBe(10_001)
    await bury('[10002]')
    expect(unwrap(await requeue({})).events).toBe(1)
  })

  it('of a purged event ends at once, and is dead again [FWD-35]', async () => {
    const { seatgate, sink } = broken()
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_sink_dead_letters VALUES (?, 'log', 99, 'gone', 'test.event', 'queued', 'schema', 1, 7, 7)`
    )
      .bind(id)
      .run()
    const before = sink.attempts.length
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toHaveLength(before)
    expect((await lettersOf(seatgate, id, 'log')).at(-1)).toEqual([99, 'dead', 'event_missing', 1])
    expect(await isInOutbox(id)).toBe(false)
  })
})

describe('dead letters of a time', () => {
  /** Those of sequence 1 and 2 died at midnight, 3 at one and 4 at two o’clock. */
  async function threeHours() {
    const sink = sinkOf('log', () => permanent)
    const { seatgate, clock, later } = clocked([sink])
    clock.now = Date.parse('2026-11-21T00:00:00.000Z')
    const id = await organizationWith(seatgate)
    for (const hour of [0, 1, 2]) {
      if (hour > 0) await rename(seatgate, id, `At ${hour}`)
      await forwardOrganization(seatgate, id)
      later(3600)
    }
    const at = (hour: number) => new Date(Date.UTC(2026, 10, 21, hour)).toISOString()
    const scope = byOperator(id)
    const listed = async (filters: object) =>
      unwrap(await listDeadLetters(seatgate, scope, 'log', filters)).data.map(
        ({ sequence }) => sequence
      )
    const requeue = (filters: object) => requeueDeadLetters(seatgate, scope, 'log', filters)
    return { seatgate, id, at, listed, requeue }
  }
  const justBefore = (time: string) => new Date(Date.parse(time) - 1)

  it('are listed, counted and put back, both ends included, and of an action in it [FWD-43]', async () => {
    const { seatgate, id, at, listed, requeue } = await threeHours()
    const cases: [object, number[]][] = [
      [{}, [1, 2, 3, 4]],
      [{ from: at(1) }, [3, 4]],
      [{ from: justBefore(at(1)), to: at(1) }, [3]],
      [{ to: justBefore(at(1)) }, [1, 2]],
      [{ from: at(0), to: at(1) }, [1, 2, 3]],
      [{ from: at(3) }, []],
      [{ from: at(2), to: at(1) }, []],
      [{ to: at(1), action: 'organization.create' }, [1]],
      [{ from: at(1), action: 'organization.create' }, []],
    ]
    for (const [filters, sequences] of cases) {
      expect(await listed(filters), JSON.stringify(filters)).toEqual(sequences)
      expect(unwrap(await requeue({ ...filters, dryRun: true })).events).toBe(sequences.length)
    }
    expect(unwrap(await requeue({ from: at(1), to: at(1) })).events).toBe(1)
    const states = (await lettersOf(seatgate, id, 'log')).map(([, state]) => state)
    expect(states).toEqual(['dead', 'dead', 'queued', 'dead'])
    // One that is named and does not match is not there for whoever asks so.
    expect(codeOf(await requeue({ sequence: 4, to: at(1) }))).toBe('not_found')
    expect(codeOf(await requeue({ sequence: 3, from: at(1) }))).toBe('already_replayed')
  })

  it('are listed by pages', async () => {
    const { seatgate, id, at } = await threeHours()
    const page = (more: object) =>
      listDeadLetters(seatgate, byOperator(id), 'log', {
        from: at(0),
        to: at(1),
        limit: 2,
        ...more,
      })
    const first = unwrap(await page({}))
    const second = unwrap(await page({ cursor: first.nextCursor }))
    const sequences = [first, second].map(({ data }) => data.map(({ sequence }) => sequence))
    expect(sequences).toEqual([[1, 2], [3]])
    expect(second.nextCursor).toBeNull()
  })

  it.each([['yesterday'], [7], [{}], ['2026-13-01']])(
    'are not those of %j, which is no time',
    async (time) => {
      const { seatgate, id, requeue } = await threeHours()
      for (const filters of [{ from: time }, { to: time }]) {
        expect(codeOf(await requeue(filters))).toBe('validation_error')
        const listed = await listDeadLetters(seatgate, byOperator(id), 'log', filters as never)
        expect(codeOf(listed)).toBe('validation_error')
      }
    }
  )
})
