import { describe, expect, it } from 'vitest'
import { ProviderError } from '../../../../src/parts/billing/provider-error.ts'
import { stripe, type StripeOptions } from '../../../../src/parts/billing/stripe/index.ts'
import { stripeTest } from './stripe.ts'

const call = { idempotencyKey: 'operation-1' }
const failed = (promise: Promise<unknown>) =>
  promise.then(
    () => expect.unreachable('It did not fail.'),
    (error: unknown) => {
      expect(error).toBeInstanceOf(ProviderError)
      const { kind, code, retryAfterSeconds } = error as ProviderError
      return { kind, code, retryAfterSeconds }
    }
  )

describe('the proration choice', () => {
  const without = { apiKey: 'sk', webhookSecret: 'whsec_1' } as StripeOptions

  it.each([undefined, null, '', 'default', {}, { month: 'later' }, { fortnight: 'create' }])(
    'has no default: the adapter does not start with %j (MUSEUM-36, BILL-50)',
    (proration) => {
      const options = { ...without, ...(proration !== undefined && { proration }) } as StripeOptions
      expect(() => stripe(options)).toThrow(/proration must be chosen/)
    }
  )

  it('may differ for each interval, and a change without one is refused (MUSEUM-37)', async () => {
    const { provider, standIn, subscribed } = stripeTest({ proration: { month: 'always_invoice' } })
    const monthly = await subscribed(3)
    await provider.setQuantity({ ...monthly, priceId: 'price_seat', quantity: 4 }, call)
    expect(standIn.asked.at(-1)?.params).toMatchObject({ proration_behavior: 'always_invoice' })
    expect(provider.prorationFor('year')).toBeNull()
    const yearly = await subscribed(3, 'price_seat_yearly')
    const change = { ...yearly, priceId: 'price_seat_yearly', quantity: 4 }
    expect(await failed(provider.setQuantity(change, call))).toMatchObject({
      kind: 'permanent',
      code: 'proration_not_chosen',
    })
    const chosen = { ...change, proration: 'none' } as const
    await provider.setQuantity(chosen, { idempotencyKey: 'operation-2' })
    expect(standIn.asked.at(-1)?.params).toMatchObject({ proration_behavior: 'none' })
  })

  it.each([
    ['create', 'create_prorations'],
    ['none', 'none'],
    ['always_invoice', 'always_invoice'],
  ] as const)('%s reaches Stripe as %s (BILL-51)', async (proration, word) => {
    const { provider, standIn, subscribed } = stripeTest({ proration })
    const { subscriptionId } = await subscribed(3)
    await provider.setQuantity({ subscriptionId, priceId: 'price_seat', quantity: 5 }, call)
    expect(standIn.asked.at(-1)?.params).toMatchObject({ proration_behavior: word })
  })
})

describe('the quantity', () => {
  it('is set on the item that has the price, found at Stripe (MUSEUM-32)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const changed = await provider.setQuantity(
      { subscriptionId, priceId: 'price_seat', quantity: 7 },
      call
    )
    expect(changed.items).toMatchObject([{ priceId: 'price_seat', quantity: 7, interval: 'month' }])
    expect(standIn.state.subscriptions[subscriptionId]?.items.data[0]?.quantity).toBe(7)
    expect(standIn.asked.at(-1)?.idempotencyKey).toBe('operation-1')
  })

  it('is a recorded failure if there is no such item (MUSEUM-32)', async () => {
    const { provider, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const change = { subscriptionId, priceId: 'price_gone', quantity: 7 }
    expect(await failed(provider.setQuantity(change, call))).toMatchObject({
      kind: 'permanent',
      code: 'seat_item_missing',
    })
  })

  it('is not sent if it is the same (MUSEUM-39)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    await provider.setQuantity({ subscriptionId, priceId: 'price_seat', quantity: 3 }, call)
    expect(standIn.asked.filter(({ method }) => method !== 'GET')).toEqual([])
    expect(standIn.takeEvents().map(({ type }) => type)).toEqual(['customer.subscription.created'])
  })

  it.each([0, -1, 1.5, NaN, Infinity, 1e9, Number.MAX_SAFE_INTEGER, '3' as unknown as number])(
    'is never %s',
    async (quantity) => {
      const { provider, standIn, subscribed } = stripeTest()
      const { subscriptionId } = await subscribed(3)
      const change = { subscriptionId, priceId: 'price_seat', quantity }
      expect(await failed(provider.setQuantity(change, call))).toMatchObject({
        code: 'invalid_quantity',
      })
      expect(standIn.asked).toEqual([])
    }
  )

  it('is not raised if the card is declined', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    standIn.declines = true
    const change = { subscriptionId, priceId: 'price_seat', quantity: 4 }
    expect(await failed(provider.setQuantity(change, call))).toMatchObject({
      kind: 'permanent',
      code: 'card_declined',
    })
    expect(standIn.state.subscriptions[subscriptionId]?.items.data[0]?.quantity).toBe(3)
  })

  it('moves to another price together with its quantity', async () => {
    const { provider, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const change = {
      subscriptionId,
      priceId: 'price_seat',
      toPriceId: 'price_seat_yearly',
      quantity: 5,
    }
    const changed = await provider.changePlan(change, call)
    expect(changed.items).toMatchObject([
      { priceId: 'price_seat_yearly', quantity: 5, interval: 'year' },
    ])
  })
})

describe('a preview', () => {
  it('shows the amount that is due, with tax, over all pages, and makes no change (MUSEUM-33, BILL-52, BILL-53)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { customerId } = await subscribed(1)
    const before = structuredClone(standIn.state.subscriptions)
    const items = Array.from({ length: 13 }, () => ({ priceId: 'price_seat', quantity: 2 }))
    const preview = await provider.preview({ customerId, items })
    expect(preview).toMatchObject({ amountDue: 13 * 2000 * 1.21, currency: 'eur' })
    expect(preview.lines).toHaveLength(13)
    expect(standIn.state.subscriptions).toEqual(before)
  })

  it('has the inputs of the change (BILL-52)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const change = {
      subscriptionId,
      priceId: 'price_seat',
      quantity: 5,
      proration: 'none',
    } as const
    await provider.preview(change)
    const previewed = standIn.asked.at(-1)?.params['subscription_details']
    await provider.setQuantity(change, call)
    expect(standIn.asked.at(-1)?.params).toMatchObject(previewed as object)
  })

  it.each([
    ['a fraction', { amount_due: 12.5 }, 'invalid_amount'],
    ['text', { amount_due: '12' }, 'invalid_amount'],
    ['another currency', { currency: 'usd' }, 'mixed_currencies'],
  ])('with %s is refused (BILL-53)', async (_what, wrong, code) => {
    const { provider, standIn, subscribed } = stripeTest()
    const { customerId } = await subscribed(3)
    standIn.fault = ({ path }) =>
      path.endsWith('create_preview')
        ? {
            status: 200,
            body: {
              id: 'upcoming_in_1',
              object: 'invoice',
              amount_due: 1000,
              currency: 'eur',
              lines: {
                object: 'list',
                has_more: false,
                data: [{ id: 'il_1', amount: 1000, currency: 'eur' }],
              },
              ...wrong,
            },
          }
        : null
    const items = [{ priceId: 'price_seat', quantity: 1 }]
    expect(await failed(provider.preview({ customerId, items }))).toMatchObject({ code })
  })
})

describe('a cancellation', () => {
  it('at the end of the period leaves the subscription active and is undone by resuming (MUSEUM-47)', async () => {
    const { provider, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const canceled = await provider.cancel({ subscriptionId, atPeriodEnd: true }, call)
    expect(canceled).toMatchObject({ status: 'active', endedAt: null })
    expect(canceled?.cancelAt).toEqual(canceled?.currentPeriodEnd)
    const resumed = await provider.resume(subscriptionId, { idempotencyKey: 'operation-2' })
    expect(resumed).toMatchObject({ cancelAt: null })
  })

  it('at once ends it, and is the same when repeated', async () => {
    const { provider, subscribed } = stripeTest()
    const { subscriptionId } = await subscribed(3)
    const first = await provider.cancel({ subscriptionId, atPeriodEnd: false }, call)
    const again = await provider.cancel({ subscriptionId, atPeriodEnd: false }, call)
    expect(first).toMatchObject({ status: 'canceled' })
    expect(again?.endedAt).toEqual(first?.endedAt)
    expect(
      await provider.cancel({ subscriptionId: 'sub_gone', atPeriodEnd: false }, call)
    ).toBeNull()
  })

  it('finds all that can still charge, in any status (MUSEUM-45)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { customerId, subscriptionId } = await subscribed(3)
    const others = ['trialing', 'past_due', 'unpaid', 'incomplete', 'paused', 'canceled'].map(
      (status) => {
        const { id } = standIn.subscribe(customerId, [{ price: 'price_seat', quantity: 1 }])
        standIn.change(id, (one) => {
          one.status = status
          if (status === 'canceled') one.ended_at = standIn.time
        })
        return id
      }
    )
    const found = await provider.listSubscriptions(customerId)
    expect(found.map((one) => one.subscriptionId)).toEqual([subscriptionId, ...others.slice(0, -1)])
  })
})

describe('a checkout and the portal', () => {
  it('make addresses, and a repeat with the same key opens no second checkout (MUSEUM-41)', async () => {
    const { provider, standIn, subscribed } = stripeTest()
    const { customerId } = await subscribed(1)
    const checkout = {
      organizationId: 'acme',
      customerId,
      items: [{ priceId: 'price_seat', quantity: 4 }],
      successUrl: 'https://app.example.com/done',
      cancelUrl: 'https://app.example.com/back',
    }
    const urls = [await provider.checkout(checkout, call), await provider.checkout(checkout, call)]
    expect(new Set(urls).size).toBe(1)
    expect(Object.values(standIn.state.sessions)).toMatchObject([
      { client_reference_id: 'acme', lines: [{ price: 'price_seat', quantity: 4 }] },
    ])
    const portal = await provider.portal(customerId, 'https://app.example.com/')
    expect(portal).toMatch(/^https:\/\/billing\.stripe\.test\//)
  })

  it('is refused by Stripe if a key is used for something else (BILL-54)', async () => {
    const { provider } = stripeTest()
    await provider.createCustomer({ organizationId: 'acme', name: 'Acme' }, call)
    const other = provider.createCustomer({ organizationId: 'acme', name: 'Other' }, call)
    expect(await failed(other)).toMatchObject({ kind: 'permanent' })
  })
})

describe('a failure of Stripe', () => {
  it.each([
    [
      'is down',
      { status: 503 },
      { kind: 'transient', code: 'status_503', retryAfterSeconds: null },
    ],
    [
      'is busy',
      { status: 429, headers: { 'retry-after': '17' } },
      { kind: 'transient', code: 'rate_limited', retryAfterSeconds: 17 },
    ],
    [
      'does not know the key',
      { status: 401 },
      { kind: 'permanent', code: 'status_401', retryAfterSeconds: null },
    ],
    [
      'refuses the request',
      {
        status: 400,
        body: { error: { type: 'invalid_request_error', code: 'parameter_unknown' } },
      },
      { kind: 'permanent', code: 'parameter_unknown', retryAfterSeconds: null },
    ],
  ])('that %s is classified', async (_what, fault, expected) => {
    const { provider, standIn } = stripeTest()
    standIn.fault = () => fault
    expect(await failed(provider.fetchSubscription('sub_1'))).toEqual(expected)
    // A repeat is up to the job that made the call.
    expect(standIn.asked).toHaveLength(1)
  })

  it('that does not answer in time, or is not reachable, is transient', async () => {
    const slow = stripeTest({ timeoutSeconds: 0.05 })
    slow.standIn.fault = () => new Promise(() => {})
    expect(await failed(slow.provider.fetchSubscription('sub_1'))).toMatchObject({
      kind: 'transient',
    })
    const cut = stripeTest({ fetch: () => Promise.reject(new TypeError('fetch failed')) })
    expect(await failed(cut.provider.fetchSubscription('sub_1'))).toMatchObject({
      kind: 'transient',
      code: 'unreachable',
    })
  })

  it('has a message without data and secrets', async () => {
    const { provider } = stripeTest({ apiKey: 'sk_live_secret' })
    const error = await provider.fetchSubscription('sub_1').catch((one: unknown) => one)
    expect(String(error)).toBe('ProviderError: The billing provider failed: status_401.')
  })

  it('is no failure if the subscription does not exist', async () => {
    expect(await stripeTest().provider.fetchSubscription('sub_gone')).toBeNull()
  })
})
