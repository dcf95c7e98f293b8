import { describe, expect, it } from 'vitest'
import {
  getEntitlement,
  listAuditEvents,
  setEntitlement,
  suspendMember,
} from '../../../../src/index.ts'
import { quantitySink, sweepBilling } from '../../../../src/parts/billing/index.ts'
import { connected, testEnv, unwrap, type Connected } from '../../../kit/index.ts'

type Options = NonNullable<Parameters<typeof connected>[0]>
type Paying = Awaited<ReturnType<Connected['subscribed']>>

/** A connected kit, of which one answer of the provider can be held back. */
function holding(options: Options = {}) {
  let next: { method: string; asked: () => void; until: Promise<void> } | null = null
  const test: Connected = connected({
    ...options,
    stripe: {
      async fetch(input, init) {
        const response = await test.standIn.fetch(input, init)
        if (next?.method === (init?.method ?? 'GET')) {
          const { asked, until } = next
          next = null
          asked()
          await until
        }
        return response
      },
    },
  })
  return {
    test,
    /** Holds the next answer to such a request, until it is released. */
    hold(method: 'GET' | 'POST') {
      const [asked, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      next = { method, asked: asked.resolve, until: released.promise }
      return { asked: asked.promise, release: released.resolve }
    },
  }
}

const inbox = async ({ subscriptionId }: Pick<Paying, 'subscriptionId'>) =>
  (
    await testEnv.DB.prepare(
      'SELECT status, attempts FROM seatgate_billing_inbox WHERE subscription_id = ? ORDER BY received_at'
    )
      .bind(subscriptionId)
      .all<{ status: string; attempts: number }>()
  ).results

const customerOf = ({ id }: Paying) =>
  testEnv.DB.prepare(
    'SELECT due_at, last_error FROM seatgate_billing_customers WHERE organization_id = ?'
  )
    .bind(id)
    .first<{ due_at: number | null; last_error: string | null }>()

const bought = ({ standIn }: Connected, { subscriptionId }: Paying) =>
  standIn.state.subscriptions[subscriptionId]!.items.data[0]!.quantity

const ask = (test: Connected, { owner, id }: Paying, seats: number) =>
  test.ask(owner, 'PUT', `/organizations/${id}/billing/seats`, { seats })

async function change(test: Connected, { subscriptionId }: Paying, quantity: number) {
  test.advance(1)
  test.standIn.change(subscriptionId, (one) => (one.items.data[0]!.quantity = quantity))
  expect(await test.deliver(test.standIn.takeEvents()[0]!)).toBe(200)
}

const BUSY = () => ({ status: 429, headers: { 'retry-after': '7200' } })

describe('a provider that asks to wait two hours', () => {
  it('is not asked for a state before that', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.fault = BUSY
    await change(test, organization, 6)
    await test.kit.settled()
    test.standIn.fault = () => null
    test.standIn.asked.length = 0
    test.advance(7100)
    await sweepBilling(test.context)
    expect([test.standIn.asked, await test.limit(organization)]).toEqual([[], 4])
    test.advance(200)
    await sweepBilling(test.context)
    expect(await test.limit(organization)).toBe(6)
  })

  it('is not sent a quantity before that', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.fault = BUSY
    expect((await ask(test, organization, 6)).status).toBe(202)
    await test.kit.settled()
    test.standIn.fault = () => null
    test.standIn.asked.length = 0
    test.advance(7100)
    await sweepBilling(test.context)
    expect([test.standIn.asked, bought(test, organization)]).toEqual([[], 4])
    test.advance(200)
    await sweepBilling(test.context)
    expect(bought(test, organization)).toBe(6)
  })
})

describe('an event at work', () => {
  it('is not taken by another run', async () => {
    const { test, hold } = holding()
    const organization = await test.subscribed(4)
    const held = hold('GET')
    await change(test, organization, 6)
    await held.asked
    test.standIn.asked.length = 0
    await sweepBilling(test.context)
    expect(test.standIn.asked).toEqual([])
    held.release()
    await test.kit.settled()
    expect(await inbox(organization)).toMatchObject([{}, { status: 'succeeded', attempts: 1 }])
  })

  it('is finished by the run that takes it after the lease of another run has ended', async () => {
    const { test, hold } = holding()
    const organization = await test.subscribed(4)
    const held = hold('GET')
    await change(test, organization, 6)
    await held.asked
    test.advance(61)
    test.standIn.fault = () => ({ status: 503 })
    await sweepBilling(test.context)
    expect((await inbox(organization))[1]).toEqual({ status: 'failed', attempts: 2 })
    held.release()
    await test.kit.settled()
    expect((await inbox(organization))[1]).toEqual({ status: 'failed', attempts: 2 })
    test.standIn.fault = () => null
    test.advance(3600)
    await sweepBilling(test.context)
    expect((await inbox(organization))[1]).toEqual({ status: 'succeeded', attempts: 3 })
    expect(await test.limit(organization)).toBe(6)
  })

  it('has ended with its receipt if it concerns no subscription', async () => {
    const test = connected()
    const { customerId } = await test.customer()
    const event = {
      id: `evt_${crypto.randomUUID()}`,
      object: 'event',
      type: 'customer.updated',
      created: test.standIn.time,
      livemode: false,
      data: { object: { id: customerId, object: 'customer' } },
    } as const
    expect(await test.deliver(event)).toBe(200)
    const row = await testEnv.DB.prepare(
      'SELECT status, due_at, finished_at FROM seatgate_billing_inbox WHERE event_id = ?'
    )
      .bind(event.id)
      .first()
    expect(row).toEqual({ status: 'succeeded', due_at: null, finished_at: expect.any(Number) })
  })
})

describe('a quantity', () => {
  it('that is requested while another one is sent is sent after it [BILL-57]', async () => {
    const { test, hold } = holding()
    const organization = await test.subscribed(4)
    const held = hold('POST')
    expect((await ask(test, organization, 6)).status).toBe(202)
    await held.asked
    expect((await ask(test, organization, 9)).status).toBe(202)
    held.release()
    await test.kit.settled()
    test.advance(120)
    await sweepBilling(test.context)
    await test.deliverAll()
    expect([bought(test, organization), await test.limit(organization)]).toEqual([9, 9])
    expect(await customerOf(organization)).toEqual({ due_at: null, last_error: null })
  })

  it('that is requested while another one is sent, and cannot be sent then, is kept [BILL-57]', async () => {
    const { test, hold } = holding()
    const organization = await test.subscribed(4)
    const held = hold('POST')
    expect((await ask(test, organization, 6)).status).toBe(202)
    await held.asked
    test.standIn.fault = () => ({ status: 503 })
    expect((await ask(test, organization, 9)).status).toBe(202)
    const failed = async () => (await customerOf(organization))?.last_error !== null
    for (let reads = 0; reads < 500 && !(await failed()); reads++);
    expect(await failed()).toBe(true)
    test.standIn.fault = () => null
    held.release()
    await test.kit.settled()
    test.advance(120)
    await sweepBilling(test.context)
    await test.deliverAll()
    expect([bought(test, organization), await test.limit(organization)]).toEqual([9, 9])
  })

  it('without an item at the provider is a recorded failure', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const [item] = test.standIn.state.subscriptions[organization.subscriptionId]!.items.data
    Object.assign(item!, { price: { ...item!.price, id: 'price_of_no_plan' } })
    expect((await ask(test, organization, 6)).status).toBe(202)
    await test.kit.settled()
    expect(await customerOf(organization)).toEqual({
      due_at: null,
      last_error: 'seat_item_missing',
    })
    const { data } = unwrap(
      await listAuditEvents(test.kit.seatgate, organization.as(organization.owner), {
        action: 'organization.billing.seats_refuse',
      })
    )
    expect(data.map(({ metadata }) => metadata['code'])).toEqual(['seat_item_missing'])
  })

  it('that follows the seats in use counts no member without a seat', async () => {
    const test = connected({ connection: { quantity: 'true_up', shrink: true } })
    const organization = await test.subscribed(1, 'price_open')
    const { database, now } = { database: test.context.db, now: test.context.now }
    const sink = quantitySink(test.context.connection, { database, now })
    await test.join(organization)
    const suspended = await test.join(organization)
    const scope = organization.as(organization.owner)
    unwrap(await suspendMember(test.kit.seatgate, scope, suspended))
    await sink.deliver({ organizationId: organization.id } as Parameters<typeof sink.deliver>[0])
    test.advance(61)
    await sweepBilling(test.context)
    expect(bought(test, organization)).toBe(2)
  })
})

describe('a cap that is set after a purchase was planned', () => {
  it('applies even if the limit in force was the same before and after it [BILL-25]', async () => {
    let between: (() => Promise<unknown>) | null = null
    const test = connected({
      async around({ asked }, run) {
        const act = between
        if (act === null || !asked.some((sql) => sql.startsWith('insert into "seatgate_subs'))) {
          return run()
        }
        between = null
        await act()
        return run()
      },
    })
    const organization = await test.subscribed(4)
    const { kit } = test
    between = () =>
      setEntitlement(kit.seatgate, organization.asOperator, { cap: 6, reason: 'a cap' })
    await change(test, organization, 9)
    await kit.settled()
    expect(between).toBeNull()
    const { limit, cap } = unwrap(await getEntitlement(kit.seatgate, organization.asOperator))
    expect([limit, cap, await test.limit(organization)]).toEqual([6, 6, 6])
  })
})
