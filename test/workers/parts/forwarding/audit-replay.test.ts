import { describe, expect, it } from 'vitest'
import {
  forwardOrganization,
  listSinks,
  pauseSink,
  replaySink,
  resumeSink,
} from '../../../../src/index.ts'
import {
  anOperator,
  asUser,
  embedded,
  sinkActionsOf,
  byOperator,
  clocked,
  cursorOf,
  delivered,
  heldSink,
  isInOutbox,
  organizationWith,
  owners,
  permanent,
  rename,
  retry,
  sinkOf,
  upTo,
  unwrap,
  codeOf,
} from '../../../kit/index.ts'

describe('a removed sink', () => {
  it('is paused until an operator resumes it, and loses no event [FWD-33]', async () => {
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
    const [status] = unwrap(await listSinks(seatgate, byOperator(id))).data
    expect(status).toMatchObject({ sequence: 1, lag: 2, pausedReason: 'status_410' })
    expect(await isInOutbox(id)).toBe(true)
    gone = false
    unwrap(await resumeSink(seatgate, byOperator(id), 'hook'))
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(upTo(4))
    expect(await sinkActionsOf(id)).toEqual([
      ['audit.sink_resume', 'operator', 'ops', { sink: 'hook' }],
    ])
  })
})

describe('a sink that is paused by hand', () => {
  it('receives no event until it is resumed, then all events, and both are recorded', async () => {
    const sink = sinkOf('hook')
    const { seatgate, later } = clocked([sink])
    const id = await organizationWith(seatgate, 1)
    await forwardOrganization(seatgate, id)
    unwrap(await pauseSink(seatgate, byOperator(id), 'hook'))
    await rename(seatgate, id, 'Meanwhile')
    later(3600 * 24 * 30)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.sequences()).toEqual(upTo(3))
    const [status] = unwrap(await listSinks(seatgate, byOperator(id))).data
    expect(status).toMatchObject({ sequence: 3, lag: 2, pausedReason: 'by hand' })
    unwrap(await resumeSink(seatgate, byOperator(id), 'hook'))
    await forwardOrganization(seatgate, id)
    expect(sink.sequences()).toEqual(upTo(6))
    expect(await sinkActionsOf(id)).toEqual([
      ['audit.sink_pause', 'operator', 'ops', { sink: 'hook' }],
      ['audit.sink_resume', 'operator', 'ops', { sink: 'hook' }],
    ])
  })

  it('is refused while a delivery is in progress, and for an unknown sink', async () => {
    const held = heldSink('hook')
    const { seatgate } = clocked([held])
    const id = await organizationWith(seatgate)
    const running = forwardOrganization(seatgate, id)
    await held.entered
    expect(codeOf(await pauseSink(seatgate, byOperator(id), 'hook'))).toBe('operation_in_progress')
    held.letGo()
    await running
    expect(codeOf(await pauseSink(seatgate, byOperator(id), 'other'))).toBe('not_found')
    expect(held.sequences()).toEqual(upTo(2))
  })

  it('is there before its first delivery', async () => {
    const sink = sinkOf('hook')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    unwrap(await pauseSink(seatgate, byOperator(id), 'hook'))
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual([])
  })
})

describe('replay', () => {
  it('sends all events from a sequence on again, under the same ids, and is recorded [FWD-17 FWD-44]', async () => {
    const sink = sinkOf('log')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate, 2)
    await forwardOrganization(seatgate, id)
    for (const last of [5, 6]) {
      unwrap(await replaySink(seatgate, byOperator(id), 'log', { fromSequence: 3 }))
      await forwardOrganization(seatgate, id)
      expect(sink.sequences().at(-1)).toBe(last)
    }
    expect(sink.sequences()).toEqual([1, 2, 3, 4, 3, 4, 5, 3, 4, 5, 6])
    expect(new Set(sink.taken.map((event) => event.id)).size).toBe(6)
    const told = ['audit.replay', 'operator', 'ops', { sink: 'log', from_sequence: 3 }]
    expect(await sinkActionsOf(id)).toEqual([told, told])
  })

  it('is refused while a delivery is under way [FWD-42]', async () => {
    const sink = heldSink('slow')
    const { seatgate } = clocked([sink])
    const id = await organizationWith(seatgate)
    const running = forwardOrganization(seatgate, id)
    await sink.entered
    const replay = () => replaySink(seatgate, byOperator(id), 'slow', { fromSequence: 1 })
    expect(codeOf(await replay())).toBe('operation_in_progress')
    sink.letGo()
    await running
    expect(codeOf(await replay())).toBe('ok')
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 0 })
  })

  it('concerns the organization that was asked for, and sinks that there are [FWD-45]', async () => {
    const { seatgate } = clocked([sinkOf('log'), { ...sinkOf('own'), internal: true }])
    const [one, two] = [await organizationWith(seatgate), await organizationWith(seatgate)]
    for (const id of [one, two]) await forwardOrganization(seatgate, id)
    unwrap(await replaySink(seatgate, byOperator(one), 'log', { fromSequence: 1 }))
    expect(await cursorOf(two, 'log')).toMatchObject({ sequence: 2 })
    for (const sink of ['none', 'own', '']) {
      expect(codeOf(await replaySink(seatgate, byOperator(one), sink, { fromSequence: 1 }))).toBe(
        'not_found'
      )
    }
    for (const input of [{}, { fromSequence: 0 }, { fromSequence: 99 }, { fromSequence: '1' }]) {
      expect(codeOf(await replaySink(seatgate, byOperator(one), 'log', input as never))).toBe(
        'validation_error'
      )
    }
  })
})

describe('the status of sinks', () => {
  it('lag, age of the oldest and dead letters, of each sink and organization [FWD-40]', async () => {
    const [dead, alive] = [
      sinkOf('dead', ({ sequence }) => (sequence === 1 ? permanent : retry)),
      sinkOf('alive'),
    ]
    const { seatgate, clock } = clocked([dead, alive])
    const began = new Date(clock.now).toISOString()
    const id = await organizationWith(seatgate, 1)
    await forwardOrganization(seatgate, id)
    expect(
      unwrap(await listSinks(seatgate, { caller: { type: 'system' }, organization: id }))
    ).toEqual({
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

  it('is readable over HTTP only by owners and operators [FWD-40 FWD-41]', async () => {
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
      const ofATime = `${path}/log/dead-letters?action=organization.create&to=2026-01-01T00:00:00Z`
      expect(await (await client.get(ofATime, token)).json()).toMatchObject({ data: [] })
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
      const none = { to: '2026-01-01T00:00:00Z', dryRun: true }
      const older = await client.post(`${path}/log/dead-letters/requeue`, none, token)
      expect(await older.json()).toEqual({ sink: 'log', events: 0 })
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
