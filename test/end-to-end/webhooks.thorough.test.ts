import { request } from 'node:http'
import { Stripe } from 'stripe'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DEV_WEBHOOK_SECRET } from '../../host/billing/stand-in.ts'
import { connect, granted } from '../../scripts/client.ts'
import { startWorker, type LocalWorker } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { rowsOnDisk } from './disk.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const BURST = 200
const AT_ONCE = 20
const TIMEOUT_MS = 180_000
// The largest body that is read has 512 KiB.
const TOO_LARGE = 600 * 1024

let directory: TemporaryDirectory
let worker: LocalWorker

beforeAll(async () => {
  directory = await temporaryDirectory()
  worker = await startWorker({ persistTo: directory.path })
}, 120_000)

afterAll(async () => {
  await worker?.stop()
  await directory.remove()
})

interface Sent {
  readonly secret?: string
  /** How old the signature is. */
  readonly age?: number
  /** Sends the body in pieces, without its length. */
  readonly chunked?: boolean
  /** A body other than the one that is signed. */
  readonly body?: string
}

/** Sends a webhook over a socket of its own, signed by Stripe's package. Returns the status. */
function send(payload: string, { secret, age = 0, chunked = false, body }: Sent = {}) {
  const signature = Stripe.webhooks.generateTestHeaderString({
    payload,
    secret: secret ?? DEV_WEBHOOK_SECRET,
    timestamp: Math.floor(Date.now() / 1000) - age,
  })
  const bytes = Buffer.from(body ?? payload)
  const length = chunked ? {} : { 'content-length': bytes.byteLength }
  return new Promise<number>((resolve, reject) => {
    const sending = request(`${worker.url}/billing/webhooks/stripe`, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'stripe-signature': signature, ...length },
    })
    sending.on('response', (response) => {
      response.resume()
      resolve(response.statusCode ?? 0)
    })
    sending.on('error', reject)
    for (let at = 0; at < bytes.byteLength; at += 1024) {
      sending.write(bytes.subarray(at, at + 1024))
    }
    sending.end()
  })
}

const inbox = () =>
  rowsOnDisk(
    directory.path,
    "SELECT event_id, status FROM seatgate_billing_inbox WHERE event_id LIKE 'evt_wire_%'"
  )

test(
  'a webhook over a socket is processed once as Stripe signed it, at any framing, and no other byte is',
  async () => {
    const owner = granted(await connect(worker.url).signUp('owner@example.com'))
    const api = connect(worker.url, owner.token)
    const { id } = granted(await api.createOrganization('Webhooks'))
    granted(await api.atProvider(id, { event: 'checkout_completed', plan: 'team', seats: 5 }))
    expect((await api.seats(id)).limit).toBe(5)
    const [row] = await rowsOnDisk(directory.path, 'SELECT state FROM dev_billing')
    const { subscriptions } = JSON.parse(String(row?.['state'])) as {
      subscriptions: Record<string, { items: { data: { quantity: number }[] } }>
    }
    const [subscription] = Object.values(subscriptions)
    // The provider never said this: its state is fetched, and no number of an event is used.
    subscription!.items.data[0]!.quantity = 900
    const event = (name: string, more: object = {}) =>
      JSON.stringify({
        id: `evt_wire_${name}`,
        object: 'event',
        type: 'customer.subscription.updated',
        created: Math.floor(Date.now() / 1000),
        livemode: false,
        data: { object: { ...subscription, ...more } },
      })

    const valid = event('valid')
    expect(await send(valid)).toBe(200)
    expect(await send(valid), 'a replay').toBe(200)
    expect(await send(event('chunked'), { chunked: true })).toBe(200)
    const doubled = event('doubled')
    expect(
      new Set(await Promise.all(Array.from({ length: AT_ONCE }, () => send(doubled))))
    ).toEqual(new Set([200]))

    const large = event('large', { metadata: { note: 'x'.repeat(TOO_LARGE) } })
    const wrong = {
      forged: await send(event('forged'), { secret: 'whsec_of_another_endpoint' }),
      stale: await send(event('stale'), { age: 3600 }),
      early: await send(event('early'), { age: -3600 }),
      changed: await send(event('signed'), { body: event('changed') }),
      changedInChunks: await send(event('signed'), { body: event('changed'), chunked: true }),
      empty: await send('', {}),
      large: await send(large),
      largeInChunks: await send(large, { chunked: true }),
    }
    expect(wrong).toEqual({
      forged: 400,
      stale: 400,
      early: 400,
      changed: 400,
      changedInChunks: 400,
      empty: 400,
      large: 413,
      largeInChunks: 413,
    })

    const names = Array.from({ length: BURST }, (_, index) => `burst_${index}`)
    for (let at = 0; at < BURST; at += AT_ONCE) {
      const statuses = await Promise.all(
        names
          .slice(at, at + AT_ONCE)
          .map((name, index) => send(event(name), { chunked: index % 2 === 1 }))
      )
      expect(new Set(statuses)).toEqual(new Set([200]))
    }
    const taken = ['valid', 'chunked', 'doubled', ...names].map((name) => `evt_wire_${name}`)
    let last: unknown
    await waitFor(
      'every webhook to be applied',
      60,
      async () => {
        const rows = await inbox()
        last = rows.filter(({ status }) => status !== 'succeeded')
        return rows.every(({ status }) => status === 'succeeded') || undefined
      },
      () => last
    )
    const ids = (await inbox()).map(({ event_id: eventId }) => String(eventId))
    expect(ids.toSorted()).toEqual(taken.toSorted())
    expect((await api.seats(id)).limit).toBe(5)
  },
  TIMEOUT_MS
)
