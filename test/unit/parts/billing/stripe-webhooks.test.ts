import { describe, expect, it } from 'vitest'
import { stripe } from '../../../../src/parts/billing/stripe/index.ts'
import { bytes, NOW, SECRET, signedByStripe, stripeTest } from './stripe.ts'

const EVENT = {
  id: 'evt_1',
  object: 'event',
  type: 'customer.subscription.updated',
  created: 1_795_000_000,
  livemode: false,
  data: { object: { object: 'subscription', id: 'sub_1', customer: 'cus_1' } },
}
const text = JSON.stringify(EVENT)
const seconds = (count: number) => new Date(NOW.getTime() + count * 1000)

async function received(payload: string, headers: Headers, options = {}) {
  return stripeTest(options).provider.receive({ body: bytes(payload), headers, now: NOW })
}

describe('a webhook of Stripe', () => {
  it('is verified by its bytes and names the event, without its state (BILL-62, BILL-69)', async () => {
    expect(await received(text, await signedByStripe(text))).toEqual({
      verified: true,
      event: {
        id: 'evt_1',
        type: 'customer.subscription.updated',
        providerTime: new Date(1_795_000_000_000),
        subscriptionId: 'sub_1',
        customerId: 'cus_1',
        mode: 'test',
        account: '',
      },
    })
  })

  it.each([
    ['another body', `${text} `, {}],
    ['the secret of another endpoint', text, { secret: 'whsec_of_another_endpoint' }],
  ])('is refused with %s (BILL-63, BILL-64)', async (_what, payload, options) => {
    const headers = await signedByStripe(text, options)
    expect(await received(payload, headers)).toEqual({ verified: false, reason: 'signature' })
  })

  it.each(['', 't=1', 't=abc,v1=00', 'v1=', 'nonsense'])(
    'is refused with the header "%s" (BILL-63)',
    async (header) => {
      const headers = new Headers({ 'stripe-signature': header })
      expect(await received(text, headers)).toEqual({ verified: false, reason: 'signature' })
    }
  )

  it('is refused without a header (BILL-63)', async () => {
    expect(await received(text, new Headers())).toEqual({ verified: false, reason: 'signature' })
  })

  it.each([
    [-300, true],
    [-301, false],
    [300, true],
    [301, false],
  ])('signed %i s from now is verified: %s (BILL-64)', async (offset, verified) => {
    const headers = await signedByStripe(text, { at: seconds(offset) })
    expect(await received(text, headers)).toMatchObject(
      verified ? { verified } : { verified, reason: 'time' }
    )
  })

  it('is verified by each of several secrets (BILL-64)', async () => {
    const webhookSecret = [SECRET, 'whsec_new']
    for (const secret of webhookSecret) {
      const headers = await signedByStripe(text, { secret })
      expect(await received(text, headers, { webhookSecret })).toMatchObject({ verified: true })
    }
  })

  it.each(['not json', '[]', 'null', '{}', '{"id":1,"type":"x"}'])(
    'that is signed and not an event is refused: %s',
    async (payload) => {
      const headers = await signedByStripe(payload)
      expect(await received(payload, headers)).toEqual({ verified: false, reason: 'body' })
    }
  )

  it('is refused if its bytes differ from the signed ones, even with the same meaning', async () => {
    const signed = '{"id":"\ufffd"}'
    const headers = await signedByStripe(signed)
    const at = signed.indexOf('\ufffd')
    const body = new Uint8Array([
      ...bytes(signed.slice(0, at)),
      0xff,
      ...bytes(signed.slice(at + 1)),
    ])
    const answer = await stripeTest().provider.receive({ body, headers, now: NOW })
    expect(answer).toMatchObject({ verified: false })
  })

  it('about an invoice or a checkout names the subscription', async () => {
    const objects = [
      {
        object: 'invoice',
        id: 'in_1',
        customer: 'cus_1',
        parent: { subscription_details: { subscription: 'sub_1' } },
      },
      {
        object: 'checkout.session',
        id: 'cs_1',
        customer: { id: 'cus_1' },
        subscription: { id: 'sub_1' },
      },
    ]
    for (const object of objects) {
      const payload = JSON.stringify({ ...EVENT, data: { object } })
      expect(await received(payload, await signedByStripe(payload))).toMatchObject({
        event: { subscriptionId: 'sub_1', customerId: 'cus_1' },
      })
    }
  })

  it.each([[''], [[]], [['whsec_x', '']], ['whsec with space'], [undefined]])(
    'needs a secret at start, not %j (BILL-21)',
    (webhookSecret) => {
      const options = { apiKey: 'sk', proration: 'none', webhookSecret } as never
      expect(() => stripe(options)).toThrow(/webhookSecret/)
    }
  )
})
