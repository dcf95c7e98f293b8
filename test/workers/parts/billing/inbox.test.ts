import { describe, expect, it } from 'vitest'
import {
  PASSWORD,
  WEBHOOK_SECRET,
  atScale,
  codeOf,
  connected,
  operator,
  seeded,
  testEnv,
  unwrap,
} from '../../../kit/index.ts'
import { putCustomer, requeueEvent, sweepBilling } from '../../../../src/parts/billing/index.ts'
import {
  listAuditEvents,
  listPlatformEvents,
  softDeleteOrganization,
} from '../../../../src/index.ts'

const rows = async (subscriptionId: string) =>
  (
    await testEnv.DB.prepare(
      'SELECT status, attempts, last_error FROM seatgate_billing_inbox WHERE subscription_id = ? ORDER BY received_at'
    )
      .bind(subscriptionId)
      .all<{ status: string; attempts: number; last_error: string | null }>()
  ).results

describe('a webhook', () => {
  it('brings the bought seats into the limit, by a state that is read from the provider (BILL-69)', async () => {
    const test = connected()
    const organization = await test.customer()
    expect(await test.limit(organization)).toBe(3)
    const { id } = test.standIn.subscribe(organization.customerId, [
      { price: 'price_team', quantity: 7 },
    ])
    // The payload is not the state: it says less than what is true by now.
    const [event] = test.standIn.takeEvents()
    expect(await test.deliver(event!)).toBe(200)
    await test.kit.settled()
    expect(await test.limit(organization)).toBe(7)
    expect(await rows(id)).toMatchObject([{ status: 'succeeded', last_error: null }])
  })

  it('is unwrap 400 with a wrong signature or body and writes no row (BILL-63)', async () => {
    const test = connected()
    const { customerId } = await test.customer()
    const { id } = test.standIn.subscribe(customerId, [{ price: 'price_team', quantity: 7 }])
    const [event] = test.standIn.takeEvents()
    expect(await test.deliver(event!, { secret: 'whsec_other' })).toBe(400)
    expect(await test.deliver(event!, { body: `${JSON.stringify(event)} ` })).toBe(400)
    expect(await rows(id)).toEqual([])
    expect(JSON.stringify(test.reports)).not.toContain(WEBHOOK_SECRET)
  })

  it('that arrives twice, also at once, is one row and one fetch (BILL-66, BILL-67, BILL-68)', async () => {
    const test = connected()
    const { customerId } = await test.customer()
    const { id } = test.standIn.subscribe(customerId, [{ price: 'price_team', quantity: 7 }])
    const [event] = test.standIn.takeEvents()
    test.standIn.asked.length = 0
    const statuses = await Promise.all(Array.from({ length: 8 }, () => test.deliver(event!)))
    await test.kit.settled()
    expect(new Set(statuses)).toEqual(new Set([200]))
    expect(await rows(id)).toHaveLength(1)
    expect(test.standIn.asked.filter(({ path }) => path.endsWith(id))).toHaveLength(1)
  })

  it('is acknowledged within three trips to D1, also in a burst, without loss', async () => {
    const test = connected()
    const organization = await test.subscribed(2)
    const events = Array.from({ length: 200 }, (_, index) => {
      test.standIn.change(organization.subscriptionId, (one) => {
        one.items.data[0]!.quantity = 3 + (index % 5)
      })
      return test.standIn.takeEvents()[0]!
    })
    // The fetches fail for now, so that only the acknowledgements are counted.
    test.standIn.fault = () => ({ status: 503 })
    await test.deliver(events[0]!)
    await test.kit.settled()
    const before = test.kit.trips()
    await test.deliver(events[1]!)
    expect(test.kit.trips() - before).toBeLessThanOrEqual(3)
    await Promise.all(events.map((event) => test.deliver(event)))
    await test.kit.settled()
    expect(await rows(organization.subscriptionId)).toHaveLength(201)
    test.standIn.fault = () => null
    for (let round = 0; round < 5; round++) {
      test.advance(3600 * 13)
      await sweepBilling(test.context)
    }
    expect(await test.limit(organization)).toBe(3 + (199 % 5))
    const left = (await rows(organization.subscriptionId)).filter(
      ({ status }) => status !== 'succeeded'
    )
    expect(left).toEqual([])
  })

  it('that is older than the state in force is passed over without a fetch (MUSEUM-40, BILL-70)', async () => {
    const test = connected()
    const organization = await test.subscribed(2)
    test.advance(10)
    test.standIn.change(organization.subscriptionId, (one) => (one.items.data[0]!.quantity = 5))
    test.advance(10)
    test.standIn.change(organization.subscriptionId, (one) => (one.items.data[0]!.quantity = 9))
    const [older, newer] = test.standIn.takeEvents()
    await test.deliver(newer!)
    await test.kit.settled()
    test.standIn.asked.length = 0
    await test.deliver(older!)
    await test.kit.settled()
    expect(test.standIn.asked).toEqual([])
    expect(await test.limit(organization)).toBe(9)
  })

  it('of an unknown customer waits, is applied when the customer is known, or is given up (BILL-71)', async () => {
    const test = connected()
    const organization = await test.customer()
    const stranger = await test.context.connection.provider.createCustomer(
      { organizationId: 'nowhere', name: 'Nowhere' },
      { idempotencyKey: crypto.randomUUID() }
    )
    const late = await test.context.connection.provider.createCustomer(
      { organizationId: 'late', name: 'Late' },
      { idempotencyKey: crypto.randomUUID() }
    )
    const lost = test.standIn.subscribe(stranger, [{ price: 'price_team', quantity: 4 }])
    const found = test.standIn.subscribe(late, [{ price: 'price_team', quantity: 6 }])
    await test.deliverAll()
    expect(await rows(found.id)).toMatchObject([{ status: 'parked' }])
    const other = await test.customer()
    await testEnv.DB.prepare('DELETE FROM seatgate_billing_customers WHERE organization_id = ?')
      .bind(other.id)
      .run()
    await putCustomer(test.context, 'stripe', other.id, late)
    await sweepBilling(test.context)
    expect(await rows(found.id)).toMatchObject([{ status: 'succeeded' }])
    expect(await test.limit(other)).toBe(6)
    expect(await test.limit(organization)).toBe(3)
    test.advance(73 * 3600)
    await sweepBilling(test.context)
    expect(await rows(lost.id)).toMatchObject([{ status: 'dead', last_error: 'unknown_customer' }])
    expect(test.reports.map(({ event }) => event)).toContain('billing_customer_unknown')
  })

  it('with the id of another organization in its metadata changes that of its customer (BILL-77)', async () => {
    const test = connected()
    const [victim, buyer] = [await test.customer(), await test.customer()]
    const { id } = test.standIn.subscribe(buyer.customerId, [{ price: 'price_team', quantity: 8 }])
    test.standIn.change(id, (one) =>
      Object.assign(one, { metadata: { seatgate_organization: victim.id } })
    )
    await test.deliverAll()
    expect([await test.limit(victim), await test.limit(buyer)]).toEqual([3, 8])
  })

  it('of a customer that is mapped already does not move: a second organization is refused (BILL-36)', async () => {
    const test = connected()
    const [first, second] = [await test.customer(), await test.customer()]
    await testEnv.DB.prepare('DELETE FROM seatgate_billing_customers WHERE organization_id = ?')
      .bind(second.id)
      .run()
    await expect(
      putCustomer(test.context, 'stripe', second.id, first.customerId)
    ).rejects.toMatchObject({
      code: 'customer_taken',
    })
  })

  it('has an event for a change and no event for an unrelated update (MUSEUM-43, BILL-75)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    for (let again = 0; again < 2; again++) {
      test.advance(1)
      test.standIn.change(organization.subscriptionId, () => {})
      await test.deliverAll()
    }
    const page = await listAuditEvents(test.kit.seatgate, organization.as(organization.owner), {
      action: 'organization.billing.subscription_change',
    })
    expect(unwrap(page).data).toMatchObject([
      { metadata: { plan: 'team', status: 'active', quantity: 4 } },
    ])
  })
})

describe('a provider that is down', () => {
  it('delays an event, which is applied when it is back (BILL-73)', async () => {
    const test = connected()
    const organization = await test.customer()
    test.standIn.subscribe(organization.customerId, [{ price: 'price_team', quantity: 7 }])
    test.standIn.fault = () => ({ status: 503 })
    await test.deliverAll()
    for (let hour = 0; hour < 24; hour++) {
      test.advance(3600)
      await sweepBilling(test.context)
    }
    expect(await test.limit(organization)).toBe(3)
    test.standIn.fault = () => null
    test.advance(13 * 3600)
    await sweepBilling(test.context)
    expect(await test.limit(organization)).toBe(7)
  })

  it('for too long buries the event, and an operator requeues it, only once (BILL-73, BILL-74)', async () => {
    let isLost = false
    const test = connected({
      around: ({ bound }, run) => {
        const isRequeue = JSON.stringify(bound).includes('operator.event_requeue')
        if (isLost && isRequeue) throw new Error('Network connection lost.')
        return run()
      },
    })
    const organization = await test.customer()
    const { id } = test.standIn.subscribe(organization.customerId, [
      { price: 'price_team', quantity: 7 },
    ])
    const [event] = test.standIn.takeEvents()
    test.standIn.fault = ({ path }) => (path.endsWith(id) ? { status: 503 } : null)
    await test.deliver(event!)
    await test.kit.settled()
    const name = { provider: 'stripe', eventId: event!.id }
    const requeue = async (caller = operator, eventId = name.eventId) =>
      codeOf(await requeueEvent(test.context, { caller }, { ...name, eventId }))
    expect(await requeue()).toBe('not_dead')
    for (let attempt = 0; attempt < 30; attempt++) {
      test.advance(16 * 3600)
      await sweepBilling(test.context)
    }
    expect(await rows(id)).toMatchObject([{ status: 'dead', attempts: 25 }])
    expect(test.reports.map((report) => report.event)).toContain('billing_event_dead')
    expect(await requeue({ userId: organization.owner })).toBe('insufficient_role')
    expect(await requeue(operator, 'evt_unknown')).toBe('not_found')
    test.standIn.fault = () => null
    isLost = true
    await expect(requeue()).rejects.toMatchObject({ name: 'StoreUnavailable' })
    isLost = false
    expect(await requeue()).toBe('ok')
    await sweepBilling(test.context)
    expect(await requeue()).toBe('already_replayed')
    expect(await test.limit(organization)).toBe(7)
  })
})

describe('a day without the provider', () => {
  it('ends with every quantity, cancellation and state as it should be [BILL-57 HOOK-28 HOOK-29]', async () => {
    const test = connected()
    const asking = await test.subscribed(4)
    const deleted = await test.subscribed(4)
    const changed = await test.subscribed(4)
    const unheard = await test.subscribed(4)
    test.standIn.fault = ({ method }) => ({ status: method === 'GET' ? 503 : 429 })
    const path = `/organizations/${asking.id}/billing/seats`
    expect((await test.ask(asking.owner, 'PUT', path, { seats: 9 })).status).toBe(202)
    unwrap(
      await softDeleteOrganization(test.kit.seatgate, deleted.as(deleted.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    await test.kit.settled()
    test.standIn.change(changed.subscriptionId, (one) => (one.items.data[0]!.quantity = 7))
    await test.deliverAll()
    // No webhook comes for this one.
    test.standIn.change(unheard.subscriptionId, (one) => (one.items.data[0]!.quantity = 6))
    test.standIn.takeEvents()
    for (let hour = 0; hour < 24; hour++) {
      test.advance(3600)
      await sweepBilling(test.context)
    }
    expect([await test.limit(asking), await test.limit(changed)]).toEqual([4, 4])
    expect(await rows(changed.subscriptionId)).toContainEqual(
      expect.objectContaining({ status: 'failed' })
    )
    test.standIn.fault = () => null
    for (let round = 0; round < 3; round++) {
      test.advance(13 * 3600)
      await sweepBilling(test.context)
    }
    const quantity = ({ subscriptionId }: { readonly subscriptionId: string }) =>
      test.standIn.state.subscriptions[subscriptionId]!.items.data[0]!.quantity
    expect([quantity(asking), await test.limit(asking)]).toEqual([9, 9])
    expect([quantity(changed), await test.limit(changed)]).toEqual([7, 7])
    expect([quantity(unheard), await test.limit(unheard)]).toEqual([6, 6])
    expect(test.standIn.state.subscriptions[deleted.subscriptionId]?.status).toBe('canceled')
    for (const { subscriptionId } of [asking, changed, unheard, deleted]) {
      const left = (await rows(subscriptionId)).filter(({ status }) => status !== 'succeeded')
      expect(left).toEqual([])
    }
    const updates = unwrap(
      await listAuditEvents(test.kit.seatgate, asking.as(asking.owner), {
        action: 'organization.billing.seats_update',
      })
    )
    expect(updates.data).toHaveLength(1)
  })
})

describe('subscriptions that may not go on', () => {
  it('a second one of an organization is canceled and recorded (MUSEUM-41)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.advance(1)
    const second = test.standIn.subscribe(organization.customerId, [
      { price: 'price_team', quantity: 5 },
    ])
    await test.deliverAll()
    await test.deliverAll()
    expect(test.standIn.state.subscriptions[second.id]).toMatchObject({ status: 'canceled' })
    expect(test.standIn.state.subscriptions[organization.subscriptionId]).toMatchObject({
      status: 'active',
    })
    expect(await test.limit(organization)).toBe(4)
    const page = await listAuditEvents(test.kit.seatgate, organization.as(organization.owner), {
      action: 'organization.billing.second_subscription_end',
    })
    expect(unwrap(page).data).toHaveLength(1)
  })

  it('those of a deleted organization are ended, in any status, and tried again after a failure (MUSEUM-44, MUSEUM-45)', async () => {
    const test = connected()
    const organization = await test.subscribed(4)
    test.standIn.change(organization.subscriptionId, (one) => (one.status = 'past_due'))
    await test.deliverAll()
    unwrap(
      await softDeleteOrganization(test.kit.seatgate, organization.as(organization.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    await test.kit.settled()
    test.standIn.fault = () => ({ status: 503 })
    await sweepBilling(test.context)
    expect(test.reports.map(({ event }) => event)).toContain('billing_cancel_failed')
    expect(test.standIn.state.subscriptions[organization.subscriptionId]?.ended_at).toBeNull()
    test.standIn.fault = () => null
    test.advance(60)
    await sweepBilling(test.context)
    expect(test.standIn.state.subscriptions[organization.subscriptionId]).toMatchObject({
      status: 'canceled',
    })
    test.standIn.asked.length = 0
    await sweepBilling(test.context)
    expect(test.standIn.asked).toEqual([])
  })

  it('the end of one whose record D1 did not take is recorded by the next run', async () => {
    let isLost = false
    const test = connected({
      around: ({ asked, bound }, run) => {
        const isOwnerEnd = JSON.stringify([asked, bound]).includes('organization.billing.owner_end')
        if (isLost && isOwnerEnd) throw new Error('Network connection lost.')
        return run()
      },
    })
    const organization = await test.subscribed(4)
    unwrap(
      await softDeleteOrganization(test.kit.seatgate, organization.as(organization.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    await test.kit.settled()
    isLost = true
    await sweepBilling(test.context)
    expect(test.standIn.state.subscriptions[organization.subscriptionId]?.status).toBe('canceled')
    isLost = false
    const outcomes = async () => {
      const page = await listPlatformEvents(
        test.kit.seatgate,
        { caller: operator },
        {
          organization_id: null,
          action: 'organization.billing.owner_end',
          target_id: organization.subscriptionId,
        }
      )
      return unwrap(page).data.map(({ outcome }) => outcome)
    }
    expect(await outcomes()).toEqual([])
    test.advance(3600)
    await sweepBilling(test.context)
    await test.deliverAll()
    expect(await outcomes()).toEqual(['success'])
  })

  it('one that is bought after its organization was deleted is ended at once', async () => {
    const test = connected()
    const organization = await test.customer()
    unwrap(
      await softDeleteOrganization(test.kit.seatgate, organization.as(organization.owner), {
        confirmName: 'Test',
        password: PASSWORD,
      })
    )
    const { id } = test.standIn.subscribe(organization.customerId, [
      { price: 'price_team', quantity: 4 },
    ])
    await test.deliverAll()
    expect(test.standIn.state.subscriptions[id]).toMatchObject({ status: 'canceled' })
  })
})

describe('a day of webhooks in any order, some twice, some lost', () => {
  const SEEDS = Array.from({ length: atScale({ share: 3, thorough: 40 }) }, (_, seed) => seed + 1)

  it.each(SEEDS)('ends in the state of the provider, with seed %i', async (seed) => {
    const random = seeded(seed)
    const pick = <T>(list: readonly T[]) => list[Math.floor(random() * list.length)]!
    const test = connected()
    const organization = await test.subscribed(2)
    const waiting = []
    for (let step = 0; step < 40; step++) {
      test.advance(Math.floor(random() * 1800))
      test.standIn.change(organization.subscriptionId, (one) => {
        one.items.data[0]!.quantity = 1 + Math.floor(random() * 20)
        one.status = pick(['active', 'active', 'active', 'past_due', 'trialing'])
      })
      waiting.push(...test.standIn.takeEvents())
      test.standIn.fault = random() < 0.2 ? () => ({ status: pick([429, 500, 503]) }) : () => null
      while (waiting.length > 0 && random() < 0.6) {
        const [event] = waiting.splice(Math.floor(random() * waiting.length), 1)
        const copies = pick([0, 1, 1, 2])
        await Promise.all(Array.from({ length: copies }, () => test.deliver(event!)))
        await test.kit.settled()
      }
      if (random() < 0.3) await sweepBilling(test.context)
    }
    test.standIn.fault = () => null
    for (let round = 0; round < 3; round++) {
      test.advance(13 * 3600)
      await sweepBilling(test.context)
    }
    const remote = test.standIn.state.subscriptions[organization.subscriptionId]!
    const row = await testEnv.DB.prepare(
      'SELECT status, quantity FROM seatgate_subscriptions WHERE subscription_id = ?'
    )
      .bind(remote.id)
      .first()
    expect(row).toEqual({ status: remote.status, quantity: remote.items.data[0]!.quantity })
  })
})
