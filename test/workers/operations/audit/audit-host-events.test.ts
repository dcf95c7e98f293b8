import { sql } from 'drizzle-orm'
import { describe, expect, it } from 'vitest'
import {
  combine,
  commitTogether,
  d1Seats,
  erasePersonalData,
  listAuditEvents,
  logEvent,
  logSafe,
  personalDigest,
  prepareEvents,
  renameOrganization,
  type AuditEvent,
  type HostEvent,
  type Metric,
  type Scope,
} from '../../../../src/index.ts'
import {
  type FlatOptions,
  db,
  embedded,
  postOrganization,
  seatgateWith,
  asUser,
  organizationWith,
  owners,
  testEnv,
} from '../../../kit/index.ts'

function recording(options: Partial<FlatOptions> = {}) {
  const metrics: Metric[] = []
  const seatgate = seatgateWith({
    seats: d1Seats(),
    // Those of events; operations send their own, in engine/changes/measures.test.ts.
    measure: (metric) => void (metric.name.startsWith('audit.') && metrics.push(metric)),
    ...options,
  })
  return { seatgate, metrics }
}

async function eventsOf(organization: string): Promise<readonly AuditEvent[]> {
  const listed = await listAuditEvents(
    seatgateWith(),
    { caller: { type: 'system' }, organization },
    { limit: 200 }
  )
  if (!listed.ok) throw new Error(listed.error.code)
  return listed.value.data.toReversed()
}

const code = (result: { ok: true } | { ok: false; error: { code: string } }) =>
  result.ok ? 'ok' : result.error.code
const charge: HostEvent = {
  action: 'billing.charged',
  metadata: { cents: 7 },
  idempotencyKey: 'ch_1',
}

describe('an event of the host’s own', () => {
  it('is recorded in its organization, with defaults, actor and marks [AUD-1 AUD-19]', async () => {
    const { seatgate, metrics } = recording()
    const organization = await organizationWith(seatgate)
    const scope = {
      caller: { userId: 'ada' },
      organization,
      requestId: 'r1',
      origin: { traceId: 't1', ipAddress: '203.0.113.9', userAgent: 'curl' },
    }
    metrics.length = 0
    const logged = await logEvent(seatgate, scope, { action: 'billing.viewed' })
    const event = (await eventsOf(organization)).at(-1)!
    expect(event).toMatchObject({
      id: logged.ok && logged.value.id,
      sequence: 3,
      action: 'billing.viewed',
      outcome: 'success',
      actorType: 'user',
      actorId: 'ada',
      effectiveUserId: 'ada',
      targetType: null,
      targetId: null,
      metadata: {},
      requestId: 'r1',
      traceId: 't1',
      personal: { ipAddress: '203.0.113.9', userAgent: 'curl' },
    })
    expect(Math.abs(Date.parse(event.occurredAt) - Date.now())).toBeLessThan(60_000)
    expect(personalDigest(event.personal!)).toBe(event.personalDigest)
    // AUD-12: the metric has these and nothing else.
    const { id, action, outcome, occurredAt } = event
    expect(metrics).toEqual([{ name: 'audit.recorded', id, action, outcome, occurredAt }])
  })

  it('two in one batch both commit, and are measured once each, in order [AUD-12 AUD-10]', async () => {
    const { seatgate, metrics } = recording()
    const organization = await organizationWith(seatgate)
    metrics.length = 0
    const told = prepareEvents(seatgate, { caller: { type: 'system' }, organization }, [
      { action: 'billing.one' },
      { action: 'billing.two', outcome: 'failure' },
    ])
    if (!told.ok) throw new Error(code(told))
    expect(metrics).toEqual([])
    expect(await commitTogether(seatgate, told.value)).toMatchObject({ ok: true })
    expect(metrics.map((metric) => 'action' in metric && metric.action)).toEqual([
      'billing.one',
      'billing.two',
    ])
    for (const metric of metrics) {
      expect(Object.keys(metric).sort()).toEqual(['action', 'id', 'name', 'occurredAt', 'outcome'])
    }
  })

  it('no event is kept or measured if one is wrong, or the host’s own statement [AUD-11 AUD-9]', async () => {
    const { seatgate, metrics } = recording()
    const organization = await organizationWith(seatgate)
    metrics.length = 0
    const scope = { caller: { type: 'system' }, organization } as const
    const wrong = prepareEvents(seatgate, scope, [
      { action: 'billing.one' },
      { action: 'billing.two', metadata: { token: 'x' } },
    ])
    expect(code(wrong)).toBe('validation_error')
    const told = prepareEvents(seatgate, scope, [{ action: 'billing.one' }])
    if (!told.ok) throw new Error(code(told))
    const breaking = db.run(sql`insert into seatgate_guards values ('broken')`) as never
    await commitTogether(seatgate, told.value, { after: [breaking] })
    expect(await eventsOf(organization)).toHaveLength(2)
    expect(metrics).toEqual([])
  })

  it('is written in one batch with a change of the library', async () => {
    const { seatgate } = recording()
    const organization = await organizationWith(seatgate)
    const scope = { caller: { userId: owners.get(organization)! }, organization }
    const [one, two] = [charge, { action: 'billing.more' }].map((event) => {
      const told = prepareEvents(seatgate, scope, [event])
      if (!told.ok) throw new Error(code(told))
      return told.value
    })
    expect(code(await commitTogether(seatgate, combine(one!, two!)))).toBe('ok')
    expect((await eventsOf(organization)).slice(2).map(({ action }) => action)).toEqual([
      'billing.charged',
      'billing.more',
    ])
  })

  it.each(['auth.', 'session.', 'mfa.', 'oauth.', 'api.', 'account.', 'sigra.'])(
    '%s is not the host’s, in a batch or alone, unless it is configured so [AUD-5 AUD-7]',
    async (prefix) => {
      const { seatgate } = recording()
      const event = { action: `${prefix}done` }
      const scope = { caller: { type: 'system' } } as const
      expect(() => prepareEvents(seatgate, scope, [event])).toThrow(/reserved prefix/)
      expect(await logEvent(seatgate, scope, event)).toMatchObject({
        error: {
          code: 'validation_error',
          errors: { action: [expect.stringMatching('reserved')] },
        },
      })
      const open = recording({ reservedActionPrefixes: [] }).seatgate
      expect(code(await logEvent(open, scope, event))).toBe('ok')
    }
  )

  it.each(['organization.member_add', 'seat.assigned', 'audit.erasure'])(
    '%s cannot be forged by any configuration [AUD-6]',
    async (action) => {
      const { seatgate } = recording({ reservedActionPrefixes: [] })
      const scope = { caller: { type: 'system' } } as const
      expect(() => prepareEvents(seatgate, scope, [{ action }])).toThrow(TypeError)
      expect(code(await logEvent(seatgate, scope, { action }))).toBe('validation_error')
    }
  )

  it('names the right actor [AUD-16 AUD-17 AUD-18]', async () => {
    const { seatgate } = recording()
    const organization = await organizationWith(seatgate)
    const log = async (caller: Exclude<Scope['caller'], { statement: unknown }>, more = {}) => {
      await logEvent(seatgate, { caller, organization }, { action: 'billing.seen', ...more })
      const { actorType, actorId, effectiveUserId } = (await eventsOf(organization)).at(-1)!
      return [actorType, actorId, effectiveUserId]
    }
    const account = {
      type: 'service_account',
      serviceAccountId: 'key-7',
      organizationId: organization,
      role: 'admin',
    } as const
    expect(await log({ userId: 'ada' })).toEqual(['user', 'ada', 'ada'])
    expect(await log({ type: 'system' })).toEqual(['system', null, null])
    expect(await log({ userId: 'ada', impersonatedBy: 'ops' })).toEqual(['operator', 'ops', 'ada'])
    expect(await log(account)).toEqual(['service_account', 'key-7', null])
    const actor = { type: 'webhook', id: 'evt_1' }
    expect(await log({ userId: 'ada' }, { actor })).toEqual(['webhook', 'evt_1', 'ada'])
  })

  it('belongs to no organization that does not exist, and to the platform if it names no organization', async () => {
    const { seatgate } = recording()
    const scope = { caller: { type: 'system' }, organization: crypto.randomUUID() } as const
    expect(code(await logEvent(seatgate, scope, { action: 'a.b' }))).toBe('organization_not_found')
    expect(code(await logEvent(seatgate, { caller: scope.caller }, { action: 'a.b' }))).toBe('ok')
    const row = await testEnv.DB.prepare(
      "SELECT count(*) AS n FROM seatgate_audit_events WHERE organization_id = 'system' AND action = 'a.b'"
    ).first('n')
    expect(row).toBe(1)
    const slugged = { caller: scope.caller, organization: 'acme' }
    expect(() => prepareEvents(seatgate, slugged, [])).toThrow(TypeError)
  })

  it('names its cause only by id, without a reference [AUD-22]', async () => {
    const { seatgate } = recording()
    const scope = { caller: { userId: 'ada' }, organization: await organizationWith(seatgate) }
    const gone = crypto.randomUUID()
    for (const causeEventId of [gone, 'a-webhook-that-was-pruned']) {
      const event = { action: 'billing.retried', causeEventId }
      expect(await logEvent(seatgate, scope, event)).toMatchObject({ ok: true })
    }
    const causes = await testEnv.DB.prepare(
      `SELECT cause_event_id AS cause FROM seatgate_audit_events
       WHERE organization_id = ? AND cause_event_id IS NOT NULL ORDER BY sequence`
    )
      .bind(scope.organization)
      .all<{ cause: string }>()
    expect(causes.results.map(({ cause }) => cause)).toEqual([gone, 'a-webhook-that-was-pruned'])
    const keys = await testEnv.DB.prepare('PRAGMA foreign_key_list(seatgate_audit_events)').all()
    expect(keys.results).toEqual([])
  })
})

describe('an idempotent append', () => {
  it('answers the event that is there, and writes no other beside it [AUD-21 AUD-52]', async () => {
    const { seatgate } = recording()
    const scope = { caller: { userId: 'ada' }, organization: await organizationWith(seatgate) }
    const first = await logEvent(seatgate, scope, charge)
    const again = await logEvent(seatgate, { ...scope, requestId: 'later' }, charge)
    expect(first.ok).toBe(true)
    expect(again).toEqual(first)
    expect(await eventsOf(scope.organization)).toHaveLength(3)
  })

  it('the order of metadata’s members makes no difference [AUD-21]', async () => {
    const { seatgate } = recording()
    const scope = { caller: { userId: 'ada' }, organization: await organizationWith(seatgate) }
    const first = await logEvent(seatgate, scope, {
      ...charge,
      metadata: { a: 1, b: { c: 2, d: 3 } },
    })
    const again = await logEvent(seatgate, scope, {
      ...charge,
      metadata: { b: { d: 3, c: 2 }, a: 1 },
    })
    expect(again).toEqual(first)
  })

  it.each([
    ['action', { action: 'billing.other' }],
    ['metadata', { metadata: { cents: 8 } }],
    ['outcome', { outcome: 'failure' }],
    ['target', { target: { type: 'invoice', id: '1' } }],
    ['actor', { actor: { type: 'job', id: 'nightly' } }],
    ['cause', { causeEventId: 'x' }],
  ] as const)('is idempotency_mismatch for another %s [AUD-21]', async (_what, change) => {
    const { seatgate } = recording()
    const scope = { caller: { userId: 'ada' }, organization: await organizationWith(seatgate) }
    await logEvent(seatgate, scope, charge)
    const other = await logEvent(seatgate, scope, { ...charge, ...change })
    expect(code(other)).toBe('idempotency_mismatch')
    expect(await eventsOf(scope.organization)).toHaveLength(3)
  })

  it('a key is one organization’s own [AUD-21]', async () => {
    const { seatgate } = recording()
    for (const organization of [
      await organizationWith(seatgate),
      await organizationWith(seatgate),
    ]) {
      await logEvent(seatgate, { caller: { userId: 'ada' }, organization }, charge)
      expect(await eventsOf(organization)).toHaveLength(3)
    }
  })

  it('twenty at once are one event [AUD-52 AUD-53]', async () => {
    const { seatgate } = recording()
    const scope = { caller: { userId: 'ada' }, organization: await organizationWith(seatgate) }
    const all = await Promise.all(
      Array.from({ length: 20 }, () => logEvent(seatgate, scope, charge))
    )
    expect(new Set(all.map((logged) => logged.ok && logged.value.id)).size).toBe(1)
    expect(await eventsOf(scope.organization)).toHaveLength(3)
  })
})

describe('logSafe', () => {
  it('never fails, and reports only field names [AUD-8]', async () => {
    const { seatgate, metrics } = recording()
    const scope = { caller: { type: 'system' } } as const
    await logSafe(seatgate, scope, { action: 'a.b', metadata: { apiKey: 'very secret' } })
    await logSafe(seatgate, { ...scope, organization: 'acme' }, { action: 'a.b' })
    const broken = recording({
      database: new Proxy(db, {
        get: (target, key) =>
          key === 'batch' ? () => Promise.reject(new Error('down')) : Reflect.get(target, key),
      }),
    })
    await logSafe(broken.seatgate, scope, { action: 'a.b' })
    await logSafe(seatgate, scope, null as unknown as HostEvent)
    const failed = (reason: string, fields: string[] = [], action: string | undefined = 'a.b') => ({
      name: 'audit.log_failed',
      action,
      reason,
      fields,
    })
    expect(metrics).toEqual([
      failed('validation_error', ['metadata.apiKey']),
      failed('error'),
      { ...failed('validation_error', ['event']), action: undefined },
    ])
    expect(broken.metrics).toEqual([failed('unavailable')])
    await expect(
      logSafe(
        recording({
          measure: () => {
            throw new Error('no')
          },
        }).seatgate,
        scope,
        { action: 'x' }
      )
    ).resolves.toBeUndefined()
  })
})

describe('the recorded data of a request', () => {
  const headers = {
    'cf-ray': '8f2d-VIE',
    'x-request-id': 'mine',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    'cf-connecting-ip': '203.0.113.9',
    'user-agent': `curl/${'9'.repeat(600)}`,
  }
  const renamed = async (sent: Record<string, string>, options: Partial<FlatOptions> = {}) => {
    const client = embedded(options)
    const token = asUser({ userId: crypto.randomUUID() })
    const { id } = await postOrganization({ token }, {}, client)
    await client.patch(`/organizations/${id}`, { name: 'New' }, token, sent)
    return (await eventsOf(id)).at(-1)!
  }

  it('request, trace, address and agent, cut to length [AUD-20]', async () => {
    expect(await renamed(headers)).toMatchObject({
      requestId: '8f2d-VIE',
      traceId: '0af7651916cd43dd8448eb211c80319c',
      personal: { ipAddress: '203.0.113.9', userAgent: headers['user-agent'].slice(0, 512) },
    })
  })

  it('an id of the client’s own is marked as theirs, and kept only if it is short and plain [AUD-20]', async () => {
    expect((await renamed({ 'x-request-id': 'mine' })).requestId).toBe('client:mine')
    expect((await renamed({ 'x-request-id': 'x'.repeat(65) })).requestId).toBeNull()
    expect((await renamed({ 'x-request-id': 'a b' })).requestId).toBeNull()
  })

  it.each([
    `00-${'0'.repeat(32)}-b7ad6b7169203331-01`,
    `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-01`,
    'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more',
    '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-012',
    '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01more',
    '0af7651916cd43dd8448eb211c80319c',
  ])('an invalid traceparent is ignored: %s', async (traceparent) => {
    expect((await renamed({ traceparent })).traceId).toBeNull()
  })

  it('a traceparent of a later version may have more behind its flags', async () => {
    const traceparent = '01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'
    expect((await renamed({ traceparent })).traceId).toBe('0af7651916cd43dd8448eb211c80319c')
  })

  it('records neither address nor agent if the options turn that off', async () => {
    const none = await renamed(headers, { recordIpAddress: false, recordUserAgent: false })
    expect(none).toMatchObject({ personal: null, personalDigest: null })
    const agent = await renamed(headers, { recordIpAddress: false })
    expect(agent.personal).toMatchObject({ ipAddress: null, userAgent: expect.any(String) })
  })

  it('personal data can be erased, and the event stays unchanged [AUD-66]', async () => {
    const event = await renamed(headers)
    await testEnv.DB.prepare('DELETE FROM seatgate_audit_personal WHERE digest = ?')
      .bind(event.personalDigest)
      .run()
    expect((await eventsOf(event.organizationId)).at(-1)).toEqual({ ...event, personal: null })
  })

  it('one batch keeps personal data once for each organization', async () => {
    const { seatgate } = recording()
    const organization = await organizationWith(seatgate)
    const scope = {
      caller: { userId: owners.get(organization)! },
      organization,
      origin: { ipAddress: '203.0.113.9' },
    }
    const told = prepareEvents(seatgate, scope, [{ action: 'a.b' }, { action: 'a.c' }])
    if (told.ok) await commitTogether(seatgate, told.value)
    const elsewhere = { ...scope, origin: { ipAddress: '203.0.113.10' } }
    await renameOrganization(seatgate, elsewhere, { name: 'Other' })
    const digests = (await eventsOf(organization)).slice(2).map((event) => event.personalDigest)
    expect(digests[0]).toBe(digests[1])
    expect(digests[2]).not.toBe(digests[0])
  })
})

describe('the rules of events', () => {
  it.each([
    ['audit.reservedPrefixes', { reservedActionPrefixes: ['Auth.'] }],
    ['audit.reservedPrefixes', { reservedActionPrefixes: ['auth'] }],
    ['audit.metadataBytes', { auditMetadataBytes: 8193 }],
    ['audit.metadataBytes', { auditMetadataBytes: 0 }],
  ])('a wrong %s is refused at start [AUD-30]', (name, options) => {
    expect(() => seatgateWith(options)).toThrow(name)
  })
})

describe('erasing a person', () => {
  it('deletes their data in every organization, records it, and leaves the events [AUD-66]', async () => {
    const sink = { id: 'log', deliver: async () => ({ outcome: 'delivered' }) as const }
    const former = { ...sink, id: 'former', disabled: true }
    const { seatgate } = recording({ sinks: [sink, former] })
    const userId = crypto.randomUUID()
    const origin = { ipAddress: '203.0.113.9' }
    const organizations = [await organizationWith(seatgate), await organizationWith(seatgate)]
    for (const organization of organizations) {
      for (const caller of [{ userId }, { userId: 'bystander' }]) {
        await logEvent(seatgate, { caller, organization, origin }, { action: 'a.b' })
      }
    }
    const before = await Promise.all(organizations.map(eventsOf))
    const erase = (caller: Scope['caller']) => erasePersonalData(seatgate, { caller }, userId)
    expect(code(await erase({ userId }))).toBe('insufficient_role')
    expect(await erase({ userId: 'ops', operator: true })).toEqual({
      ok: true,
      value: { erased: 2, sinks: ['log', 'former'] },
    })
    for (const [index, organization] of organizations.entries()) {
      const after = await eventsOf(organization)
      const kept = before[index]!.map((event) =>
        event.actorId === userId ? { ...event, personal: null } : event
      )
      expect(after.slice(0, -1)).toEqual(kept)
      expect(kept.some(({ personal }) => personal !== null)).toBe(true)
      expect(after.at(-1)).toMatchObject({
        action: 'audit.erasure',
        actorType: 'operator',
        targetId: userId,
        metadata: { user_id: userId, records: 1 },
      })
    }
    expect(await erase({ type: 'system' })).toMatchObject({ value: { erased: 0 } })
  })
})

describe('a host event with text that a store would change [B15]', () => {
  const broken = ['\ud800', 'a\udc00', '\ud83d\ud83d\udcba']
  const inScope = { caller: { userId: 'ada' } } as const
  const ways: [string, string, (text: string) => [HostEvent, object?]][] = [
    ['the target’s id', 'target.id', (id) => [{ action: 'a.b', target: { type: 'x', id } }]],
    ['the target’s type', 'target.type', (type) => [{ action: 'a.b', target: { type, id: 'x' } }]],
    ['the action', 'action', (text) => [{ action: `a.b${text}` }]],
    [
      'a key of metadata',
      'metadata',
      (key) => [{ action: 'a.b', metadata: { a: [{ [key]: 1 }] } }],
    ],
    ['a value of metadata', 'metadata', (text) => [{ action: 'a.b', metadata: { a: [[text]] } }]],
    ['the actor’s id', 'actor.id', (id) => [{ action: 'a.b', actor: { type: 'job', id } }]],
    ['the idempotency key', 'idempotencyKey', (text) => [{ action: 'a.b', idempotencyKey: text }]],
    ['the cause', 'causeEventId', (text) => [{ action: 'a.b', causeEventId: text }]],
    ['the request’s id', 'requestId', (requestId) => [{ action: 'a.b' }, { requestId }]],
    ['the caller', 'caller.userId', (userId) => [{ action: 'a.b' }, { caller: { userId } }]],
    [
      'the operator',
      'caller.id',
      (impersonatedBy) => [{ action: 'a.b' }, { caller: { userId: 'ada', impersonatedBy } }],
    ],
  ]

  it.each(ways)('is refused for %s, by its field [B15]', async (_what, field, way) => {
    const { seatgate } = recording()
    for (const text of broken) {
      const [event, scope] = way(text)
      const logged = await logEvent(seatgate, { ...inScope, ...scope }, event)
      expect(logged).toMatchObject({ error: { code: 'validation_error' } })
      const { errors } = (logged as unknown as { error: { errors: object } }).error
      expect(Object.keys(errors)).toContain(field)
      expect(JSON.stringify(logged).isWellFormed()).toBe(true)
    }
    const pairs = '\u{1f4ba}'
    const [event, scope] = way(pairs)
    const logged = await logEvent(seatgate, { ...inScope, ...scope }, event)
    if (field !== 'action') expect(logged).toMatchObject({ ok: true })
  })

  it('is refused for control characters in an id [B15]', async () => {
    const { seatgate } = recording()
    for (const id of ['a\0', 'a\nb', '\u2028']) {
      const event = { action: 'a.b', target: { type: 'x', id } }
      expect(await logEvent(seatgate, inScope, event)).toMatchObject({
        error: { code: 'validation_error', errors: { 'target.id': [expect.any(String)] } },
      })
    }
  })
})
