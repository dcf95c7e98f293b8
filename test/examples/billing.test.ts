import { Stripe } from 'stripe'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { StripeStandIn } from '../../host/billing/stand-in.ts'
import { requestOf, withBindings } from './bindings.ts'

const bindings = {
  PUBLIC_URL: 'https://app.example.com',
  STRIPE_API_KEY: 'sk_test_of_the_stand_in',
  STRIPE_PRICE: 'price_of_a_seat',
  STRIPE_WEBHOOK_SECRET: 'whsec_of_the_test_endpoint',
}

const standIn = new StripeStandIn({
  apiKey: bindings.STRIPE_API_KEY,
  prices: { price_of_a_seat: { unitAmount: 1000, interval: 'month' } },
  newId: () => crypto.randomUUID(),
})

let worker: (typeof import('../../examples/billing/worker.ts'))['default']

beforeAll(async () => {
  vi.stubGlobal('fetch', standIn.fetch)
  const loaded = await withBindings(bindings, () => import('../../examples/billing/worker.ts'))
  worker = loaded.default
})
afterAll(() => vi.unstubAllGlobals())

async function ask(method: string, path: string, body?: unknown) {
  const request = new Request(
    `https://app.example.com${path}`,
    requestOf(method, { 'x-user-id': 'ann' }, body)
  )
  const response = await worker.fetch(request)
  return { status: response.status, body: await response.json<Record<string, unknown>>() }
}

const add = (userId: string) =>
  ask('POST', '/organizations/acme/members', { userId, role: 'member' })

async function deliver(secret = bindings.STRIPE_WEBHOOK_SECRET): Promise<readonly number[]> {
  const statuses: number[] = []
  for (const event of standIn.takeEvents()) {
    const payload = JSON.stringify(event)
    const signature = await Stripe.webhooks.generateTestHeaderStringAsync({
      payload,
      secret,
      cryptoProvider: Stripe.createSubtleCryptoProvider(),
    })
    const request = new Request('https://app.example.com/billing/webhooks/stripe', {
      method: 'POST',
      headers: { 'stripe-signature': signature },
      body: payload,
    })
    statuses.push((await worker.fetch(request)).status)
  }
  await worker.scheduled()
  return statuses
}

it('examples/billing sells the seat that a member needs', async () => {
  expect(await ask('POST', '/organizations', { name: 'Acme' })).toMatchObject({ status: 201 })
  await add('ben')
  await add('cleo')
  expect(await add('dora')).toMatchObject({ status: 409, body: { code: 'seat_limit_reached' } })

  const checkout = { plan: 'team', seats: 1 }
  expect(await ask('POST', '/organizations/acme/billing/checkout', checkout)).toMatchObject({
    status: 201,
    body: { url: expect.stringMatching(/^https:/) },
  })
  standIn.completeCheckout(Object.keys(standIn.state.sessions)[0]!)
  expect(new Set(await deliver())).toEqual(new Set([200]))
  expect(await add('dora')).toMatchObject({ status: 201 })

  expect(await add('emil')).toMatchObject({ status: 201 })
  expect(await ask('GET', '/organizations/acme/billing')).toMatchObject({
    body: { plan: 'team', seats: { included: 3, purchased: 2, limit: 5, used: 5 } },
  })
})

it('examples/billing refuses a webhook with another signature', async () => {
  standIn.subscribe('cus_of_nobody', [{ price: 'price_of_a_seat', quantity: 9 }])
  expect(new Set(await deliver('whsec_of_another'))).toEqual(new Set([400]))
})
