import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, granted } from '../../scripts/client.ts'
import { startWorker, type LocalWorker } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { startReceiver, type WebhookReceiver } from '../../scripts/webhook-receiver.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const FAILURES = 3
const DOWN_SECONDS = 5
const RECOVERY_SECONDS = 150
const SECRET = 'whsec_ZW5kLXRvLWVuZC1zZWNyZXQtMDAwMDAwMDAwMDA='

let directory: TemporaryDirectory
let receiver: WebhookReceiver
let worker: LocalWorker

beforeAll(async () => {
  directory = await temporaryDirectory()
  receiver = await startReceiver({
    secret: SECRET,
    answer: (number) => (number <= FAILURES ? 500 : 204),
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
