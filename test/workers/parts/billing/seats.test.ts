import { describe, expect, it } from 'vitest'
import { connected, newAddress, newUser, testEnv, unwrap } from '../../../kit/index.ts'
import {
  openPortal,
  previewChange,
  quantitySink,
  requestSeats,
  sweepBilling,
} from '../../../../src/parts/billing/index.ts'
import {
  createInvitation,
  listAuditEvents,
  removeMember,
  setEntitlement,
} from '../../../../src/index.ts'

type Test = ReturnType<typeof connected>
type Subscribed = Awaited<ReturnType<Test['subscribed']>>

const bought = ({ standIn }: Test, { subscriptionId }: Subscribed) =>
  standIn.state.subscriptions[subscriptionId]!.items.data[0]!.quantity

const changes = ({ standIn }: Test) =>
  standIn.asked.filter(({ method, path }) => method === 'POST' && path.includes('/subscriptions/'))

const seats = (test: Test, { owner, id }: Subscribed, body: unknown) =>
  test.ask(owner, 'PUT', `/organizations/${id}/billing/seats`, body)

async function refusedSeats({ kit }: Test, organization: Subscribed) {
  const action = 'organization.billing.seats_refuse'
  const scope = organization.as(organization.owner)
  const { data } = unwrap(await listAuditEvents(kit.seatgate, scope, { action }))
  return data.map(({ metadata }) => metadata)
}

describe('PUT …/billing/seats', () => {
  it('is 202 with the intent, reaches the provider once and changes the limit (BILL-56)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const response = await seats(test, organization, { seats: 9 })
    expect(response.status).toBe(202)
    expect(await response.json()).toEqual({
      provider: 'stripe',
      seats: 9,
      proration: null,
      state: 'pending',
    })
    await test.kit.settled()
    await test.deliverAll()
    await sweepBilling(test.context)
    expect([bought(test, organization), await test.limit(organization)]).toEqual([9, 9])
    expect(changes(test)).toHaveLength(1)
  })

  it.each([0, -1, 1.5, 1e9, '5', null, undefined])('refuses %j seats', async (wrong) => {
    const test = connected()
    const organization = await test.subscribed(4)
    const response = await seats(test, organization, { seats: wrong })
    expect(response.status).toBe(422)
    expect(await response.json()).toMatchObject({ errors: { seats: [expect.any(String)] } })
  })

  it('refuses fewer seats than are in use, and names members who could leave', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const [first, second] = [await test.join(organization), await test.join(organization)]
    const response = await seats(test, organization, { seats: 1 })
    expect(response.status).toBe(409)
    const { mustFree } = (await response.json()) as {
      mustFree: { seats: number; candidates: { userId: string }[] }
    }
    expect(mustFree.seats).toBe(2)
    expect(new Set(mustFree.candidates.map(({ userId }) => userId))).toEqual(
      new Set([first, second])
    )
    expect(changes(test)).toEqual([])
  })

  it('fewer seats and the removal of members are one act [SEAT-50 SEAT-51]', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const [first, second] = [await test.join(organization), await test.join(organization)]
    const stranger = await newUser()
    for (const [remove, status] of [
      [[first, stranger], 404],
      [[organization.owner, first], 409],
      [[first], 409],
    ] as const) {
      const refused = await seats(test, organization, { seats: 1, remove })
      expect([remove.length, refused.status]).toEqual([remove.length, status])
    }
    await test.kit.settled()
    expect([bought(test, organization), changes(test)]).toEqual([4, []])
    const response = await seats(test, organization, { seats: 1, remove: [first, second] })
    expect(response.status).toBe(202)
    await test.kit.settled()
    await test.deliverAll()
    await sweepBilling(test.context)
    expect([bought(test, organization), await test.limit(organization)]).toEqual([1, 1])
  })

  it('and the other pages are those of the provider that has the subscription, not those of new customers', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const { connection } = test.context
    const [earlier, fails] = [connection.provider, () => Promise.reject(new Error('Not here.'))]
    const provider = { ...earlier, name: 'later', fetchSubscription: fails, preview: fails }
    const providers = new Map([provider, earlier].map((one) => [one.name, one]))
    const context = { ...test.kit.seatgate, connection: { ...connection, provider, providers } }
    const scope = organization.as(organization.owner)
    expect(unwrap(await previewChange(context, scope, { seats: 9 })).amountDue).toBeGreaterThan(0)
    expect(unwrap(await requestSeats(context, scope, { seats: 9 })).provider).toBe('stripe')
    await test.kit.settled()
    await test.deliverAll()
    expect([bought(test, organization), await test.limit(organization)]).toEqual([9, 9])
    expect((await openPortal(context, scope)).ok).toBe(true)
    test.standIn.change(organization.subscriptionId, (one) => {
      one.status = 'canceled'
      one.ended_at = 1
    })
    await test.deliverAll()
    expect((await openPortal(context, scope)).ok).toBe(true)
    const preview = unwrap(await previewChange(context, scope, { plan: 'team', seats: 9 }))
    expect(preview.amountDue).toBeNull()
  })

  it('passes the choice of proration on (BILL-50, BILL-51)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    await seats(test, organization, { seats: 6, proration: 'none' })
    await test.kit.settled()
    expect(changes(test)[0]?.params).toMatchObject({ proration_behavior: 'none' })
  })

  it('is tried again while the provider is down, with the last number that was asked for (BILL-57)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.fault = () => ({ status: 503 })
    for (const number of [6, 8, 7]) {
      expect((await seats(test, organization, { seats: number })).status).toBe(202)
      await test.kit.settled()
    }
    expect(await test.limit(organization)).toBe(4)
    test.standIn.fault = () => null
    test.standIn.asked.length = 0
    test.advance(3600)
    await sweepBilling(test.context)
    expect([bought(test, organization), await test.limit(organization)]).toEqual([7, 7])
    expect(changes(test)).toHaveLength(1)
  })

  it('is the last number that was asked for, also if an earlier call reaches the provider later (BILL-57)', async () => {
    const held = Promise.withResolvers<void>()
    let late = 0
    const test: Test = connected({
      stripe: {
        fetch: async (url, init) => {
          const isFirst = init?.method === 'POST' && String(url).includes('/subscriptions/')
          if (isFirst && late++ === 0) await held.promise
          return test.standIn.fetch(url, init)
        },
      },
    })
    const organization = await test.subscribed(4)
    await seats(test, organization, { seats: 6 })
    while (late === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    await seats(test, organization, { seats: 9 })
    while (changes(test).length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    held.resolve()
    await test.kit.settled()
    for (let minute = 0; minute < 5; minute++) {
      test.advance(60)
      await sweepBilling(test.context)
      await test.deliverAll()
    }
    expect([bought(test, organization), await test.limit(organization)]).toEqual([9, 9])
  })

  it('that the provider refuses permanently ends in one recorded failure (MUSEUM-32)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.declines = true
    await seats(test, organization, { seats: 6 })
    await test.kit.settled()
    for (let hour = 0; hour < 3; hour++) {
      test.advance(3600)
      await sweepBilling(test.context)
    }
    expect(changes(test)).toHaveLength(1)
    expect(await test.limit(organization)).toBe(4)
    const row = await testEnv.DB.prepare(
      'SELECT last_error, due_at FROM seatgate_billing_customers WHERE organization_id = ?'
    )
      .bind(organization.id)
      .first()
    expect(row).toEqual({ last_error: 'card_declined', due_at: null })
    expect(test.reports.map(({ event }) => event)).toContain('billing_quantity_failed')
  })

  it('a smaller number that members have outgrown before it was sent is refused, on record [SEAT-51]', async () => {
    const test = connected()
    const organization = await test.subscribed(8)
    await test.join(organization)
    test.standIn.fault = () => ({ status: 503 })
    expect((await seats(test, organization, { seats: 2 })).status).toBe(202)
    await test.kit.settled()
    await test.join(organization)
    test.standIn.fault = () => null
    for (let hour = 0; hour < 2; hour++) {
      test.advance(3600)
      await sweepBilling(test.context)
    }
    expect([bought(test, organization), await test.limit(organization)]).toEqual([8, 8])
    expect(await refusedSeats(test, organization)).toMatchObject([
      { seats: 2, code: 'seats_in_use' },
    ])
    // A larger one that is less than what is in use makes it no worse.
    const { seatgate } = test.kit
    const operator = organization.asOperator
    unwrap(await setEntitlement(seatgate, operator, { addOns: 2, reason: 'test' }))
    expect((await seats(test, organization, { seats: 1 })).status).toBe(202)
    await test.kit.settled()
    expect(bought(test, organization)).toBe(1)
    test.standIn.fault = () => ({ status: 503 })
    expect((await seats(test, organization, { seats: 2 })).status).toBe(202)
    await test.kit.settled()
    unwrap(await setEntitlement(seatgate, operator, { reason: 'test' }))
    test.standIn.fault = () => null
    test.advance(3600)
    await sweepBilling(test.context)
    expect(bought(test, organization)).toBe(2)
  })

  it('reach a subscription that grants no seats and can still charge, or are refused on record [BILL-57]', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.change(organization.subscriptionId, (one) => (one.status = 'unpaid'))
    await test.deliverAll()
    expect((await seats(test, organization, { seats: 2 })).status).toBe(202)
    await test.kit.settled()
    expect(bought(test, organization)).toBe(2)
    test.standIn.fault = () => ({ status: 503 })
    expect((await seats(test, organization, { seats: 3 })).status).toBe(202)
    await test.kit.settled()
    test.standIn.fault = () => null
    test.standIn.change(organization.subscriptionId, (one) => {
      one.status = 'canceled'
      one.ended_at = test.standIn.time
    })
    await test.deliverAll()
    test.advance(3600)
    await sweepBilling(test.context)
    expect(await refusedSeats(test, organization)).toMatchObject([
      { seats: 3, code: 'no_subscription' },
    ])
  })

  it('a repeat with the same key has the first answer, also after other changes [SEAT-15]', async () => {
    const test = connected()
    const organization = await test.subscribed(8)
    const path = `/organizations/${organization.id}/billing/seats`
    const put = async (body: unknown, key: string) => {
      const headers = { 'idempotency-key': key }
      const response = await test.ask(organization.owner, 'PUT', path, body, headers)
      await test.kit.settled()
      return [response.status, await response.json()] as const
    }
    const accepted = await put({ seats: 2 }, 'fewer')
    expect(accepted).toMatchObject([202, { seats: 2, state: 'pending' }])
    expect((await put({ seats: 8 }, 'more'))[0]).toBe(202)
    for (let joined = 0; joined < 4; joined++) await test.join(organization)
    const refused = await put({ seats: 3 }, 'too-few')
    expect(refused).toMatchObject([409, { code: 'seats_in_use' }])
    expect(await put({ seats: 2 }, 'fewer')).toEqual(accepted)
    expect(await put({ seats: 5 }, 'fewer')).toMatchObject([422, { code: 'idempotency_mismatch' }])
    test.standIn.change(organization.subscriptionId, (one) => {
      one.status = 'canceled'
      one.ended_at = test.standIn.time
    })
    await test.deliverAll()
    expect(await put({ seats: 2 }, 'fewer')).toEqual(accepted)
    expect(await put({ seats: 3 }, 'too-few')).toEqual(refused)
    expect(bought(test, organization)).toBe(8)
  })

  it('answers a stranger like an organization that does not exist', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const stranger = { ...organization, owner: await newUser() }
    const member = { ...organization, owner: await test.join(organization) }
    expect((await seats(test, stranger, { seats: 6 })).status).toBe(404)
    expect((await seats(test, member, { seats: 6 })).status).toBe(403)
  })
})

describe('the other routes', () => {
  it('open one checkout for two clicks, and the subscription arrives (MUSEUM-41)', async () => {
    const test = connected()
    const { owner, id } = await test.customer()
    const click = () =>
      test.ask(owner, 'POST', `/organizations/${id}/billing/checkout`, { plan: 'team', seats: 5 })
    const answers = await Promise.all([click(), click()])
    expect(answers.map(({ status }) => status)).toEqual([201, 201])
    const sessions = Object.keys(test.standIn.state.sessions)
    expect(sessions).toHaveLength(1)
    test.standIn.completeCheckout(sessions[0]!)
    await test.deliverAll()
    const again = await click()
    expect(again.status).toBe(409)
  })

  it.each([
    ['an unknown plan', { plan: 'none' }],
    ['a plan that is not sold', { plan: 'free' }],
    ['seats of a flat plan', { plan: 'flat', seats: 3 }],
    ['no seat', { plan: 'team', seats: 0 }],
  ])('refuse a checkout with %s', async (_what, body) => {
    const test = connected()
    const { owner, id } = await test.customer()
    const response = await test.ask(owner, 'POST', `/organizations/${id}/billing/checkout`, body)
    expect(response.status).toBe(422)
  })

  it('preview the amount and the seats to free, and make no change (MUSEUM-33, BILL-52)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    await test.join(organization)
    const before = JSON.stringify(test.standIn.state.subscriptions)
    const { owner, id } = organization
    const response = await test.ask(owner, 'POST', `/organizations/${id}/billing/preview`, {
      seats: 1,
    })
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      amountDue: 0,
      currency: 'eur',
      lines: [{ amount: -4000 }, { amount: 1000 }],
      mustFree: { seats: 1, candidates: [{ role: 'member' }] },
    })
    expect(JSON.stringify(test.standIn.state.subscriptions)).toBe(before)
  })

  it('cancel at the end of the period, which grants until then, and resume (MUSEUM-47, BILL-41, BILL-46) [BILL-47]', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    const { owner, id } = organization
    const post = (path: string, body?: unknown) =>
      test.ask(owner, 'POST', `/organizations/${id}/billing/${path}`, body)
    const canceled = await post('cancel', { atPeriodEnd: true })
    expect(await canceled.json()).toMatchObject({
      status: 'active',
      granting: true,
      seats: { limit: 4 },
      // The limit after it is shown before it.
      scheduled: { change: 'cancel', limit: 3 },
    })
    expect(await (await post('resume')).json()).toMatchObject({ scheduled: null })
    expect(await (await post('cancel', { atPeriodEnd: false })).json()).toMatchObject({
      granting: false,
    })
    expect(await test.limit(organization)).toBe(3)
    expect((await post('cancel', { atPeriodEnd: 'yes' })).status).toBe(422)
    const { data } = unwrap(
      await listAuditEvents(test.kit.seatgate, organization.as(owner), { limit: 100 })
    )
    const actions = data.map(({ action }) => action.replace('organization.billing.', ''))
    expect(actions.filter((action) => /^(?:cancel|subscription_end)/.test(action))).toEqual([
      'subscription_end',
      'cancel_scheduled',
    ])
  })
})

describe('with true_up', () => {
  const counting = async (shrink: boolean, quantity = 1) => {
    const test = connected({ connection: { quantity: 'true_up', shrink } })
    const organization = await test.subscribed(quantity, 'price_open')
    const sink = quantitySink(test.context.connection, {
      database: test.context.db,
      now: test.context.now,
    })
    // As the forwarder delivers an event of seats.
    const changed = () =>
      sink.deliver({ organizationId: organization.id } as Parameters<typeof sink.deliver>[0])
    return {
      test,
      organization,
      async join() {
        const member = await test.join(organization)
        await changed()
        return member
      },
      async leave(member: string) {
        await removeMember(test.kit.seatgate, organization.as(organization.owner), member)
        await changed()
      },
      async invite() {
        const input = { email: newAddress(), role: 'member' }
        const scope = organization.as(organization.owner)
        const { expiresAt } = unwrap(await createInvitation(test.kit.seatgate, scope, input))
        await changed()
        return expiresAt
      },
      async sweep(seconds = 61) {
        test.advance(seconds)
        await sweepBilling(test.context)
        return [bought(test, organization), changes(test).length]
      },
    }
  }

  it('a hundred joins are one update, and a leave keeps the most (MUSEUM-36, BILL-58, BILL-60)', async () => {
    const { test, organization, join, leave, sweep } = await counting(false)
    const members: string[] = []
    for (let count = 0; count < 100; count++) members.push(await join())
    await sweepBilling(test.context)
    expect([bought(test, organization), changes(test).length]).toEqual([1, 0])
    expect(await sweep()).toEqual([101, 1])
    await leave(members[0]!)
    expect(await sweep()).toEqual([101, 1])
  })

  it('that may shrink a removal frees one seat, once, and changes that cancel out are not sent (MUSEUM-34, MUSEUM-39)', async () => {
    const { test, organization, join, leave, sweep } = await counting(true)
    const members = [await join(), await join(), await join()]
    expect(await sweep()).toEqual([4, 1])
    await leave(members[0]!)
    await leave(members[0]!)
    expect(await sweep()).toEqual([3, 2])
    await leave(await join())
    expect(await sweep()).toEqual([3, 2])
    await test.deliverAll()
    expect(await sweep()).toEqual([3, 2])
    expect(bought(test, organization)).toBe(3)
    // Nor is it on record as a change.
    const page = await listAuditEvents(test.kit.seatgate, organization.as(organization.owner), {
      action: 'organization.billing.seats_update',
    })
    expect(unwrap(page).data.map(({ metadata }) => metadata['seats'])).toEqual([3, 4])
  })

  it('a subscription that starts with fewer seats than are in use is raised (BILL-58)', async () => {
    const test = connected({ connection: { quantity: 'true_up' } })
    const organization = await test.customer()
    for (let more = 0; more < 2; more++) await test.join(organization)
    const lines = [{ price: 'price_open', quantity: 1 }]
    const { id: subscriptionId } = test.standIn.subscribe(organization.customerId, lines)
    await test.deliverAll()
    await sweepBilling(test.context)
    expect(bought(test, { ...organization, subscriptionId })).toBe(3)
    await test.deliverAll()
    await sweepBilling(test.context)
    expect(changes(test)).toHaveLength(1)
  })

  it('that may shrink leaves seats that were bought and never used (BILL-58)', async () => {
    const { sweep } = await counting(true, 5)
    expect(await sweep()).toEqual([5, 0])
  })

  it('that may shrink an expired invitation frees its seat at the provider (BILL-58)', async () => {
    const { test, invite, sweep } = await counting(true)
    const expiresAt = await invite()
    expect(await sweep()).toEqual([2, 1])
    const left = Date.parse(expiresAt) - test.context.now().getTime()
    expect(await sweep(left / 1000 + 1)).toEqual([1, 2])
    expect(await sweep()).toEqual([1, 2])
  })
})
