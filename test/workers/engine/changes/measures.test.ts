import { beforeEach, describe, expect, it } from 'vitest'
import {
  addMember,
  allow,
  listMembers,
  removeMember,
  type Metric,
  type RuntimeOptions,
} from '../../../../src/index.ts'
import { auditQueueHandler, sweepHandler } from '../../../../src/worker/index.ts'
import {
  createKit,
  freshStores,
  newUsers,
  sinkOf,
  testEnv,
  unwrap,
  type KitOptions,
} from '../../../kit/index.ts'

type Named<Name extends Metric['name']> = Extract<Metric, { name: Name }>

function measuringKit(options: KitOptions = {}) {
  const metrics: Metric[] = []
  const kit = createKit({ measure: (metric) => void metrics.push(metric), ...options })
  const named = <Name extends Metric['name']>(name: Name) =>
    metrics.filter((metric): metric is Named<Name> => metric.name === name)
  const clear = () => void (metrics.length = 0)
  return { kit, metrics, named, clear }
}

beforeEach(freshStores)

const failing = (fails: () => boolean) => ({
  around: ((_trip, run) =>
    fails() ? Promise.reject(new Error('D1_ERROR: lost')) : run()) as NonNullable<
    KitOptions['around']
  >,
})

describe('runtime.measure', () => {
  it('receives an operation once, with its outcome, code and round trips', async () => {
    const { kit, named, clear } = measuringKit({ provider: 'd1' })
    const acme = await kit.organization({ seats: 2 })
    const [one = '', two = ''] = await newUsers(2)
    clear()
    const before = kit.trips()
    await acme.add(one)
    expect(kit.trips() - before).toBe(2)
    await acme.add(two)
    await acme.add(two, 'unknown role')
    const operation = { name: 'operation', operation: 'organization.member_add', retries: 0 }
    expect(named('operation')).toEqual([
      { ...operation, outcome: 'ok', code: null, trips: 2, milliseconds: expect.any(Number) },
      {
        ...operation,
        outcome: 'refused',
        code: 'seat_limit_reached',
        trips: expect.any(Number),
        milliseconds: expect.any(Number),
      },
      {
        ...operation,
        outcome: 'refused',
        code: 'validation_error',
        trips: 1,
        milliseconds: expect.any(Number),
      },
    ])
  })

  it('receives the milliseconds of the host’s clock', async () => {
    let time = Date.now()
    const { kit, named, clear } = measuringKit({
      provider: 'd1',
      now: () => new Date(time),
      hooks: { beforeAddMember: () => ((time += 120), allow()) },
    })
    const acme = await kit.organization()
    clear()
    unwrap(await acme.add())
    expect(named('operation').map(({ milliseconds }) => milliseconds)).toEqual([120])
  })

  it('receives how often an operation was planned again', async () => {
    const both = Promise.withResolvers<void>()
    let asked = 0
    const { kit, named, clear } = measuringKit({
      provider: 'd1',
      hooks: {
        async beforeAddMember() {
          if (++asked === 2) both.resolve()
          await both.promise
          return allow()
        },
      },
    })
    const acme = await kit.organization({ seats: 5 })
    clear()
    const [same = ''] = await newUsers(1)
    await Promise.all([acme.add(same), acme.add(same)])
    expect(named('operation').map(({ retries }) => retries)).toEqual([0, 1])
  })

  it('receives a failure of D1 as failed, for a change and for a read', async () => {
    let fails = false
    const { kit, named, clear } = measuringKit({ provider: 'd1', ...failing(() => fails) })
    const acme = await kit.organization()
    clear()
    fails = true
    await addMember(kit.seatgate, acme.as(acme.owner), { userId: 'one', role: 'member' })
    await expect(listMembers(kit.seatgate, acme.as(acme.owner))).rejects.toThrow()
    expect(
      named('operation').map(({ operation, outcome, code }) => [operation, outcome, code])
    ).toEqual([
      ['organization.member_add', 'failed', 'seats_unavailable'],
      ['organization.member_list', 'failed', 'unavailable'],
    ])
  })

  it.each<[string, RuntimeOptions['measure']]>([
    [
      'throws',
      () => {
        throw new Error('full')
      },
    ],
    ['rejects', (async () => Promise.reject(new Error('full'))) as RuntimeOptions['measure']],
    ['never settles', (() => new Promise(() => {})) as RuntimeOptions['measure']],
  ])('changes no operation if it %s', async (_what, measure) => {
    const kit = createKit({ provider: 'd1', ...(measure && { measure }) })
    const acme = await kit.organization()
    unwrap(await acme.add())
    unwrap(await listMembers(kit.seatgate, acme.as(acme.owner)))
  })

  it('receives each call of a ledger', async () => {
    const { kit, named, clear } = measuringKit()
    const acme = await kit.organization({ seats: 2 })
    clear()
    await acme.add()
    await acme.add()
    const calls = named('ledger.call').map(({ call, outcome, code }) => [call, outcome, code])
    expect(calls).toContainEqual(['reserve', 'ok', null])
    expect(calls).toContainEqual(['confirm', 'ok', null])
    expect(calls).toContainEqual(['reserve', 'refused', 'seat_limit_reached'])
  })

  it('receives batches of the queue, the parts of a sweep, and lags', async () => {
    let time = Date.now()
    const siem = sinkOf('siem')
    const { kit, named } = measuringKit({
      provider: 'd1',
      now: () => new Date(time),
      sinks: [siem, { id: 'slow', deliver: async () => ({ outcome: 'retry', reason: 'no' }) }],
    })
    await kit.organization()
    await auditQueueHandler(kit.seatgate)({
      messages: kit.wakeUps.map((body) => ({ body, ack: () => {}, retry: () => {} })),
    } as never)
    expect(named('queue.batch')).toEqual([
      {
        name: 'queue.batch',
        outcome: 'ok',
        messages: kit.wakeUps.length,
        events: siem.taken.length,
        milliseconds: 0,
      },
    ])
    expect(siem.taken.length).toBeGreaterThan(0)
    time += 90_000
    await sweepHandler(kit.seatgate)()
    expect(named('sweep.run').map(({ sweep, outcome }) => [sweep, outcome])).toContainEqual([
      'seats',
      'ok',
    ])
    expect(named('audit.lag')).toEqual([
      { name: 'audit.lag', consumer: 'siem', seconds: 0 },
      { name: 'audit.lag', consumer: 'slow', seconds: 90 },
    ])
  })
})

describe('runtime.trace', () => {
  it('runs an operation, its round trips, hooks and ledger calls within spans', async () => {
    const spans: string[] = []
    let open = 0
    const kit = createKit({
      hooks: { beforeAddMember: () => allow() },
      async trace(name, attributes, run) {
        spans.push(`${'  '.repeat(open)}${name} ${JSON.stringify(attributes)}`)
        open += 1
        try {
          await run()
        } finally {
          open -= 1
        }
      },
    })
    const acme = await kit.organization({ seats: 5 })
    const [one = ''] = await newUsers(1)
    spans.length = 0
    unwrap(await acme.add(one))
    expect(spans.slice(0, 5)).toEqual([
      'seatgate.organization.member_add {"seatgate.operation":"organization.member_add"}',
      expect.stringMatching(/^ {2}seatgate\.database \{"seatgate\.statements":\d+\}$/),
      '  seatgate.hook.beforeAddMember {"seatgate.hook":"beforeAddMember"}',
      '  seatgate.ledger.reserve {"seatgate.call":"reserve"}',
      expect.stringMatching(/^ {2}seatgate\.database /),
    ])
    await kit.settled()
  })

  it.each<[string, RuntimeOptions['trace']]>([
    [
      'throws',
      () => {
        throw new Error('no exporter')
      },
    ],
    ['rejects', async () => Promise.reject(new Error('no exporter'))],
    ['never runs it', () => undefined],
    ['never settles', () => new Promise(() => {})],
    ['runs it twice', (_name, _attributes, run) => Promise.all([run(), run()])],
  ])('runs the work once if the host’s function %s', async (_what, trace) => {
    const kit = createKit({ provider: 'd1', ...(trace && { trace }) })
    const acme = await kit.organization({ seats: 5 })
    const userId = await acme.join()
    const before = kit.trips()
    unwrap(await removeMember(kit.seatgate, acme.as(acme.owner), userId))
    expect(kit.trips() - before).toBe(2)
    const { results } = await testEnv.DB.prepare(
      "SELECT 1 FROM seatgate_audit_events WHERE organization_id = ? AND action = 'organization.member_remove'"
    )
      .bind(acme.id)
      .all()
    expect(results).toHaveLength(1)
  })
})
