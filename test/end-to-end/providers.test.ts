import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { StripeStandIn } from '../../host/billing/stand-in.ts'
import {
  ProviderError,
  type BillingProvider,
  type ProviderCall,
} from '../../src/parts/billing/index.ts'
import { polar } from '../../src/parts/billing/polar/index.ts'
import { stripe } from '../../src/parts/billing/stripe/index.ts'
import { PolarStandIn } from '../unit/parts/billing/polar-stand-in.ts'

const NOW = new Date('2026-11-20T12:00:00.000Z')
const call: ProviderCall = { idempotencyKey: 'operation-1' }
const closing: (() => Promise<void>)[] = []

afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

/** Serves a stand-in on the loopback interface. */
async function served(standIn: { readonly fetch: typeof fetch }) {
  let delay: Promise<unknown> = Promise.resolve()
  const server = createServer((request, response) => {
    void (async () => {
      const { method = 'GET', url = '/' } = request
      const body = await bodyOf(request)
      await delay
      const answer = await standIn.fetch(`http://provider.test${url}`, {
        method,
        headers: request.headers as Record<string, string>,
        ...(method !== 'GET' && body !== '' && { body }),
      })
      response.writeHead(answer.status, Object.fromEntries(answer.headers))
      response.end(await answer.text())
    })()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  let isOpen = true
  const stop = async () => {
    if (!isOpen) return
    isOpen = false
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  closing.push(stop)
  return {
    url: `http://127.0.0.1:${port}`,
    stop,
    slow(until: Promise<unknown>) {
      delay = until
    },
  }
}

/** A provider that is reached by real HTTP, and how it fails. */
interface Reached {
  readonly provider: BillingProvider
  readonly stop: () => Promise<void>
  readonly slow: (until: Promise<unknown>) => void
  fault(status: number, headers?: Readonly<Record<string, string>>): void
}

const reach: Readonly<Record<string, () => Promise<Reached>>> = {
  async stripe() {
    const standIn = new StripeStandIn({
      apiKey: 'sk_test',
      prices: { seat: { unitAmount: 1000, interval: 'month' } },
      now: () => NOW.getTime(),
    })
    const { url, stop, slow } = await served(standIn)
    const provider = stripe({
      apiKey: 'sk_test',
      webhookSecret: 'whsec_of_the_endpoint',
      proration: 'create',
      timeoutSeconds: 0.5,
      // The package knows one host: the requests are sent to the loopback interface in its place.
      fetch: async (input, init) =>
        fetch(String(input).replace('https://api.stripe.com', url), init),
    })
    return {
      provider,
      stop,
      slow,
      fault: (status, headers) => {
        standIn.fault = () => ({ status, ...(headers && { headers }) })
      },
    }
  },
  async polar() {
    const standIn = new PolarStandIn('polar_oat', () => NOW)
    const { url, stop, slow } = await served(standIn)
    const provider = polar({
      accessToken: 'polar_oat',
      webhookSecret: 'whsec_plJ3nmyCDGBKInavdOK15jsl',
      proration: 'create',
      timeoutSeconds: 0.5,
      apiUrl: url,
    })
    return {
      provider,
      stop,
      slow,
      fault: (status, headers) => {
        standIn.fault = () => Response.json({}, { status, ...(headers && { headers }) })
      },
    }
  },
}

const failureOf = async (asked: Promise<unknown>) => {
  const error = await asked.then(
    () => null,
    (one: unknown) => one
  )
  if (!(error instanceof ProviderError)) return error
  const { kind, code, retryAfterSeconds } = error
  return { kind, code, retryAfterSeconds }
}

describe.each(Object.keys(reach))('%s over real HTTP', (name) => {
  it('creates one customer for a repeat, and answers null for a missing one', async () => {
    const { provider } = await reach[name]!()
    const customer = { organizationId: 'acme', name: 'Acme' }
    const ids = [
      await provider.createCustomer(customer, call),
      await provider.createCustomer(customer, call),
    ]
    expect(ids[0]).toMatch(/./)
    expect(new Set(ids).size).toBe(1)
    expect(await provider.fetchSubscription('no-such-subscription')).toBeNull()
    expect(await provider.listSubscriptions(ids[0]!)).toEqual([])
  })

  it('is transient while it is busy, with the time that it asks for', async () => {
    const { provider, fault } = await reach[name]!()
    fault(429, { 'retry-after': '17' })
    expect(await failureOf(provider.fetchSubscription('sub_1'))).toEqual({
      kind: 'transient',
      code: 'rate_limited',
      retryAfterSeconds: 17,
    })
  })

  it.each([500, 502, 503])('is transient while it answers %i', async (status) => {
    const { provider, fault } = await reach[name]!()
    fault(status)
    expect(await failureOf(provider.fetchSubscription('sub_1'))).toMatchObject({
      kind: 'transient',
    })
  })

  it('is transient while it is down', async () => {
    const { provider, stop } = await reach[name]!()
    await stop()
    expect(await failureOf(provider.fetchSubscription('sub_1'))).toMatchObject({
      kind: 'transient',
      code: 'unreachable',
    })
  })

  it('is transient while it is slow, and does not keep the caller', async () => {
    const { provider, slow } = await reach[name]!()
    const release = Promise.withResolvers<void>()
    slow(release.promise)
    const began = performance.now()
    expect(await failureOf(provider.fetchSubscription('sub_1'))).toMatchObject({
      kind: 'transient',
    })
    expect(performance.now() - began).toBeLessThan(5000)
    release.resolve()
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity, 1e9])(
    'is never sent the quantity %s',
    async (quantity) => {
      const { provider } = await reach[name]!()
      const change = { subscriptionId: 'sub_1', priceId: 'seat', quantity }
      expect(await failureOf(provider.setQuantity(change, call))).toMatchObject({
        kind: 'permanent',
        code: 'invalid_quantity',
      })
    }
  )
})
