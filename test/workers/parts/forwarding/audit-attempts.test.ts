import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  listAttempts,
  replaySink,
  requeueDeadLetters,
  type Delivery,
  type Metric,
  type Page,
  type Sink,
} from '../../../../src/index.ts'
import {
  asUser,
  embedded,
  addEvents,
  attemptsOf,
  byOperator,
  clocked,
  cursorOf,
  delivered,
  isInOutbox,
  lettersOf,
  organizationWith,
  owners,
  permanent,
  retry,
  sinkOf,
  upTo,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'

describe('the measures of an attempt', () => {
  it('sink, action, number, outcome, kind and whole milliseconds only [FWD-38 FWD-39]', async () => {
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

  it('gets the next events in one request, without those it does not accept', async () => {
    const { sink, calls } = many(() => delivered)
    const { seatgate } = clocked([{ ...sink, exclude: ['seat.*'] }])
    const id = await organizationWith(seatgate, 2)
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

describe('the history of attempts', () => {
  it('reports each attempt, and one end of each event [FWD-48 FWD-13]', async () => {
    const sink = sinkOf('log', ({ sequence }, attempt) => {
      if (sequence === 2) return attempt < 4 ? retry : delivered
      return sequence === 4 ? permanent : delivered
    })
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 4)
    for (let run = 0; run < 3; run++) {
      await forwardOrganization(seatgate, id)
      later(2)
    }
    expect(await attemptsOf(seatgate, id, 'log')).toEqual([
      [1, 1, 'delivered', null, 1],
      [2, 2, 'retry', 'down', 1],
      [2, 2, 'retry', 'down', 2],
      [2, 2, 'delivered', null, 3],
      [3, 3, 'delivered', null, 1],
      [4, 4, 'dead', 'schema', 1],
      [5, 6, 'delivered', null, 1],
    ])
    expect(await attemptsOf(seatgate, id, 'log', { sequence: 2 })).toHaveLength(3)
    expect(await attemptsOf(seatgate, id, 'log', { sequence: '6' })).toEqual([
      [5, 6, 'delivered', null, 1],
    ])
  })

  it('names the part of the configuration that passed an event over [FWD-24]', async () => {
    const sink = sinkOf('log')
    const patterns = { include: ['organization.*'], exclude: ['organization.rename'] }
    const { seatgate } = clocked([{ ...sink, ...patterns }])
    const id = await organizationWith(seatgate, 2)
    await addEvents(id, 2, 4, "iif(value = 1, 'organization.update', 'test.event')")
    await forwardOrganization(seatgate, id)
    const { data } = unwrap(await listAttempts(seatgate, byOperator(id), 'log'))
    expect(data).toMatchObject([
      {
        outcome: 'delivered',
        firstSequence: 1,
        lastSequence: 6,
        passed: [
          { first: 2, last: 2, because: 'include' },
          { first: 3, last: 4, because: 'exclude' },
          { first: 6, last: 6, because: 'include' },
        ],
      },
    ])
    expect(sink.sequences()).toEqual([1, 5])
  })

  it('records a replay as further attempts and keeps the failed one [FWD-50]', async () => {
    let healed = false
    const sink = sinkOf('log', ({ sequence }) =>
      sequence === 2 && !healed ? permanent : delivered
    )
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    healed = true
    unwrap(await requeueDeadLetters(seatgate, byOperator(id), 'log', { sequence: 2 }))
    await forwardOrganization(seatgate, id)
    unwrap(await replaySink(seatgate, byOperator(id), 'log', { fromSequence: 2 }))
    await forwardOrganization(seatgate, id)
    const { data } = unwrap(await listAttempts(seatgate, byOperator(id), 'log', { sequence: 2 }))
    expect(data.map(({ outcome }) => outcome)).toEqual(['dead', 'delivered', 'delivered'])
    expect(new Set(data.map((attempt) => attempt.id)).size).toBe(3)
    const seconds = sink.taken.filter(({ sequence }) => sequence === 2)
    expect(new Set(seconds.map((event) => event.id)).size).toBe(1)
  })

  it('marks purged events as skipped [FWD-35]', async () => {
    const sink = sinkOf('log')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    await testEnv.DB.prepare(
      `INSERT INTO seatgate_audit_events (organization_id, sequence, id, action, outcome, actor_type, metadata, occurred_at, inserted_at)
       VALUES (?1, 6, ?1 || 6, 'test.event', 'success', 'system', '{}', 7, 7)`
    )
      .bind(id)
      .run()
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.sequences()).toEqual([1, 2, 6])
    expect(await attemptsOf(seatgate, id, 'log')).toEqual([
      [1, 2, 'delivered', null, 1],
      [3, 5, 'skipped', 'event_missing', 0],
      [6, 6, 'delivered', null, 1],
    ])
    expect(await isInOutbox(id)).toBe(false)
  })

  it('is begun before anything is sent, with the event and the right to send it [FWD-48]', async () => {
    const seen: unknown[] = []
    const sink = sinkOf('log', async ({ organizationId, sequence }) => {
      const stored = await testEnv.DB.prepare(
        'SELECT count(*) AS n FROM seatgate_audit_events WHERE organization_id = ? AND sequence = ?'
      )
        .bind(organizationId, sequence)
        .first('n')
      seen.push([stored, (await cursorOf(organizationId, 'log'))?.lease !== null])
      return delivered
    })
    const { seatgate } = clocked([sink])
    await forwardOrganization(seatgate, await organizationWith(seatgate))
    expect(seen).toEqual([
      [1, true],
      [1, true],
    ])
  })

  it.each([
    ['UPDATE', "UPDATE seatgate_sink_attempts SET outcome = 'delivered' WHERE organization_id = ?"],
    ['DELETE', 'DELETE FROM seatgate_sink_attempts WHERE organization_id = ?'],
    [
      'REPLACE',
      `REPLACE INTO seatgate_sink_attempts SELECT id, organization_id, sink_id, first_sequence, last_sequence,
         'delivered', null, 1, passed, 0, 0 FROM seatgate_sink_attempts WHERE organization_id = ?`,
    ],
  ])('refuses %s [FWD-48]', async (_what, sql) => {
    const { seatgate } = clocked([sinkOf('log', () => permanent)])
    const id = await organizationWith(seatgate)
    await forwardOrganization(seatgate, id)
    await expect(testEnv.DB.prepare(sql).bind(id).run()).rejects.toThrow(/audit_immutable/)
    expect(await attemptsOf(seatgate, id, 'log')).toEqual([
      [1, 1, 'dead', 'schema', 1],
      [2, 2, 'dead', 'schema', 1],
    ])
  })

  it('is paged, and listed only for administrators of the sinks', async () => {
    const sink = sinkOf('log', ({ sequence }) => (sequence % 2 ? delivered : permanent))
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    const client = embedded({ sinks: [sink] })
    const path = `/organizations/${id}/audit/sinks/log/attempts`
    const owner = asUser({ userId: owners.get(id)! })
    const pages: unknown[] = []
    for (let cursor: string | null = ''; cursor !== null;) {
      const query = cursor === '' ? '?limit=3' : `?limit=3&cursor=${cursor}`
      const page: Page<{ outcome: string }> = await (await client.get(path + query, owner)).json()
      pages.push(page.data.map(({ outcome }) => outcome))
      cursor = page.nextCursor
    }
    expect(pages).toEqual([['delivered', 'dead', 'delivered'], ['dead']])
    const statusOf = async (query: string, token = owner) =>
      (await client.get(path + query, token)).status
    expect(await statusOf('?sequence=0')).toBe(422)
    expect(await statusOf('?cursor=x')).toBe(400)
    expect(await statusOf('', asUser({ userId: crypto.randomUUID() }))).toBe(404)
  })
})
