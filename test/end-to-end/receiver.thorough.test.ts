import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, granted } from '../../scripts/client.ts'
import { startWorker, type LocalWorker } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { startReceiver, type Answer, type WebhookReceiver } from '../../scripts/webhook-receiver.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const FAILURES = 3
const DOWN_SECONDS = 5
const RECOVERY_SECONDS = 150
const SECRET = 'whsec_ZW5kLXRvLWVuZC1zZWNyZXQtMDAwMDAwMDAwMDA='

/** What it answers next, before it answers 204 to everything. */
const answers: Answer[] = Array.from({ length: FAILURES }, () => ({ status: 500 }))

let directory: TemporaryDirectory
let receiver: WebhookReceiver
let worker: LocalWorker

beforeAll(async () => {
  directory = await temporaryDirectory()
  receiver = await startReceiver({
    secret: SECRET,
    answer: () => answers.shift() ?? { status: 204 },
  })
  worker = await startWorker({
    persistTo: directory.path,
    vars: { AUDIT_WEBHOOK_URL: receiver.url, AUDIT_WEBHOOK_SECRET: SECRET },
  })
}, 120_000)

afterAll(async () => {
  await worker?.stop()
  await receiver?.stop()
  await directory.remove()
})

test('a receiver that fails and then is down gets every event, in order', async () => {
  const owner = granted(await connect(worker.url).signUp('owner@example.com'))
  const api = connect(worker.url, owner.token)
  const { id } = granted(await api.createOrganization('Outage'))
  const sequences = () => receiver.received(id).map(({ sequence }) => sequence)
  const count = async () => (await api.audit(id)).length

  async function join(email: string) {
    const { user } = granted(await connect(worker.url).signUp(email))
    granted(await api.addMember(id, user.id))
  }
  async function allDelivered(when: string) {
    const wanted = await count()
    await waitFor(
      `${wanted} audit events ${when}`,
      RECOVERY_SECONDS,
      () => sequences().length >= wanted || undefined,
      () => ({ received: sequences(), attempts: receiver.deliveries.length })
    )
  }

  await join('first@example.com')
  await join('second@example.com')
  await allDelivered('after three failures')
  expect(receiver.deliveries.slice(0, FAILURES).map(({ status }) => status)).toEqual(
    Array.from({ length: FAILURES }, () => 500)
  )

  const before = await count()
  await receiver.stop()
  await join('third@example.com')
  await sleep(DOWN_SECONDS * 1000)
  // A dead receiver is no reason to refuse or to delay anybody.
  await join('fourth@example.com')
  expect(sequences().length).toBe(before)
  await receiver.restart()
  await allDelivered('after an outage')

  const wanted = await count()
  expect(wanted).toBeGreaterThan(before)
  expect(sequences()).toEqual(Array.from({ length: wanted }, (_, index) => index + 1))
  expect(receiver.deliveries.every(({ isSigned }) => isSigned)).toBe(true)
}, 400_000)

test('the trace of a request reaches the receiver, and no other request has a trace', async () => {
  const owner = granted(await connect(worker.url).signUp('traced@example.com'))
  const api = connect(worker.url, owner.token)
  const { id } = granted(await api.createOrganization('Traced'))
  const trace = '0af7651916cd43dd8448eb211c80319c'
  for (const flags of ['00', '01']) {
    const response = await fetch(`${worker.url}/organizations/${id}`, {
      method: 'PATCH',
      headers: {
        'content-type': 'application/json',
        authorization: `Bearer ${owner.token}`,
        traceparent: `00-${trace}-b7ad6b7169203331-${flags}`,
      },
      body: JSON.stringify({ name: `Traced ${flags}` }),
    })
    expect(response.status).toBe(200)
  }
  const wanted = await api.audit(id)
  await waitFor(
    'every event of the traced requests',
    RECOVERY_SECONDS,
    () => receiver.received(id).length >= wanted.length || undefined,
    () => receiver.received(id)
  )
  const traces = receiver.deliveries
    .filter(({ event }) => event.organizationId === id)
    .map(({ event, traceparent }) => [event.action, traceparent] as const)
  const traced = traces.filter(([, traceparent]) => traceparent !== undefined)
  expect(traced.length).toBe(2)
  for (const [, traceparent] of traced) {
    expect(traceparent).toMatch(new RegExp(`^00-${trace}-(?!b7ad6b7169203331)[0-9a-f]{16}-01$`))
  }
  expect(new Set(traced.map(([, traceparent]) => traceparent)).size).toBe(2)
  expect(traces.length).toBeGreaterThan(traced.length)
}, 200_000)

test('a redirect is not followed, and the rest of an answer is not read [FWD-49]', async () => {
  const elsewhere = await startReceiver({ secret: SECRET })
  let hungUp = false
  function* endless() {
    try {
      for (;;) yield 'more '.repeat(1000)
    } finally {
      hungUp = true
    }
  }
  try {
    const before = receiver.deliveries.length
    const html = { 'content-type': 'text/html' }
    answers.push(
      { status: 302, headers: { location: elsewhere.url } },
      { status: 200, body: endless() },
      { status: 200, headers: html, body: '<!doctype html><title>Welcome</title>' },
      { status: 307, headers: { location: elsewhere.url } }
    )
    const owner = granted(await connect(worker.url).signUp('odd@example.com'))
    const api = connect(worker.url, owner.token)
    const { id } = granted(await api.createOrganization('Odd answers'))
    const { user } = granted(await connect(worker.url).signUp('even-odder@example.com'))
    granted(await api.addMember(id, user.id))
    const wanted = await api.audit(id)
    await waitFor(
      'every event, and the end of what has none',
      RECOVERY_SECONDS,
      () => (receiver.received(id).length === wanted.length && hungUp) || undefined,
      () => ({ hungUp, deliveries: receiver.deliveries.slice(before) })
    )
    const came = receiver.deliveries.slice(before)
    expect(came.map(({ status, event }) => [event.sequence, status])).toEqual([
      [1, 302],
      [1, 200],
      [2, 200],
      [3, 307],
      [3, 204],
      [4, 204],
    ])
    expect(elsewhere.requests()).toBe(0)
  } finally {
    await elsewhere.stop()
  }
}, 200_000)
