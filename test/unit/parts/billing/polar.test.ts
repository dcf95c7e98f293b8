import { Webhook } from 'standardwebhooks'
import { describe, expect, it } from 'vitest'
import { polar, type PolarOptions } from '../../../../src/parts/billing/polar/index.ts'
import { ProviderError } from '../../../../src/parts/billing/provider-error.ts'
import { PolarStandIn } from './polar-stand-in.ts'
import { bytes, NOW } from './stripe.ts'

const SECRET = 'whsec_plJ3nmyCDGBKInavdOK15jsl'
const call = { idempotencyKey: 'operation-1' }

function polarTest(options: Partial<PolarOptions> = {}) {
  const standIn = new PolarStandIn('polar_oat_1', () => NOW)
  const provider = polar({
    accessToken: 'polar_oat_1',
    webhookSecret: SECRET,
    proration: 'always_invoice',
    fetch: standIn.fetch,
    ...options,
  })
  return { standIn, provider }
}

const EVENT = {
  type: 'subscription.updated',
  timestamp: '2026-11-20T11:59:58.000Z',
  data: { id: 'sub_1', customer_id: 'customer_1', metadata: { organization: 'another' } },
}

function signed(text: string, { secret = SECRET, at = NOW } = {}): Headers {
  return new Headers({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
    'webhook-signature': new Webhook(secret).sign('msg_1', at, text),
  })
}

describe('a webhook of Polar', () => {
  const text = JSON.stringify(EVENT)
  const received = (payload: string, headers: Headers, options = {}) =>
    polarTest(options).provider.receive({ body: bytes(payload), headers, now: NOW })

  it('is verified by Standard Webhooks and names the event', async () => {
    expect(await received(text, signed(text))).toEqual({
      verified: true,
      event: {
        id: 'msg_1',
        type: 'subscription.updated',
        providerTime: new Date(EVENT.timestamp),
        subscriptionId: 'sub_1',
        customerId: 'customer_1',
        mode: 'live',
        account: '',
      },
    })
  })

  it('is verified with the text of the secret as the key, as Polar shows it', async () => {
    const secret = 'polar_whs_not_base64!'
    const at = `msg_1.${Math.floor(NOW.getTime() / 1000)}.${text}`
    const algorithm = { name: 'HMAC', hash: 'SHA-256' }
    const key = await crypto.subtle.importKey('raw', bytes(secret), algorithm, false, ['sign'])
    const mac = new Uint8Array(await crypto.subtle.sign('HMAC', key, bytes(at)))
    const headers = signed(text)
    headers.set('webhook-signature', `v1,${btoa(String.fromCharCode(...mac))}`)
    expect(await received(text, headers, { webhookSecret: secret })).toMatchObject({
      verified: true,
    })
  })

  it.each([
    ['another body', `${text} `, signed(text)],
    ['another secret', text, signed(text, { secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })],
    ['no headers', text, new Headers()],
  ])('is refused with %s (BILL-63)', async (_what, payload, headers) => {
    expect(await received(payload, headers)).toEqual({ verified: false, reason: 'signature' })
  })

  it.each([-301, 301])('signed %i s from now is refused (BILL-64)', async (offset) => {
    const at = new Date(NOW.getTime() + offset * 1000)
    expect(await received(text, signed(text, { at }))).toEqual({ verified: false, reason: 'time' })
  })

  it('about an order names its subscription', async () => {
    const order = {
      type: 'order.paid',
      timestamp: EVENT.timestamp,
      data: { id: 'order_1', subscription_id: 'sub_9' },
    }
    const payload = JSON.stringify(order)
    expect(await received(payload, signed(payload))).toMatchObject({
      event: { subscriptionId: 'sub_9' },
    })
  })
})

describe('the adapter for Polar', () => {
  it('refuses to start without a proration choice (MUSEUM-36)', () => {
    const options = { accessToken: 'polar_oat_1', webhookSecret: SECRET } as PolarOptions
    expect(() => polar(options)).toThrow(/proration must be chosen/)
  })

  it.each([
    ['create', 'prorate'],
    ['none', 'next_period'],
    ['always_invoice', 'invoice'],
  ] as const)('sends the proration choice %s as %s (BILL-51)', async (proration, word) => {
    const { provider, standIn } = polarTest({ proration })
    standIn.subscribe('customer_1', 3)
    const change = { subscriptionId: 'sub_1', priceId: 'product_team', quantity: 5 }
    expect(await provider.setQuantity(change, call)).toMatchObject({ items: [{ quantity: 5 }] })
    expect(standIn.asked.at(-1)?.body).toEqual({ seats: 5, proration_behavior: word })
  })

  it('sends no change of a quantity that is the same (MUSEUM-39)', async () => {
    const { provider, standIn } = polarTest()
    standIn.subscribe('customer_1', 3)
    const change = { subscriptionId: 'sub_1', priceId: 'product_team', quantity: 3 }
    await provider.setQuantity(change, call)
    expect(standIn.asked.map(({ method }) => method)).toEqual(['GET'])
  })

  it('moves to another product with the seats that are used now (MUSEUM-31)', async () => {
    const { provider, standIn } = polarTest()
    standIn.subscribe('customer_1', 3)
    const change = {
      subscriptionId: 'sub_1',
      priceId: 'product_team',
      toPriceId: 'product_big',
      quantity: 8,
    }
    expect(await provider.changePlan(change, call)).toMatchObject({
      items: [{ priceId: 'product_big', quantity: 8 }],
    })
  })

  it('makes one customer for an organization, also when two create it at once (BILL-61)', async () => {
    const { provider, standIn } = polarTest()
    const acme = { organizationId: 'acme', name: 'Acme' }
    const ids = await Promise.all([
      provider.createCustomer(acme, call),
      provider.createCustomer(acme, call),
    ])
    expect(new Set(ids).size).toBe(1)
    expect(standIn.customers).toHaveLength(1)
  })

  it('opens a checkout with seats, and the portal', async () => {
    const { provider, standIn } = polarTest()
    const checkout = {
      organizationId: 'acme',
      customerId: 'customer_1',
      items: [{ priceId: 'product_team', quantity: 4 }],
      successUrl: 'https://app.example.com/done',
      cancelUrl: 'https://app.example.com/back',
    }
    expect(await provider.checkout(checkout, call)).toMatch(/^https:\/\/polar\.test\/checkout/)
    expect(standIn.asked.at(-1)?.body).toMatchObject({ products: ['product_team'], seats: 4 })
    expect(await provider.portal('customer_1', 'https://app.example.com/')).toBe(
      'https://polar.test/portal/customer_1'
    )
  })

  it('cancels at the end of the period, resumes, and ends at once', async () => {
    const { provider, standIn } = polarTest()
    standIn.subscribe('customer_1', 3)
    const canceled = await provider.cancel({ subscriptionId: 'sub_1', atPeriodEnd: true }, call)
    expect(canceled).toMatchObject({ status: 'active', cancelAt: canceled?.currentPeriodEnd })
    expect(await provider.resume('sub_1', call)).toMatchObject({ cancelAt: null })
    const ended = await provider.cancel({ subscriptionId: 'sub_1', atPeriodEnd: false }, call)
    expect(ended).toMatchObject({ status: 'canceled', endedAt: NOW })
    const again = await provider.cancel({ subscriptionId: 'sub_1', atPeriodEnd: false }, call)
    expect(again).toEqual(ended)
  })

  it('lists all that can still charge, over all pages (MUSEUM-45)', async () => {
    const { provider, standIn } = polarTest()
    for (const status of ['active', 'trialing', 'past_due', 'paused', 'canceled']) {
      const subscription = standIn.subscribe('customer_1', 1)
      subscription['status'] = status
      if (status === 'canceled') subscription['ended_at'] = NOW.toISOString()
    }
    const statuses = (await provider.listSubscriptions('customer_1')).map(({ status }) => status)
    expect(statuses).toEqual(['active', 'trialing', 'past_due', 'paused'])
  })

  it.each([
    [new Response('<html>', { status: 502 }), 'transient', 'status_502', null],
    [
      new Response('{}', { status: 429, headers: { 'retry-after': '9' } }),
      'transient',
      'rate_limited',
      9,
    ],
    [
      Response.json({ error: 'SubscriptionLocked' }, { status: 409 }),
      'transient',
      'SubscriptionLocked',
      null,
    ],
    [
      Response.json({ error: 'PermissionDenied' }, { status: 403 }),
      'permanent',
      'PermissionDenied',
      null,
    ],
    [new Response('{"id":1}', { status: 200 }), 'permanent', 'unexpected_answer', null],
  ])('classifies failure %#', async (answer, kind, code, retryAfterSeconds) => {
    const { provider, standIn } = polarTest()
    standIn.fault = () => answer
    const error = await provider.fetchSubscription('sub_1').catch((one: unknown) => one)
    expect(error).toBeInstanceOf(ProviderError)
    expect(error).toMatchObject({ kind, code, retryAfterSeconds })
  })

  it('has no amount in a preview, because Polar does not compute one', async () => {
    const preview = await polarTest().provider.preview({ customerId: 'customer_1', items: [] })
    expect(preview).toEqual({ amountDue: null, currency: null, lines: [] })
  })
})
