import { describe, expect, it } from 'vitest'
import { billing, listPlatformEvents, type Metric } from '../../../../src/index.ts'
import { billingWebhooks } from '../../../../src/hono/index.ts'
import {
  requeueEvent,
  sweepBilling,
  type BillingHandler,
  type HandledEvent,
} from '../../../../src/parts/billing/index.ts'
import { connected, operator, rowCounts, testEnv, THOROUGH, unwrap } from '../../../kit/index.ts'

const inbox = async (subscriptionId: string) =>
  (
    await testEnv.DB.prepare(
      'SELECT event_id, status FROM seatgate_billing_inbox WHERE subscription_id = ? ORDER BY event_id'
    )
      .bind(subscriptionId)
      .all<{ event_id: string; status: string }>()
  ).results
const run = (sql: string) => testEnv.DB.prepare(sql).run()

/** An event about a subscription, and the number of rows that it writes. */
function received() {
  const test = connected()
  const one = async () => {
    const { customerId } = await test.customer()
    const { id } = test.standIn.subscribe(customerId, [{ price: 'price_team', quantity: 7 }])
    return { id, event: test.standIn.takeEvents()[0]! }
  }
  return { test, one }
}

describe('an event is recorded with its work and its entry in the trail, or not at all', () => {
  const isReceipt = `new.organization_id = 'system' AND new.action = 'organization.billing.webhook_receive'`

  it('one row of each for a webhook, and no row for a repeat [BILL-65 BILL-66]', async () => {
    const { test, one } = received()
    const { id, event } = await one()
    expect(await test.deliver(event)).toBe(200)
    await test.kit.settled()
    const before = await rowCounts()
    expect(await test.deliver(event)).toBe(200)
    await test.kit.settled()
    expect(await rowCounts()).toEqual(before)
    expect(await inbox(id)).toHaveLength(1)
    const page = await listPlatformEvents(
      test.kit.seatgate,
      { caller: operator },
      { organization_id: null, target_id: event.id }
    )
    expect(unwrap(page).data).toMatchObject([
      {
        action: 'organization.billing.webhook_receive',
        metadata: { provider: 'stripe', account: '', mode: 'test' },
      },
    ])
  })

  it.each([
    ['the trail', `BEFORE INSERT ON seatgate_audit_events WHEN ${isReceipt}`],
    ['the inbox', 'BEFORE INSERT ON seatgate_billing_inbox'],
  ])('where %s fails the sender gets 500 and no row is written [BILL-65]', async (_what, when) => {
    const { test, one } = received()
    const { id, event } = await one()
    const before = await rowCounts()
    await run(`CREATE TRIGGER broken ${when} BEGIN SELECT RAISE(ABORT, 'broken'); END`)
    try {
      expect(await test.deliver(event)).toBe(500)
      await test.kit.settled()
    } finally {
      await run('DROP TRIGGER broken')
    }
    expect(await rowCounts()).toEqual(before)
    expect(await test.deliver(event)).toBe(200)
    await test.kit.settled()
    expect(await inbox(id)).toMatchObject([{ status: 'succeeded' }])
  })

  it('simultaneous deliveries are one row, one work item and one entry [BILL-67]', async () => {
    const { test, one } = received()
    const { event } = await one()
    const counts = async () =>
      testEnv.DB.prepare(
        `SELECT (SELECT count(*) FROM seatgate_billing_inbox) AS inbox,
          (SELECT count(*) FROM seatgate_audit_events) AS trail`
      ).first<{ inbox: number; trail: number }>()
    const before = await counts()
    test.standIn.fault = () => ({ status: 503 })
    await Promise.all(Array.from({ length: 8 }, () => test.deliver(event)))
    await test.kit.settled()
    expect(await counts()).toEqual({ inbox: before!.inbox + 1, trail: before!.trail + 1 })
  })
})

describe('the handlers of the host', () => {
  interface Heard {
    readonly name: string
    readonly event: HandledEvent
  }

  function handling(fails: (name: string, attempt: number) => boolean) {
    const calls: Heard[] = []
    const done: Heard[] = []
    const attempts = new Map<string, number>()
    const handlerOf = (name: string, types?: readonly string[]): BillingHandler => ({
      name,
      ...(types && { types }),
      async handle(event) {
        calls.push({ name, event })
        const attempt = (attempts.get(name) ?? 0) + 1
        attempts.set(name, attempt)
        if (fails(name, attempt)) throw new Error('The handler fails.')
        done.push({ name, event })
      },
    })
    const handlers = [
      handlerOf('mail'),
      handlerOf('crm'),
      handlerOf('paid', ['invoice.paid', 'customer.subscription.created']),
      handlerOf('other', ['some.other.type']),
    ]
    return { test: connected({ connection: { handlers } }), calls, done }
  }

  it('are retried one by one, each until it has succeeded, and not again [BILL-72]', async () => {
    const { test, calls, done } = handling((name, attempt) => name === 'crm' && attempt < 4)
    const organization = await test.subscribed(4)
    await test.kit.settled()
    expect(done.map(({ name }) => name).toSorted()).toEqual(['mail', 'paid'])
    for (let round = 0; round < 8; round++) {
      test.advance(3600)
      await sweepBilling(test.context)
    }
    expect(done.map(({ name }) => name).toSorted()).toEqual(['crm', 'mail', 'paid'])
    expect(calls.filter(({ name }) => name === 'crm')).toHaveLength(4)
    expect(calls.filter(({ name }) => name === 'mail')).toHaveLength(1)
    // After the state is applied, with identifiers and times and no payload.
    expect(done[0]?.event).toEqual({
      provider: 'stripe',
      eventId: expect.any(String),
      type: 'customer.subscription.created',
      subscriptionId: organization.subscriptionId,
      customerId: organization.customerId,
      providerTime: expect.any(Date),
      organizationId: organization.id,
    })
    // Their failures do not make the reducer run again.
    expect(await inbox(organization.subscriptionId)).toMatchObject([{ status: 'succeeded' }])
  })

  it('do not run again when the reducer is retried, or the event is received twice [BILL-72]', async () => {
    const { test, calls } = handling(() => false)
    const organization = await test.customer()
    test.standIn.subscribe(organization.customerId, [{ price: 'price_team', quantity: 4 }])
    const [event] = test.standIn.takeEvents()
    test.standIn.fault = () => ({ status: 503 })
    await test.deliver(event!)
    await test.kit.settled()
    expect(calls).toEqual([])
    test.standIn.fault = () => null
    test.advance(3600)
    await Promise.all([sweepBilling(test.context), sweepBilling(test.context)])
    await test.deliver(event!)
    await sweepBilling(test.context)
    expect(calls.map(({ name }) => name).toSorted()).toEqual(['crm', 'mail', 'paid'])
  })

  it('cannot fail the reducer, and are given up and reported after 25 attempts [BILL-72 BILL-73]', async () => {
    const { test, calls } = handling((name) => name === 'mail')
    const organization = await test.subscribed(4)
    expect(await test.limit(organization)).toBe(4)
    for (let round = 0; round < 40; round++) {
      test.advance(3600 * 16)
      await sweepBilling(test.context)
    }
    expect(calls.filter(({ name }) => name === 'mail')).toHaveLength(25)
    expect(test.reports.map(({ event }) => event)).toContain('billing_handler_dead')
  })
})

describe('bodies', () => {
  it('are in no report, metric, line of the console, row or response [BILL-76]', async () => {
    const metrics: Metric[] = []
    const lines: unknown[] = []
    const original = { ...console }
    for (const name of ['log', 'info', 'warn', 'error', 'debug'] as const) {
      console[name] = (...args: unknown[]) => void lines.push(...args)
    }
    const marker = 'cardholder-4242-somewhere'
    const responses: string[] = []
    try {
      const test = connected({ measure: (metric) => metrics.push(metric) })
      const { customerId } = await test.customer()
      const { id } = test.standIn.subscribe(customerId, [{ price: 'price_team', quantity: 7 }])
      const [event] = test.standIn.takeEvents()
      const marked = {
        ...event!,
        data: { object: { ...(event!.data.object as object), name: marker } },
      }
      await test.deliver(marked, { secret: 'whsec_other' })
      await test.deliver(marked, { body: `${JSON.stringify(marked)} ` })
      test.standIn.fault = () => ({ status: 500, body: { error: { message: marker } } })
      await test.deliver(marked)
      await test.kit.settled()
      test.advance(3600 * 13)
      await sweepBilling(test.context)
      const webhooks = billingWebhooks(test.kit.seatgate, test.context.connection)
      for (const body of [marker, `{"id":"${marker}"`, JSON.stringify(marked)]) {
        const response = await webhooks.request('/billing/webhooks/stripe', {
          method: 'POST',
          body,
        })
        responses.push(await response.text())
      }
      const shown = (value: unknown) =>
        JSON.stringify(value, (_key, one: unknown) =>
          one instanceof Error
            ? `${one.name} ${one.message} ${one.stack} ${String(one.cause)}`
            : one
        )
      expect(test.reports.length).toBeGreaterThan(3)
      expect(shown([test.reports, metrics, lines, responses])).not.toContain(marker)
      for (const table of ['seatgate_billing_inbox', 'seatgate_audit_events', 'seatgate_jobs']) {
        const { results } = await testEnv.DB.prepare(`SELECT * FROM ${table}`).all()
        expect(JSON.stringify(results)).not.toContain(marker)
      }
      expect(await inbox(id)).toMatchObject([{ status: 'failed' }])
    } finally {
      Object.assign(console, original)
    }
  })
})

describe('old events', () => {
  const DAY = 24 * 3600

  async function aged(connection: Parameters<typeof connected>[0] = {}) {
    const test = connected(connection)
    const organization = await test.subscribed(2)
    const ids: Record<string, string> = {}
    for (const status of ['dead', 'failed', 'parked']) {
      test.standIn.change(organization.subscriptionId, (one) => (one.items.data[0]!.quantity += 1))
      const [event] = test.standIn.takeEvents()
      await test.deliver(event!)
      await test.kit.settled()
      ids[status] = event!.id
      const isDead = status === 'dead'
      await testEnv.DB.prepare(
        `UPDATE seatgate_billing_inbox SET status = ?1, due_at = ?2, finished_at = ?3 WHERE event_id = ?4`
      )
        // Due in a year: no run takes them.
        .bind(
          status,
          isDead ? null : Date.parse('2028-01-01T00:00:00Z'),
          isDead ? Date.parse('2026-03-01T00:00:00Z') : null,
          event!.id
        )
        .run()
    }
    const left = async () =>
      (await inbox(organization.subscriptionId)).map(({ status }) => status).toSorted()
    return { test, ids, left }
  }

  it('applied ones end after 14 days, dead ones after 90, and all others stay [BILL-78]', async () => {
    const { test, left } = await aged()
    expect(await left()).toEqual(['dead', 'failed', 'parked', 'succeeded'])
    test.advance(14 * DAY - 1)
    await sweepBilling(test.context)
    expect(await left()).toEqual(['dead', 'failed', 'parked', 'succeeded'])
    const trail = (await rowCounts())['seatgate_audit_events']
    test.advance(1)
    await sweepBilling(test.context)
    expect(await left()).toEqual(['dead', 'failed', 'parked'])
    // The trail is not touched.
    expect((await rowCounts())['seatgate_audit_events']).toBe(trail)
    test.advance(76 * DAY - 1)
    await sweepBilling(test.context)
    expect(await left()).toEqual(['dead', 'failed', 'parked'])
    test.advance(1)
    await sweepBilling(test.context)
    expect(await left()).toEqual(['failed', 'parked'])
  })

  it.each([
    [{ keepAppliedDays: null }, ['failed', 'parked', 'succeeded']],
    [{ keepDeadDays: null }, ['dead', 'failed', 'parked']],
  ])('with %j: each of the two can be off [BILL-78]', async (connection, kept) => {
    const { test, left } = await aged({ connection })
    test.advance(200 * DAY)
    await sweepBilling(test.context)
    expect(await left()).toEqual(kept)
  })

  it('that are requeued are recorded with the operator', async () => {
    const { test, ids } = await aged()
    const scope = { caller: operator }
    const name = { provider: 'stripe', eventId: ids['dead']! }
    unwrap(await requeueEvent(test.context, scope, name))
    const page = await listPlatformEvents(test.kit.seatgate, scope, {
      organization_id: null,
      target_id: name.eventId,
      action: 'operator.event_requeue',
    })
    expect(unwrap(page).data).toMatchObject([{ actorType: 'operator', actorId: 'operator' }])
  })
})

describe('the operation id of a call', () => {
  const strict = () => connected({ connection: { requireOperationId: true } })

  it('is needed in strict mode: without one no request reaches the provider [BILL-55]', async () => {
    const test = strict()
    const { id, owner } = await test.customer()
    const subscribed = await test.subscribed(4)
    const requests: readonly (readonly [string, string, object, typeof subscribed.id])[] = [
      ['POST', 'checkout', { plan: 'team', seats: 4 }, id],
      ['PUT', 'seats', { seats: 6 }, subscribed.id],
      ['POST', 'cancel', { atPeriodEnd: true }, subscribed.id],
      ['POST', 'resume', {}, subscribed.id],
    ]
    for (const [method, path, body, org] of requests) {
      const by = org === id ? owner : subscribed.owner
      test.standIn.asked.length = 0
      const refused = await test.ask(by, method, `/organizations/${org}/billing/${path}`, body)
      expect([path, refused.status]).toEqual([path, 422])
      expect(await refused.json()).toMatchObject({
        errors: { 'Idempotency-Key': ['Is required.'] },
      })
      expect(test.standIn.asked).toEqual([])
      const headers = { 'idempotency-key': crypto.randomUUID() }
      const taken = await test.ask(
        by,
        method,
        `/organizations/${org}/billing/${path}`,
        body,
        headers
      )
      expect([path, taken.ok]).toEqual([path, true])
      await test.kit.settled()
    }
  })

  it('of a client is never the key itself: it is bounded, cleaned and marked [BILL-55]', async () => {
    const test = strict()
    const { id, owner } = await test.customer()
    const ask = (key: string) =>
      test.ask(
        owner,
        'POST',
        `/organizations/${id}/billing/checkout`,
        { plan: 'team', seats: 4 },
        {
          'idempotency-key': key,
        }
      )
    for (const key of ['x'.repeat(256), 'with space', 'ümlaut'.normalize()]) {
      expect((await ask(key)).status).toBe(422)
    }
    test.standIn.asked.length = 0
    const keys = ['x'.repeat(255), 'seatgate-seats-sub_1-1-5', 'one', 'one']
    for (const key of keys) expect((await ask(key)).status).toBe(201)
    const sent = test.standIn.asked
      .filter(({ path }) => path.includes('checkout'))
      .map(({ idempotencyKey }) => idempotencyKey ?? '')
    expect(sent).toHaveLength(4)
    for (const key of sent) expect(key).toMatch(/^seatgate-checkout-[0-9a-f]{32}$/)
    expect(new Set(sent).size).toBe(3)
    expect(sent[2]).toBe(sent[3])
  })
})

describe('a proration choice', () => {
  const start = (intervals?: Record<string, 'day' | 'week' | 'month' | 'year'>) =>
    connected({
      stripe: { proration: { month: 'create', year: 'always_invoice' } },
      billing: billing({
        plans: {
          team: {
            perSeat: true,
            prices: ['price_team', 'price_year'],
            ...(intervals && { intervals }),
          },
          flat: {
            included: 5,
            prices: ['price_flat'],
            ...(intervals && { intervals: { price_flat: 'month' } }),
          },
        },
      }),
    })

  it.each([
    [undefined, /team\.intervals must have the interval of "price_team"/],
    [{ price_team: 'month' }, /team\.intervals must have the interval of "price_year"/],
    [{ price_team: 'month', price_year: 'week' }, /no proration choice for week/],
  ] as const)(
    'is checked at start for every price of every plan: %j [MUSEUM-37]',
    (intervals, message) => {
      expect(() => start(intervals)).toThrow(message)
    }
  )

  it('for each interval lets it start [MUSEUM-37]', () => {
    expect(() => start({ price_team: 'month', price_year: 'year' })).not.toThrow()
  })
})

describe('a burst', () => {
  // Ten thousand with test:thorough.
  const EVENTS = THOROUGH ? 10_000 : 300

  it(`of ${EVENTS} webhooks loses no event and ends in the state of the provider`, async () => {
    const test = connected()
    const organizations = [
      await test.subscribed(2),
      await test.subscribed(2),
      await test.subscribed(2),
    ]
    test.standIn.fault = () => ({ status: 503 })
    const events = Array.from({ length: EVENTS }, (_, index) => {
      const { subscriptionId } = organizations[index % 3]!
      test.standIn.change(subscriptionId, (one) => (one.items.data[0]!.quantity = 3 + (index % 7)))
      return test.standIn.takeEvents()[0]!
    })
    for (let at = 0; at < events.length; at += 250) {
      const statuses = await Promise.all(
        events.slice(at, at + 250).map((event) => test.deliver(event))
      )
      expect(new Set(statuses)).toEqual(new Set([200]))
      await test.kit.settled()
    }
    test.standIn.fault = () => null
    for (let round = 0; round < 8; round++) {
      test.advance(3600 * 16)
      await sweepBilling(test.context)
    }
    let total = 0
    for (const [index, organization] of organizations.entries()) {
      const rows = await inbox(organization.subscriptionId)
      expect(rows.filter(({ status }) => status !== 'succeeded')).toEqual([])
      total += rows.length
      const last = events.findLastIndex((_event, at) => at % 3 === index)
      expect(await test.limit(organization)).toBe(3 + (last % 7))
    }
    expect(total).toBe(EVENTS + 3)
  }, 300_000)
})
