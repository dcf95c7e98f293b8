import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, granted, type Client } from '../../scripts/client.ts'
import { freePort, startWorker, type LocalWorker } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { startReceiver, type WebhookReceiver } from '../../scripts/webhook-receiver.ts'
import { putPeople } from './disk.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const ROUNDS = 3
const PEOPLE_PER_ROUND = 24
const SEATS_PER_ROUND = 12
// A forwarder that was killed keeps its lease until it runs out.
const DELIVERY_SECONDS = 120
// So many at a time, so that a crash finds others at every stage.
const LANES = 6
const SECRET = 'a secret without a prefix'

let directory: TemporaryDirectory
let receiver: WebhookReceiver
let worker: LocalWorker | undefined

beforeAll(async () => {
  directory = await temporaryDirectory()
  receiver = await startReceiver({ secret: SECRET })
})

afterAll(async () => {
  await worker?.kill()
  await receiver.stop()
  await directory.remove()
})

test('a crash in the middle of a rush loses no member, no seat and no event', async () => {
  // The same port each time: a client keeps its address across a restart of the service.
  const port = await freePort()
  const start = () =>
    startWorker({
      port,
      persistTo: directory.path,
      vars: {
        SEAT_RESERVATION_SECONDS: '2',
        OPERATOR_EMAILS: 'operator@example.com',
        AUDIT_WEBHOOK_URL: receiver.url,
        AUDIT_WEBHOOK_SECRET: SECRET,
      },
    })

  const people = await putPeople(directory.path, ROUNDS * PEOPLE_PER_ROUND)
  worker = await start()
  const { url } = worker
  const owner = await signUp(url, 'owner@example.com')
  const operator = await signUp(url, 'operator@example.com')
  const { id } = granted(await owner.api.createOrganization('Crash'))
  const acknowledged = new Set([owner.userId])

  for (let round = 1; round <= ROUNDS; round += 1) {
    // Some seats stay free after each rush, so that the next one is not refused as a whole.
    const limit = acknowledged.size + SEATS_PER_ROUND
    granted(await operator.api.setSeatLimit(id, limit))
    const rushing = people.slice((round - 1) * PEOPLE_PER_ROUND, round * PEOPLE_PER_ROUND)

    await crashDuringRush(worker, owner.api, id, rushing, acknowledged, round * 2)
    worker = await start()

    const members = (await owner.api.members(id)).map(({ userId }) => userId)
    expect(new Set(members).size).toBe(members.length)
    expect(members).toEqual(expect.arrayContaining([...acknowledged]))
    expect(members.length).toBeLessThanOrEqual(limit)

    const seats = await settledSeats(owner.api, id)
    expect(seats.held).toBe((await owner.api.members(id)).length)
    expect(seats.limit).toBe(limit)
    // What landed without an answer counts from here on.
    for (const userId of members) acknowledged.add(userId)
  }

  const events = await owner.api.audit(id)
  const wanted = Array.from({ length: events.length }, (_, index) => index + 1)
  const recorded = events.map(({ sequence }) => sequence)
  expect(recorded.toSorted((a, b) => a - b)).toEqual(wanted)

  const sequences = () => receiver.received(id).map(({ sequence }) => sequence)
  await waitFor(
    `${wanted.length} audit events at the receiver`,
    DELIVERY_SECONDS,
    () => sequences().length >= wanted.length || undefined,
    sequences
  )
  expect(sequences()).toEqual(wanted)
  expect(receiver.deliveries.every(({ isSigned }) => isSigned)).toBe(true)
}, 300_000)

interface Person {
  readonly userId: string
  readonly api: Client
}

async function signUp(url: string, email: string): Promise<Person> {
  const { user, token } = granted(await connect(url).signUp(email))
  return { userId: user.id, api: connect(url, token) }
}

/** Kills the worker once some joins were acknowledged, while others are on their way. */
async function crashDuringRush(
  worker: LocalWorker,
  owner: Client,
  organizationId: string,
  people: readonly string[],
  acknowledged: Set<string>,
  killAfter: number
): Promise<void> {
  const waiting = people.values()
  let admitted = 0
  let unanswered = 0
  let crash: Promise<void> | undefined
  const refusals: unknown[] = []

  async function lane() {
    for (const userId of waiting) {
      if (crash !== undefined) return
      const answering = owner.addMember(organizationId, userId)
      // Whoever asks just now is one who is on the way.
      if (admitted >= killAfter) crash ??= worker.kill()
      try {
        const answer = await answering
        if (!answer.ok) refusals.push(answer.problem)
        else {
          acknowledged.add(userId)
          admitted += 1
        }
      } catch (error) {
        if (crash === undefined) throw error
        unanswered += 1
      }
    }
  }

  await Promise.all(Array.from({ length: LANES }, lane))
  if (crash === undefined) {
    throw new Error(`${admitted} joins instead of ${killAfter}: ${JSON.stringify(refusals)}`)
  }
  await crash
  expect(unanswered).toBeGreaterThan(0)
}

function settledSeats(owner: Client, organizationId: string) {
  let last: unknown
  return waitFor(
    'held seats to match the members and no seat to be reserved',
    60,
    async () => {
      const seats = await owner.seats(organizationId)
      const members = await owner.members(organizationId)
      last = { ...seats, members: members.length }
      return seats.held === members.length && seats.reserved === 0 ? seats : undefined
    },
    () => last
  )
}
