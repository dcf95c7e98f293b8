import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  listDeadLetters,
  listSinks,
  replaySink,
  requeueDeadLetters,
  resumeSink,
  sweepAudit,
  type Delivery,
  type Metric,
  type Result,
  type Sink,
} from '../../src/index.ts'
import { anOperator, asUser, embedded } from './client.ts'
import {
  addEvents,
  clocked,
  cursorOf,
  delivered,
  isInOutbox,
  organizationWith,
  owners,
  rename,
  retry,
  sinkOf,
  upTo,
} from './forwarding.ts'
import { testEnv } from './setup.ts'

const permanent: Delivery = { outcome: 'permanent', reason: 'schema' }
const system = { type: 'system' } as const
const operator = { userId: 'ops', operator: true } as const

function value<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error))
  return result.value
}
const code = (result: Result<unknown>) => (result.ok ? 'ok' : result.error.code)
const scopeOf = (organization: string) => ({ caller: operator, organization })

async function lettersOf(
  seatgate: Parameters<typeof listDeadLetters>[0],
  id: string,
  sink: string
) {
  return value(await listDeadLetters(seatgate, scopeOf(id), sink)).data.map(
    ({ sequence, state, reason, attempts }) => [sequence, state, reason, attempts]
  )
}
const actionsOf = async (id: string) =>
  (
    await testEnv.DB.prepare(
      "SELECT action, actor_type, actor_id, metadata FROM audit_events WHERE organization_id = ? AND action LIKE 'audit.%' ORDER BY sequence"
    )
      .bind(id)
      .all<{ action: string; actor_type: string; actor_id: string; metadata: string }>()
  ).results.map(({ action, actor_type, actor_id, metadata }) => [
    action,
    actor_type,
    actor_id,
    JSON.parse(metadata),
  ])

describe('a dead letter', () => {
  it('FWD-34 FWD-27: is what a sink refuses for good, at once; later events pass', async () => {
    const sink = sinkOf('picky', ({ sequence }) => (sequence === 2 ? permanent : delivered))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual(upTo(4))
    expect(sink.sequences()).toEqual([1, 3, 4])
    expect(await lettersOf(seatgate, id, 'picky')).toEqual([[2, 'dead', 'schema', 1]])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('FWD-32: is what was tried for 75 hours, the last time when they are over', async () => {
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

  it('FWD-33: comes no later for a Retry-After', async () => {
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

  it('FWD-22: is one sink’s and one organization’s own', async () => {
    const [one, two] = [sinkOf('one', () => permanent), sinkOf('two')]
    const { seatgate } = clocked([one, two])
    const [a, b] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    await forwardOrganization(seatgate, a)
    expect(await lettersOf(seatgate, a, 'one')).toHaveLength(2)
    expect(await lettersOf(seatgate, a, 'two')).toEqual([])
    expect(await lettersOf(seatgate, b, 'one')).toEqual([])
    expect(two.sequences()).toEqual([1, 2])
  })

  it('is never written by somebody who lost the lease', async () => {
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const sink = sinkOf('slow', async (_event, attempt) => {
      if (attempt > 1) return delivered
      entered.resolve()
      await gate.promise
      return permanent
    })
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate)
    const late = forwardOrganization(seatgate, id)
    await entered.promise
    later(60)
    await forwardOrganization(seatgate, id)
    gate.resolve()
    await late
    expect(await lettersOf(seatgate, id, 'slow')).toEqual([])
  })

  it('FWD-13: of a page that is full stays as well', async () => {
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

  it('FWD-41 FWD-44: tries one once more on the same path, and is on record with the operator', async () => {
    const { seatgate, sink, heal } = broken()
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    const requeue = (sequence: number) =>
      requeueDeadLetters(seatgate, scopeOf(id), 'log', { sequence })
    expect(value(await requeue(1))).toEqual({ sink: 'log', events: 1 })
    // Nothing is queued twice, delivered or not.
    expect(code(await requeue(1))).toBe('already_replayed')
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([
      [1, 'dead', 'schema', 2],
      [2, 'dead', 'schema', 1],
    ])
    heal()
    value(await requeue(1))
    expect(await isInOutbox(id)).toBe(true)
    await forwardOrganization(seatgate, id)
    expect(await lettersOf(seatgate, id, 'log')).toEqual([
      [1, 'delivered', 'schema', 3],
      [2, 'dead', 'schema', 1],
    ])
    expect(sink.sequences()).toEqual([3, 1, 4])
    expect(code(await requeue(1))).toBe('already_replayed')
    expect(code(await requeue(3))).toBe('not_dead')
    expect(code(await requeue(99))).toBe('not_found')
    const told = ['audit.requeue', 'operator', 'ops', { sink: 'log', events: 1, sequence: 1 }]
    expect(await actionsOf(id)).toEqual([told, told])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('FWD-43: of many counts them first, and tries a hundred at a time with a pause', async () => {
    const state = { healed: false }
    const sink = sinkOf('log', () => (state.healed ? delivered : permanent))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await addEvents(id, 248)
    await forwardOrganization(seatgate, id)
    const all = (more: object) => requeueDeadLetters(seatgate, scopeOf(id), 'log', more)
    expect(value(await all({ dryRun: true })).events).toBe(250)
    expect(value(await all({ dryRun: true, action: 'test.event' })).events).toBe(248)
    expect(await actionsOf(id)).toEqual([])
    state.healed = true
    expect(value(await all({ action: 'test.event' })).events).toBe(248)
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
    expect(value(await all({ dryRun: true })).events).toBe(2)
  })

  it('is taken up by the sweep, without a queue', async () => {
    const { seatgate, sink, heal } = broken()
    const id = await organizationWith(seatgate)
    await sweepAudit(seatgate)
    heal()
    value(await requeueDeadLetters(seatgate, scopeOf(id), 'log', {}))
    await sweepAudit(seatgate)
    expect(sink.sequences().toSorted((a, b) => a - b)).toEqual([1, 2, 3])
  })
})

describe('a sink that is gone', () => {
  it('FWD-33: is paused until somebody lets it go on, and loses nothing', async () => {
    let gone = true
    const sink = sinkOf('hook', ({ sequence }) =>
      gone && sequence === 2 ? { outcome: 'pause', reason: 'status_410' } : delivered
    )
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 1)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    later(3600 * 24 * 30)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual([1, 2])
    const [status] = value(await listSinks(seatgate, scopeOf(id))).data
    expect(status).toMatchObject({ sequence: 1, lag: 2, pausedReason: 'status_410' })
    expect(await isInOutbox(id)).toBe(true)
    gone = false
    value(await resumeSink(seatgate, scopeOf(id), 'hook'))
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(upTo(4))
    expect(await actionsOf(id)).toEqual([
      ['audit.sink_resume', 'operator', 'ops', { sink: 'hook' }],
    ])
  })
})

describe('replay', () => {
  it('FWD-17 FWD-44: sends everything again from a sequence on, under the same ids, each time on record', async () => {
    const sink = sinkOf('log')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    for (const last of [5, 6]) {
      value(await replaySink(seatgate, scopeOf(id), 'log', { fromSequence: 3 }))
      await forwardOrganization(seatgate, id)
      expect(sink.sequences().at(-1)).toBe(last)
    }
    expect(sink.sequences()).toEqual([1, 2, 3, 4, 3, 4, 5, 3, 4, 5, 6])
    expect(new Set(sink.taken.map((event) => event.id)).size).toBe(6)
    const told = ['audit.replay', 'operator', 'ops', { sink: 'log', from_sequence: 3 }]
    expect(await actionsOf(id)).toEqual([told, told])
  })

  it('FWD-42: is refused while a delivery is under way', async () => {
    const gate = Promise.withResolvers<void>()
    const entered = Promise.withResolvers<void>()
    const sink = sinkOf('slow', async () => {
      entered.resolve()
      await gate.promise
      return delivered
    })
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    const running = forwardOrganization(seatgate, id)
    await entered.promise
    const replay = () => replaySink(seatgate, scopeOf(id), 'slow', { fromSequence: 1 })
    expect(code(await replay())).toBe('operation_in_progress')
    gate.resolve()
    await running
    expect(code(await replay())).toBe('ok')
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 0 })
  })

  it('FWD-45: concerns the organization that was asked for, and sinks that there are', async () => {
    const { seatgate } = clocked([sinkOf('log'), { ...sinkOf('own'), internal: true }])
    const [one, two] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    for (const id of [one, two]) await forwardOrganization(seatgate, id)
    value(await replaySink(seatgate, scopeOf(one), 'log', { fromSequence: 1 }))
    expect(await cursorOf(two, 'log')).toMatchObject({ sequence: 2 })
    for (const sink of ['none', 'own', '']) {
      expect(code(await replaySink(seatgate, scopeOf(one), sink, { fromSequence: 1 }))).toBe(
        'not_found'
      )
    }
    for (const input of [{}, { fromSequence: 0 }, { fromSequence: 99 }, { fromSequence: '1' }]) {
      expect(code(await replaySink(seatgate, scopeOf(one), 'log', input))).toBe('validation_error')
    }
  })
})

describe('what can be asked about sinks', () => {
  it('FWD-40: lag, age of the oldest and dead letters, of each sink and organization', async () => {
    const [dead, alive] = [
      sinkOf('dead', ({ sequence }) => (sequence === 1 ? permanent : retry)),
      sinkOf('alive'),
    ]
    const { seatgate, clock } = clocked([dead, alive])
    const began = new Date(clock.now).toISOString()
    const id = await organizationWith(seatgate, 1)
    await forwardOrganization(seatgate, id)
    expect(value(await listSinks(seatgate, { caller: system, organization: id }))).toEqual({
      data: [
        {
          id: 'dead',
          sequence: 1,
          head: 3,
          lag: 2,
          oldestUndeliveredAt: began,
          deadLetters: 1,
          attempts: 1,
          nextAttemptAt: new Date(clock.now + 1000).toISOString(),
          lastError: 'down',
          pausedReason: null,
        },
        {
          id: 'alive',
          sequence: 3,
          head: 3,
          lag: 0,
          oldestUndeliveredAt: null,
          deadLetters: 0,
          attempts: 0,
          nextAttemptAt: null,
          lastError: null,
          pausedReason: null,
        },
      ],
      nextCursor: null,
    })
  })

  it('FWD-40 FWD-41: over HTTP, by owners and operators alone', async () => {
    const sink = sinkOf('log', ({ sequence }) => (sequence === 1 ? permanent : delivered))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    const client = embedded({ sinks: [sink] })
    const path = `/organizations/${id}/audit/sinks`
    const owner = asUser({ userId: owners.get(id)! })
    for (const token of [owner, anOperator]) {
      const list = await (await client.get(path, token)).json<{ data: { id: string }[] }>()
      // The ledger's own sink is nobody's business.
      expect(list.data.map(({ id: name }) => name)).toEqual(['log'])
      const letters = await (
        await client.get(`${path}/log/dead-letters`, token)
      ).json<{ data: object[] }>()
      expect(letters.data).toHaveLength(1)
      const replayed = await client.post(`${path}/log/replay`, { fromSequence: 1 }, token)
      expect([replayed.status, await replayed.json()]).toEqual([
        202,
        { sink: 'log', fromSequence: 1 },
      ])
      const requeued = await client.post(
        `${path}/log/dead-letters/requeue`,
        { dryRun: true },
        token
      )
      expect([requeued.status, await requeued.json()]).toEqual([202, { sink: 'log', events: 1 }])
      expect((await client.post(`${path}/log/resume`, {}, token)).status).toBe(202)
    }
    const stranger = asUser({ userId: crypto.randomUUID() })
    expect((await client.get(path, stranger)).status).toBe(404)
    expect((await client.get(`${path}/log/dead-letters`, stranger)).status).toBe(404)
    for (const end of ['replay', 'resume', 'dead-letters/requeue']) {
      const answer = await client.post(`${path}/log/${end}`, { fromSequence: 1 }, stranger)
      expect(answer.status, end).toBe(404)
    }
    await rename(seatgate, id, 'X')
  })
})

describe('what is measured of an attempt', () => {
  it('FWD-38 FWD-39: sink, action, number, outcome, kind and whole milliseconds, and nothing else', async () => {
    const metrics: Metric[] = []
    const answers: (() => Delivery | Promise<Delivery>)[] = [
      () => retry,
      () => Promise.reject(new Error('boom')),
      () => true as never,
      () => delivered,
      () => permanent,
    ]
    const sink = sinkOf('log', (_event, number) => {
      later(0.012)
      return answers[number - 1]!()
    })
    const { seatgate, later } = clocked([sink], { measure: (metric) => void metrics.push(metric) })
    const id = await organizationWith(seatgate)
    for (let run = 0; run < 4; run++) {
      await forwardOrganization(seatgate, id)
      later(8)
    }
    const attempts = metrics.filter((metric) => metric.name === 'audit.attempt')
    const told = (action: string, attempt: number, outcome: string, kind?: string) => ({
      name: 'audit.attempt',
      sink: 'log',
      action,
      attempt,
      outcome,
      milliseconds: 12,
      ...(kind && { kind }),
    })
    expect(attempts).toEqual([
      told('organization.create', 1, 'error', 'refused'),
      told('organization.create', 2, 'error', 'error'),
      told('organization.create', 3, 'error', 'invalid_answer'),
      told('organization.create', 4, 'ok'),
      told('seat.assigned', 1, 'error', 'permanent'),
    ])
  })
})

describe('a sink that takes many', () => {
  const many = (answer: (sequences: number[]) => Delivery) => {
    const calls: number[][] = []
    const sink: Sink = {
      id: 'many',
      deliver: () => Promise.reject(new Error('not this one')),
      async deliverMany(events) {
        const sequences = events.map(({ sequence }) => sequence)
        calls.push(sequences)
        return answer(sequences)
      },
    }
    return { sink, calls }
  }

  it('gets what comes next in one go, without what it does not take', async () => {
    const { sink, calls } = many(() => delivered)
    const { seatgate } = clocked([{ ...sink, exclude: ['seat.*'] }])
    const id = await organizationWith(seatgate, 2)
    await addEvents(id, 0)
    await forwardOrganization(seatgate, id)
    expect(calls).toEqual([[1, 3, 4]])
    expect(await cursorOf(id, 'many')).toMatchObject({ sequence: 4 })
  })

  it('is given them one by one if it refuses them together, and one event condemns no other', async () => {
    const { sink, calls } = many((sequences) => (sequences.includes(2) ? permanent : delivered))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    expect(calls).toEqual([[1, 2, 3, 4], [1], [2], [3], [4]])
    expect(await lettersOf(seatgate, id, 'many')).toEqual([[2, 'dead', 'schema', 1]])
  })

  it('is tried again with all of them', async () => {
    let down = true
    const { sink, calls } = many(() => (down ? retry : delivered))
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 1)
    await forwardOrganization(seatgate, id)
    down = false
    later(1)
    await forwardOrganization(seatgate, id)
    expect(calls).toEqual([upTo(3), upTo(3)])
  })
})
