import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import {
  commitTogether,
  forwardOrganization,
  placeLegalHold,
  prepareEvents,
  purgeAuditEvents,
  releaseLegalHold,
  replaySink,
  sealOrganization,
  sweepRetention,
  type Metric,
  type RetentionWindow,
  type Sink,
  listAuditEvents,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import {
  anOperator,
  asUser,
  embedded,
  rowCounts,
  seatgateWith,
  addEvents,
  cursorOf,
  delivered,
  organizationWith,
  owners,
  rename,
  retry,
  sinkOf,
  upTo,
  DAY_SECONDS,
  days,
  eventsOf,
  keys,
  retaining,
  sequencesOf,
  system,
  testEnv,
  unwrap,
  createKit,
  newUser,
  operator,
} from '../../../kit/index.ts'

/** Lets the sweep look at this trail, and at none that another test has left. */
const due = (organization: string) =>
  testEnv.DB.prepare(
    'UPDATE seatgate_audit_retention SET due_at = iif(organization_id = ?, 0, 9e15)'
  )
    .bind(organization)
    .run()
const dueAt = (organization: string) =>
  testEnv.DB.prepare('SELECT due_at FROM seatgate_audit_retention WHERE organization_id = ?')
    .bind(organization)
    .first<number>('due_at')
const count = (table: string, organization: string) =>
  testEnv.DB.prepare(`SELECT count(*) AS n FROM ${table} WHERE organization_id = ?`)
    .bind(organization)
    .first<number>('n')

describe('a window', () => {
  it('without one no event is purged, even on request [AUD-58]', async () => {
    const { sealedOne, purge, daysLater } = retaining([])
    const organization = await sealedOne()
    daysLater(10_000)
    expect(await purge(organization)).toMatchObject({ events: 0, horizon: 0 })
    expect(await sequencesOf(organization)).toEqual(upTo(5))
  })

  it.each<[string, unknown, string]>([
    ['none', [{}], 'positive days'],
    ['of 0 days', days(0), 'positive days'],
    ['of negative days', days(-1), 'positive days'],
    ['of no number', days(NaN), 'positive days'],
    ['without an end', days(Infinity), 'positive days'],
    ['in text', [{ days: '30' }], 'positive days'],
    ['in two units', [{ days: 1, hours: 24 }], 'no "hours"'],
    ['twice', [...days(1), ...days(2)], 'two windows for all actions'],
    [
      'twice for an organization',
      [
        { days: 1, organizationId: 'x' },
        { days: 2, organizationId: 'x' },
      ],
      'two windows for all actions of x',
    ],
    ['of a class alone', [{ days: 1, actions: 'a.*' }], 'shorter window without actions'],
    ['of a class that is shorter', [...days(9), { days: 8, actions: 'a.*' }], 'shorter window'],
    ['of a pattern that is none', [...days(9), { days: 10, actions: '*.a' }], 'pattern'],
    ['no list', { days: 9 }, 'list'],
  ])('%s is refused at start [AUD-58]', (_what, retention, message) => {
    const options = { auditLogKey: keys.privateKey, retention: retention as RetentionWindow[] }
    expect(() => seatgateWith(options)).toThrow(message)
  })

  it('needs a log: without checkpoints no event may go [AUD-64]', () => {
    expect(() => seatgateWith({ retention: days(1) })).toThrow('audit.retention needs audit.log')
  })

  it('without a sweep in the same Worker warns once, with one never [AUD-58]', async () => {
    const { seatgate, reports } = retaining(days(30))
    const warnings = () => reports.filter(({ event }) => event === 'retention_not_scheduled')
    const organization = await organizationWith(seatgate, 2)
    expect(warnings()).toHaveLength(1)
    await rename(seatgate, organization, 'Again')
    expect(warnings()).toHaveLength(1)
    const swept = retaining(days(30))
    sweepHandler(swept.seatgate)
    await organizationWith(swept.seatgate)
    const off = retaining([])
    await organizationWith(off.seatgate)
    expect([...swept.reports, ...off.reports]).toEqual([])
  })

  it('purges strictly older events, to the millisecond [AUD-59]', async () => {
    const { sealedOne, purge, later, clock, daysLater } = retaining(days(30))
    const began = clock.now
    const organization = await sealedOne(5)
    daysLater(30)
    expect(await purge(organization)).toMatchObject({ events: 0 })
    clock.now = began + 30 * 24 * 60 * 60 * 1000 + 1
    expect(await purge(organization)).toMatchObject({ events: 5, horizon: 5 })
    expect(await sequencesOf(organization)).toEqual([6])
    later(1)
    expect(await purge(organization)).toMatchObject({ events: 0, waitsFor: [] })
  })

  it('a dry run counts the rows that the next run deletes, and makes no change [AUD-59]', async () => {
    const { sealedOne, purge, daysLater, tended } = retaining(days(30))
    const organization = await sealedOne(4)
    daysLater(20)
    for (const name of ['A', 'B', 'C']) await tended(organization, name)
    daysLater(15)
    const before = await rowCounts()
    const dry = await purge(organization, { dryRun: true })
    expect(await rowCounts()).toEqual(before)
    expect(await purge(organization)).toEqual(dry)
    expect(dry).toMatchObject({ events: 4, horizon: 4, more: false })
    expect(await sequencesOf(organization)).toEqual([5, 6, 7, 8])
  })

  it('a run can be asked to leave more, never to take more [AUD-59]', async () => {
    const { sealedOne, purge, daysLater, clock, tended } = retaining(days(30))
    const organization = await sealedOne(3)
    daysLater(1)
    await tended(organization, 'Later')
    const between = new Date(clock.now)
    daysLater(40)
    const now = new Date(clock.now)
    expect(await purge(organization, { olderThan: between, dryRun: true })).toMatchObject({
      events: 3,
    })
    const young = await sealedOne(3)
    expect(await purge(young, { olderThan: now })).toMatchObject({ events: 0 })
  })

  it('belongs to each organization, and a class can have a longer one [AUD-61]', async () => {
    const windows: RetentionWindow[] = [{ days: 30 }, { actions: 'organization.rename', days: 90 }]
    const { seatgate, sealedOne, purge, daysLater } = retaining(windows)
    const organization = await sealedOne(5)
    const own = retaining([...windows, { organizationId: organization, days: 10 }])
    own.clock.now += 20 * 24 * 60 * 60 * 1000
    expect(seatgate.retention.windows).toHaveLength(2)
    expect(await own.purge(organization, { dryRun: true })).toMatchObject({ events: 5 })
    daysLater(31)
    // The creation and its seat are past the window; the renames behind them are kept longer.
    expect(await purge(organization)).toMatchObject({ events: 2, horizon: 2 })
    expect(await sequencesOf(organization)).toEqual([3, 4, 5, 6])
    daysLater(60)
    expect(await purge(organization)).toMatchObject({ events: 3, horizon: 5 })
  })
})

describe('a run', () => {
  it('deletes the rows that belong to the events, and is recorded with counts and duration [AUD-60 AUD-65]', async () => {
    const metrics: Metric[] = []
    const dead = sinkOf('dead', () => ({ outcome: 'permanent', reason: 'schema' }))
    const { seatgate, clock, daysLater, purge, status, tended } = retaining(days(30), [dead], {
      measure: (metric) => metrics.push(metric),
      // Each look at the clock takes a tenth of a second.
      now: () => new Date((clock.now += 100)),
    })
    const organization = await organizationWith(seatgate)
    const token = asUser({ userId: owners.get(organization)! })
    const client = embedded({ auditLogKey: keys.privateKey, now: () => new Date(clock.now) })
    for (const name of ['A', 'B']) {
      const from = { 'cf-connecting-ip': '203.0.113.9', 'user-agent': name }
      await client.patch(`/organizations/${organization}`, { name }, token, from)
    }
    await tended(organization, 'C')
    expect(await count('seatgate_audit_personal', organization)).toBe(2)
    expect(await count('seatgate_sink_dead_letters', organization)).toBe(5)
    expect(await count('seatgate_sink_attempts', organization)).toBe(5)
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 5, horizon: 5 })
    expect(await count('seatgate_audit_personal', organization)).toBe(0)
    expect(await count('seatgate_sink_dead_letters', organization)).toBe(0)
    expect(await count('seatgate_sink_attempts', organization)).toBe(0)
    expect(await status(organization)).toEqual({
      horizon: 5,
      legalHold: null,
      runs: [
        {
          firstSequence: 1,
          lastSequence: 5,
          events: 5,
          personalRecords: 2,
          deadLetters: 5,
          lastHash: expect.stringMatching(/^[\w+/]{43}=$/),
          checkpointSize: 5,
          forced: false,
          startedAt: expect.any(String),
          milliseconds: expect.any(Number),
        },
      ],
    })
    const milliseconds = (await status(organization)).runs[0]!.milliseconds!
    expect(milliseconds).toBeGreaterThanOrEqual(100)
    expect(metrics).toContainEqual({ name: 'audit.purged', events: 5, milliseconds })
    expect(await eventsOf(organization, 'audit.purge_run')).toEqual([
      {
        sequence: 6,
        actor_type: 'system',
        metadata: { first_sequence: 1, last_sequence: 5, events: 5 },
      },
    ])
  })

  it('leaves the personal part that the first event left has too [AUD-60]', async () => {
    const windows = [{ days: 30 }, { actions: 'seat.*', days: 60 }]
    const { seatgate, clock, purge, daysLater, tended } = retaining(windows)
    const organization = await organizationWith(seatgate)
    daysLater(40)
    const client = embedded({ auditLogKey: keys.privateKey, now: () => new Date(clock.now) })
    const token = asUser({ userId: owners.get(organization)! })
    // Two events of one batch: somebody joins, and has a seat.
    const member = { userId: await newUser(), role: 'member' }
    const from = { 'cf-connecting-ip': '203.0.113.9' }
    await client.post(`/organizations/${organization}/members`, member, token, from)
    await tended(organization, 'A')
    daysLater(35)
    expect(await purge(organization)).toMatchObject({ horizon: 3 })
    expect(await count('seatgate_audit_personal', organization)).toBe(1)
    daysLater(60)
    expect(await purge(organization)).toMatchObject({ horizon: 5 })
    expect(await count('seatgate_audit_personal', organization)).toBe(0)
  })

  it('leaves the personal part that a later request shares [AUD-60]', async () => {
    const { seatgate, clock, purge, daysLater, tended } = retaining(days(30))
    const organization = await organizationWith(seatgate)
    const client = embedded({ auditLogKey: keys.privateKey, now: () => new Date(clock.now) })
    const token = asUser({ userId: owners.get(organization)! })
    const rename = (name: string) =>
      client.patch(`/organizations/${organization}`, { name }, token, {
        'cf-connecting-ip': '203.0.113.9',
      })
    const addresses = async () => {
      const list = await listAuditEvents(seatgate, { caller: system, organization })
      return unwrap(list).data.map(({ personal }) => personal?.ipAddress ?? null)
    }
    await rename('A')
    clock.now += 30 * 60 * 1000
    await rename('B')
    await tended(organization, 'C')
    expect(await count('seatgate_audit_personal', organization)).toBe(1)
    daysLater(30)
    clock.now -= 10 * 60 * 1000
    expect(await purge(organization)).toMatchObject({ horizon: 3 })
    expect((await addresses()).filter((address) => address !== null)).toEqual(['203.0.113.9'])
    daysLater(1)
    await purge(organization)
    expect(await count('seatgate_audit_personal', organization)).toBe(0)
  })

  it.each([1, 2])(
    'leaves the personal part that any event left has too, with %i of three events of two actors gone [AUD-60]',
    async (gone) => {
      const windows = [{ days: 30 }, { actions: 'late.*', days: 60 }]
      const { seatgate, purge, daysLater, tended, status } = retaining(windows)
      const organization = await organizationWith(seatgate)
      daysLater(40)
      const scope = { caller: system, organization, origin: { ipAddress: '203.0.113.9' } }
      const events = ['ada', 'ben', 'ada'].map((id, index) => ({
        action: index < gone ? 'early.done' : 'late.done',
        actor: { type: 'user', id } as const,
      }))
      unwrap(await commitTogether(seatgate, unwrap(prepareEvents(seatgate, scope, events))))
      await tended(organization, 'A')
      expect(await count('seatgate_audit_personal', organization)).toBe(2)
      daysLater(35)
      expect(await purge(organization)).toMatchObject({ horizon: 2 + gone })
      expect(await count('seatgate_audit_personal', organization)).toBe(3 - gone)
      daysLater(60)
      expect(await purge(organization)).toMatchObject({ horizon: 6 })
      expect(await count('seatgate_audit_personal', organization)).toBe(0)
      const { runs } = await status(organization)
      expect(runs.map(({ personalRecords }) => personalRecords)).toEqual([3 - gone, gone - 1])
    }
  )

  it('without events is not recorded, nor is one that would delete only the records of other runs [AUD-65]', async () => {
    const { seatgate, sealedOne, purge, daysLater, tended, status } = retaining(days(30))
    const organization = await sealedOne(3)
    daysLater(31)
    await purge(organization)
    await tended(organization, 'A')
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 2, horizon: 5 })
    expect(await purge(organization)).toMatchObject({ events: 0 })
    await sealOrganization(seatgate, organization)
    daysLater(31)
    // What is left is the record of the second run.
    expect(await purge(organization)).toMatchObject({ events: 0, horizon: 5 })
    expect(await sequencesOf(organization)).toEqual([6])
    await tended(organization, 'B')
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 2, horizon: 7 })
    expect((await status(organization)).runs.map(({ lastSequence }) => lastSequence)).toEqual([
      7, 5, 3,
    ])
  })

  it('is bounded, and the next one continues', async () => {
    const { seatgate, purge, daysLater } = retaining(days(30))
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 1500)
    await sealOrganization(seatgate, organization)
    daysLater(31)
    const dry = await purge(organization, { dryRun: true })
    expect(dry).toMatchObject({ events: 1000, more: true })
    expect(await purge(organization)).toEqual(dry)
    expect(await purge(organization)).toMatchObject({ events: 502, more: false, horizon: 1502 })
    expect((await sequencesOf(organization))[0]).toBe(1503)
  })

  it('is only for the host and its operators', async () => {
    const { seatgate, sealedOne, daysLater } = retaining(days(30))
    const organization = await sealedOne()
    daysLater(31)
    const callers = [
      [{ userId: owners.get(organization)! }, 'insufficient_role'],
      [{ userId: 'x', operator: true, impersonatedBy: 'y' }, 'insufficient_role'],
      [{ type: 'anonymous' } as const, 'insufficient_role'],
    ] as const
    for (const [caller, code] of callers) {
      for (const act of [purgeAuditEvents, placeLegalHold, releaseLegalHold]) {
        const asked = await act(seatgate, { caller, organization }, { reason: 'x' } as never)
        expect(asked).toMatchObject({ error: { code } })
      }
    }
    const scope = { caller: operator, organization }
    expect(await purgeAuditEvents(seatgate, scope)).toMatchObject({ value: { events: 5 } })
    expect(await eventsOf(organization, 'audit.purge_run')).toMatchObject([
      { actor_type: 'operator' },
    ])
    expect(await purgeAuditEvents(seatgate, scope, { force: 'yes' } as never)).toMatchObject({
      error: { code: 'validation_error' },
    })
  })

  it('deletes each event once, of ten at once', async () => {
    const { seatgate, sealedOne, daysLater, scopeOf, status } = retaining(days(30))
    const organization = await sealedOne(8)
    daysLater(31)
    const runs = await Promise.all(
      Array.from({ length: 10 }, () => purgeAuditEvents(seatgate, scopeOf(organization)))
    )
    const taken = runs.map((run) => (run.ok ? run.value.events : 0))
    expect(taken.reduce((sum, events) => sum + events)).toBe(8)
    expect((await status(organization)).runs).toHaveLength(1)
  })

  it('takes the trail of a deleted organization too, and that of the platform', async () => {
    const { sealedOne, purge, daysLater } = retaining(days(30))
    const organization = await sealedOne(5)
    await testEnv.DB.prepare('UPDATE seatgate_organizations SET deleted_at = 1 WHERE id = ?')
      .bind(organization)
      .run()
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 5 })
    expect(await purge(crypto.randomUUID())).toMatchObject({ events: 0 })
  })
})

describe('the conditions of a run', () => {
  it('a legal hold keeps all events until it is released, and is recorded [AUD-61]', async () => {
    const { seatgate, sealedOne, purge, daysLater, scopeOf, status } = retaining(days(30))
    const organization = await sealedOne()
    daysLater(31)
    const scope = scopeOf(organization)
    for (let twice = 0; twice < 2; twice++) {
      const held = await placeLegalHold(seatgate, scope, { reason: 'case 7' })
      expect(held).toEqual({ ok: true, value: { organizationId: organization, held: true } })
    }
    expect((await status(organization)).legalHold).toMatchObject({ reason: 'case 7' })
    for (const force of [false, true]) {
      expect(await purge(organization, { force })).toMatchObject({
        events: 0,
        waitsFor: ['legal_hold'],
      })
    }
    expect(await sequencesOf(organization)).toEqual(upTo(6))
    unwrap(await releaseLegalHold(seatgate, scope, { reason: 'settled' }))
    expect((await status(organization)).legalHold).toBeNull()
    expect(await purge(organization)).toMatchObject({ events: 5 })
    expect(await eventsOf(organization, 'audit.hold_place')).toMatchObject([
      { metadata: { reason: 'case 7' } },
    ])
    expect(await eventsOf(organization, 'audit.hold_release')).toHaveLength(1)
  })

  const REPLAY = 'UPDATE seatgate_sink_cursors SET sequence = 0 WHERE organization_id = ?'

  it.each([
    [
      'AUD-61: a hold that comes',
      "UPDATE seatgate_audit_retention SET held_at = 1, held_reason = 'x' WHERE organization_id = ?",
      ['legal_hold'],
      false,
    ],
    ['AUD-62: a replay that comes', REPLAY, ['sink'], false],
    ['AUD-62: a replay, to a sink that is switched off here, that comes', REPLAY, ['sink'], true],
  ])('%s between the plan and its batch is waited for', async (_what, sql, waitsFor, disabled) => {
    const sink = sinkOf('sink')
    const { sealedOne, daysLater, tended, clock } = retaining(days(30), [sink])
    const organization = await sealedOne(4)
    await tended(organization, 'A')
    daysLater(31)
    let between = false
    const kit = createKit({
      provider: 'd1',
      auditLogKey: keys.privateKey,
      retention: days(30),
      sinks: [{ ...sink, disabled }],
      now: () => new Date(clock.now),
      async around({ asked }, run) {
        if (
          !between &&
          asked.some((text) => text.startsWith('delete from "seatgate_audit_events"'))
        ) {
          between = true
          await testEnv.DB.prepare(sql).bind(organization).run()
        }
        return run()
      },
    })
    const scope = { caller: system, organization }
    const run = unwrap(await purgeAuditEvents(kit.seatgate, scope))
    expect(run).toMatchObject({ events: 0, waitsFor })
    expect(await sequencesOf(organization)).toEqual(upTo(5))
  })

  it.each([
    ['no trail', { reason: 'x' }, 'organization_not_found', crypto.randomUUID()],
    ['no reason', {}, 'validation_error', null],
    ['an empty reason', { reason: '' }, 'validation_error', null],
  ])('a hold of %s is refused', async (_what, input, code, elsewhere) => {
    const { seatgate, sealedOne, scopeOf } = retaining([])
    const organization = elsewhere ?? (await sealedOne(2))
    expect(await placeLegalHold(seatgate, scopeOf(organization), input as never)).toMatchObject({
      error: { code },
    })
  })

  it('keeps events that no checkpoint covers [AUD-64]', async () => {
    const { seatgate, sealedOne, purge, daysLater } = retaining(days(30))
    const organization = await sealedOne(3)
    for (const name of ['A', 'B']) await rename(seatgate, organization, name)
    daysLater(31)
    expect(await purge(organization)).toMatchObject({
      events: 3,
      horizon: 3,
      waitsFor: ['checkpoint'],
    })
  })

  it('events that a required sink has not received stay, unless forced, which is recorded [AUD-62]', async () => {
    const down = sinkOf('down', ({ sequence }) => (sequence > 2 ? retry : { outcome: 'delivered' }))
    const { sealedOne, tended, purge, daysLater, status } = retaining(days(30), [down])
    const organization = await sealedOne(5)
    await tended(organization, 'A')
    expect(await cursorOf(organization, 'down')).toMatchObject({ sequence: 2 })
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 2, waitsFor: ['down'] })
    expect(await purge(organization)).toMatchObject({ events: 0, waitsFor: ['down'] })
    expect(await purge(organization, { force: true })).toMatchObject({ events: 4, horizon: 6 })
    expect(await eventsOf(organization, 'audit.forced_purge')).toMatchObject([
      { metadata: { first_sequence: 3, last_sequence: 6, events: 4, sinks: 'down' } },
    ])
    expect((await status(organization)).runs[0]).toMatchObject({ forced: true })
  })

  it.each<[string, Partial<Sink>]>([
    ['that is switched off for now', { disabled: true }],
    ['whose attach answers an error', { attach: () => new Error('no key') }],
    [
      'whose attach throws',
      {
        attach() {
          throw new Error('no key')
        },
      },
    ],
  ])('a required sink %s loses no event [AUD-62]', async (_what, how) => {
    const siem = sinkOf('siem')
    const present = retaining(days(30), [siem])
    const organization = await present.sealedOne(3)
    await forwardOrganization(present.seatgate, organization)

    const absent = retaining(days(30), [{ ...siem, ...how }])
    await absent.tended(organization, 'A')
    absent.daysLater(31)
    expect(await absent.purge(organization)).toMatchObject({ horizon: 3, waitsFor: ['siem'] })
    expect(await absent.purge(organization)).toMatchObject({ events: 0, waitsFor: ['siem'] })
    const [run] = await eventsOf(organization, 'audit.purge_run')
    expect(run!.metadata).toEqual({ first_sequence: 1, last_sequence: 3, events: 3 })

    await forwardOrganization(present.seatgate, organization)
    expect(siem.sequences()).toEqual(upTo(5))
  })

  it('a missing sink that is not required is not waited for [AUD-62]', async () => {
    const missing: Sink = { ...sinkOf('siem'), disabled: true, required: false }
    const { sealedOne, purge, daysLater } = retaining(days(30), [missing])
    const organization = await sealedOne(5)
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 5, waitsFor: [] })
    const [run] = await eventsOf(organization, 'audit.purge_run')
    expect(run!.metadata).toMatchObject({ sinks: 'siem' })
  })

  it('a dead letter that is to be tried again is waited for [AUD-62]', async () => {
    const dead = sinkOf('dead', () => ({ outcome: 'permanent', reason: 'no' }))
    const { sealedOne, tended, purge, daysLater } = retaining(days(30), [dead])
    const organization = await sealedOne(5)
    await tended(organization, 'A')
    await testEnv.DB.prepare(
      "UPDATE seatgate_sink_dead_letters SET state = 'queued' WHERE organization_id = ? AND sequence = 3"
    )
      .bind(organization)
      .run()
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ horizon: 2, waitsFor: ['dead'] })
  })

  it('a sink that is not required is not waited for, and it is said that it missed some [AUD-62]', async () => {
    let up = false
    const down = sinkOf('down', () => (up ? delivered : retry))
    const optional = { ...down, required: false }
    const { seatgate, sealedOne, tended, purge, daysLater, scopeOf } = retaining(days(30), [
      optional,
    ])
    const organization = await sealedOne(5)
    await tended(organization, 'A')
    daysLater(31)
    expect(await purge(organization)).toMatchObject({ events: 6, waitsFor: [] })
    expect(await eventsOf(organization, 'audit.purge_run')).toMatchObject([
      { metadata: { sinks: 'down' } },
    ])
    // It goes on behind the horizon, and nobody can replay what is gone.
    up = true
    await forwardOrganization(seatgate, organization)
    expect(down.sequences()).toEqual([7])
    const replay = (fromSequence: number) =>
      replaySink(seatgate, scopeOf(organization), 'down', { fromSequence })
    expect(await replay(6)).toEqual({ ok: false, error: { code: 'before_horizon', horizon: 6 } })
    expect(await replay(7)).toMatchObject({ ok: true })
  })
})

describe('the sweep', () => {
  it('looks at each trail once a day', async () => {
    const { seatgate, clock, sealedOne, daysLater, tended } = retaining(days(30))
    const organization = await sealedOne(5)
    await due(organization)
    daysLater(31)
    await sweepRetention(seatgate)
    expect(await dueAt(organization)).toBe(clock.now + DAY_SECONDS * 1000)
    expect(await sequencesOf(organization)).toEqual([6])
    await tended(organization, 'A')
    daysLater(31)
    await due(organization)
    await sweepRetention(seatgate)
    expect((await sequencesOf(organization))[0]).toBe(8)
  })

  it('continues at once while more is due', async () => {
    const { seatgate, clock, daysLater } = retaining(days(30))
    const organization = await organizationWith(seatgate)
    await addEvents(organization, 1500)
    await sealOrganization(seatgate, organization)
    daysLater(31)
    await due(organization)
    await sweepRetention(seatgate)
    expect(await dueAt(organization)).toBe(clock.now)
    await sweepRetention(seatgate)
    expect((await sequencesOf(organization))[0]).toBe(1503)
    expect(await dueAt(organization)).toBe(clock.now + DAY_SECONDS * 1000)
  })

  it('takes its windows at start, and from no request [AUD-68]', async () => {
    const { sealedOne } = retaining(days(30))
    const organization = await sealedOne()
    const client = embedded({ auditLogKey: keys.privateKey, retention: days(30) })
    for (const path of ['retention', 'purge', 'holds', 'purges']) {
      for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) {
        const url = `/organizations/${organization}/audit/${path}`
        const answer = await client.send(method, url, {}, anOperator)
        expect(answer.status, `${method} ${path}`).toBe(404)
      }
    }
  })
})

describe('the cost of a run', () => {
  it('three trips, and rows in proportion to the deleted ones, for any length of the trail', async () => {
    const meter = createMeter()
    const { seatgate, clock, daysLater } = retaining(days(30))
    const costs = []
    for (const [events, more] of [
      [98, 0],
      [998, 0],
      [998, 9_000],
    ] as const) {
      const organization = await organizationWith(seatgate)
      await addEvents(organization, events + more)
      await sealOrganization(seatgate, organization)
      daysLater(31)
      const kit = createKit({
        provider: 'd1',
        around: meter.around,
        auditLogKey: keys.privateKey,
        retention: days(30),
        now: () => new Date(clock.now),
      })
      const scope = { caller: system, organization }
      const [run, cost] = await meter.measure(
        () => purgeAuditEvents(kit.seatgate, scope),
        kit.settled
      )
      expect(unwrap(run).events).toBe(events + 2)
      costs.push(cost)
    }
    const [few, many, long] = costs
    expect(costs.map(({ d1Trips }) => d1Trips)).toEqual([3, 3, 3])
    expect(many!.rowsRead / few!.rowsRead).toBeLessThan(10.5)
    expect(many!.rowsWritten / few!.rowsWritten).toBeLessThan(10.5)
    expect(Math.abs(long!.rowsRead - many!.rowsRead)).toBeLessThan(50)
  })
})
