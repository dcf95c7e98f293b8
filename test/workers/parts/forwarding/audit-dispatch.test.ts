import { describe, expect, it, vi } from 'vitest'
import {
  createSeatgate,
  d1Seats,
  forwarding,
  forwardOrganization,
  isQueueBound,
  renameOrganization,
  type Report,
  type Sink,
} from '../../../../src/index.ts'
import { auditQueueHandler } from '../../../../src/worker/index.ts'
import {
  db,
  addEvents,
  attemptsOf,
  clocked,
  cursorOf,
  delivered,
  heldSink,
  organizationWith,
  owners,
  rename,
  retry,
  sinkOf,
  upTo,
  createKit,
} from '../../../kit/index.ts'

const silent = { send: async () => {}, sendBatch: async () => {} }

describe('dispatch', () => {
  it('async without a queue fails at start, names the sink and suggests auto [FWD-7]', () => {
    const asynchronous = { ...sinkOf('siem'), dispatch: 'async' } as const
    const message = /the sink "siem" is async, and there is no queue.*"auto"/
    expect(() => clocked([asynchronous])).toThrow(message)
    expect(() => clocked([asynchronous], { queue: silent })).not.toThrow()
    expect(() => clocked([{ ...asynchronous, dispatch: 'auto' }])).not.toThrow()
  })

  it('recognizes whether there is a queue [FWD-10]', () => {
    expect(isQueueBound(clocked([]).seatgate)).toBe(false)
    expect(isQueueBound(clocked([], { queue: silent }).seatgate)).toBe(true)
  })

  it.each(['auto', 'async'] as const)(
    '%s with a queue delivers no event before the queue’s message [FWD-8]',
    async (dispatch) => {
      const sink = sinkOf('log')
      const kit = createKit({ provider: 'd1', sinks: [{ ...sink, dispatch }] })
      const id = await organizationWith(kit.seatgate, 1)
      await kit.settled()
      expect(sink.attempts).toEqual([])
      expect(kit.wakeUps).toEqual([{ organizationId: id }, { organizationId: id }])
    }
  )

  it('auto without a queue delivers in process, after the answer [FWD-8]', async () => {
    const sink = heldSink('log')
    const kit = createKit({ provider: 'd1', sinks: [sink], queue: undefined as never })
    // The answer is there, and the first delivery still in the air.
    const id = await organizationWith(kit.seatgate)
    await sink.entered
    expect(sink.sequences()).toEqual([])
    sink.letGo()
    await kit.settled()
    expect(sink.sequences()).toEqual([1, 2])
    await rename(kit.seatgate, id, 'New')
    await kit.settled()
    expect(sink.sequences()).toEqual([1, 2, 3])
  })

  it('sync delivers before the answer, and others after it [FWD-9]', async () => {
    const [prompt, other] = [sinkOf('prompt'), sinkOf('other')]
    const sinks: Sink[] = [{ ...prompt, dispatch: 'sync' }, other]
    const { seatgate } = clocked(sinks, { queue: silent })
    const id = await organizationWith(seatgate)
    expect([prompt.sequences(), other.sequences()]).toEqual([[1, 2], []])
    await rename(seatgate, id, 'New')
    expect([prompt.sequences(), other.sequences()]).toEqual([upTo(3), []])
  })

  it('sync delays a response no longer than its deadline, and continues [FWD-9]', async () => {
    const sink = heldSink('slow')
    const reports: Report[] = []
    const kit = createKit({
      provider: 'd1',
      sinks: [{ ...sink, dispatch: 'sync', deadlineSeconds: 0.01 }],
      report: (report) => reports.push(report),
    })
    const id = await organizationWith(kit.seatgate)
    expect(sink.sequences()).toEqual([])
    sink.letGo()
    await kit.settled()
    expect(sink.sequences()).toEqual([1, 2])
    expect(await cursorOf(id, 'slow')).toMatchObject({ sequence: 2, lease: null })
    expect(reports).toEqual([])
  })

  it('a sync sink that fails changes no answer, and is tried again like others [FWD-9]', async () => {
    const sink = sinkOf('down', (_event, attempt) => (attempt === 1 ? retry : delivered))
    const { seatgate, later } = clocked([{ ...sink, dispatch: 'sync' }], { queue: silent })
    const id = await organizationWith(seatgate)
    await rename(seatgate, id, 'While it is left alone')
    expect(sink.attempts).toEqual([1])
    later(1)
    const messages = [{ id: 'm', body: { organizationId: id }, ack() {}, retry() {} }]
    await auditQueueHandler(seatgate)({ messages } as never)
    expect(sink.attempts).toEqual([1, 1, 2, 3])
    expect((await attemptsOf(seatgate, id, 'down'))[0]).toEqual([1, 1, 'retry', 'down', 1])
  })

  it('a sink that throws changes no answer, and loses no event [FWD-11]', async () => {
    const sink = sinkOf('broken', () => Promise.reject(new Error('boom')))
    const { seatgate } = clocked([{ ...sink, dispatch: 'sync' }], { queue: silent })
    const id = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(id)! }, organization: id }
    const renamed = await renameOrganization(seatgate, scope, { name: 'New' })
    expect(renamed).toMatchObject({ ok: true, value: { name: 'New' } })
    expect(await cursorOf(id, 'broken')).toMatchObject({ sequence: 0, attempts: 1 })
  })
})

describe('a sink that is missing', () => {
  const secret = 'sk-live-of-somebody'
  const absent = (how: Partial<Sink>): Sink => ({
    ...sinkOf('siem'),
    setUpPage: 'https://docs.example.com/siem',
    ...({ apiKey: secret, api_key: secret } as object),
    ...how,
  })
  const warningsOf = (sinks: readonly Sink[]) => clocked(sinks).reports

  it.each<[string, Partial<Sink>]>([
    ['FWD-4: one that is switched off', { disabled: true }],
    ['FWD-5: one whose attach answers an error', { attach: () => new Error(`no ${secret}`) }],
    [
      'FWD-5: one whose attach throws',
      {
        attach() {
          throw new Error(`api_key ${secret}`)
        },
      },
    ],
  ])('%s costs one warning, which discloses only that [FWD-6]', async (_what, how) => {
    const there = sinkOf('there')
    const { seatgate, reports } = clocked([absent(how), there], { waitUntil: () => {} })
    expect(reports).toEqual([
      { event: 'sink_missing', error: expect.stringMatching(/"siem".*https:\/\/docs\.example/) },
    ])
    expect(JSON.stringify(reports)).not.toMatch(/sk-live|api_key|boom/)
    expect(seatgate.forwarding.sinks.map(({ id }) => id)).toEqual(['there'])
  })

  it('gives no warning where all sinks are there, or no sink is configured [FWD-4]', () => {
    expect(warningsOf([])).toEqual([])
    expect(warningsOf([absent({ attach: () => undefined })])).toEqual([])
  })

  it('is reported on the console by its name without a `report` option [FWD-4]', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
    const sinks = [absent({ disabled: true })]
    const audit = { forwarding: forwarding({ sinks }) }
    createSeatgate({ database: db, seats: d1Seats(), sessions: 'none', audit })
    expect(warn.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)).toEqual([
      {
        event: 'sink_missing',
        message: expect.stringContaining('The sink "siem" is switched off'),
      },
    ])
    warn.mockRestore()
  })
})

describe('a backlog', () => {
  it('is delivered no faster than the sink permits, from the beginning or from a requested sequence [FWD-28]', async () => {
    const sink = sinkOf('new')
    const { seatgate, later } = clocked([{ ...sink, eventsPerMinute: 150 }])
    const id = await organizationWith(seatgate)
    await addEvents(id, 398)
    expect(await forwardOrganization(seatgate, id)).toBe(60)
    expect(sink.attempts).toEqual(upTo(150))
    later(59)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    later(1)
    expect(await forwardOrganization(seatgate, id)).toBe(60)
    later(60)
    expect(await forwardOrganization(seatgate, id)).toBeNull()
    expect(sink.attempts).toEqual(upTo(400))
  })
})
