import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort, startWorker, type LocalWorker } from '../../scripts/local-worker.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { putPeople, violationsOnDisk } from './disk.ts'
import { seeded } from './seeded.ts'
import { wholeNumber } from '../../scripts/arguments.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'
import { WHOLE } from '../kit/scale.ts'

// A share of it each time; `npm run scale` for the whole.
const KILLS = WHOLE ? 50 : 2
const SEED = wholeNumber('SCALE_SEED', process.env['SCALE_SEED'] ?? '1', { from: 1 })
const PEOPLE = 24
// The limit moves between these; whoever is in when it falls stays.
const FEWEST_SEATS = 14
const MOST_SEATS = 17
const LOWERED = { usedWhenLowered: MOST_SEATS }
const PATIENCE_MS = 3_600_000

let directory: TemporaryDirectory
let worker: LocalWorker | undefined

beforeAll(async () => {
  directory = await temporaryDirectory()
})

afterAll(async () => {
  await worker?.kill()
  await directory.remove()
})

interface Answer {
  readonly status: number
  readonly body: unknown
}

interface Person {
  readonly userId: string
  /** Whether they are a member, or null while nobody can say: the answer never came. */
  in: boolean | null
}

test(
  'killed at any moment, again and again on the same data, every invariant holds',
  async () => {
    const port = await freePort()
    const start = () =>
      startWorker({
        port,
        persistTo: directory.path,
        vars: { SEAT_RESERVATION_SECONDS: '2', OPERATOR_EMAILS: 'operator@example.com' },
      })
    const ids = await putPeople(directory.path, PEOPLE)
    const people = ids.map((userId): Person => ({ userId, in: false }))
    worker = await start()
    const { url } = worker
    const random = seeded(SEED)
    const owner = await signUp(url, 'owner')
    const operator = await signUp(url, 'operator')
    const created = await ask(url, owner, 'POST', '/organizations', { name: 'Kills' })
    const { id } = created.body as { id: string }
    const path = `/organizations/${id}`
    await setLimit(url, operator, path, MOST_SEATS)

    for (let kill = 1; kill <= KILLS; kill++) {
      const where = `kill ${kill} of seed ${SEED}`
      const acted = await rushUntilKilled({ worker, owner, operator, people, path, random })
      expect(acted, where).toBeGreaterThan(0)
      expect(
        await violationsOnDisk(directory.path, id, { quiet: false, ...LOWERED }),
        where
      ).toEqual([])

      worker = await start()
      const members = await settled(url, owner, path)
      for (const person of people) {
        const present = members.has(person.userId)
        if (person.in !== null) expect(present, `${person.userId}, ${where}`).toBe(person.in)
        person.in = present
      }
    }
    // At rest there is nothing that a crash could leave open.
    await worker.kill()
    expect(
      await violationsOnDisk(directory.path, id, { quiet: true, ...LOWERED }),
      `seed ${SEED}`
    ).toEqual([])
  },
  PATIENCE_MS
)

/** Everybody comes and goes, invitations are made and revoked, the limit moves; then SIGKILL. */
async function rushUntilKilled({
  worker,
  owner,
  operator,
  people,
  path,
  random,
}: {
  readonly worker: LocalWorker
  readonly owner: string
  readonly operator: string
  readonly people: readonly Person[]
  readonly path: string
  readonly random: (below: number) => number
}): Promise<number> {
  const { url } = worker
  const killAfter = 1 + random(40)
  const killDelayMs = random(30)
  let answered = 0
  let killed: Promise<void> | undefined
  const isOver = () => killed !== undefined
  const heard = () => {
    answered += 1
    if (answered >= killAfter) killed ??= sleep(killDelayMs).then(() => worker.kill())
  }

  // Each has one operation under way at a time, so that an answer says how it stands.
  async function comeAndGo(person: Person, choose: (below: number) => number) {
    while (!isOver()) {
      const wasIn = person.in
      person.in = null
      const answer =
        wasIn === true
          ? await ask(url, owner, 'DELETE', `${path}/members/${person.userId}`)
          : await ask(url, owner, 'POST', `${path}/members`, {
              userId: person.userId,
              role: choose(6) === 0 ? 'owner' : 'member',
            })
      expect([201, 204, 409, 503]).toContain(answer.status)
      if (answer.status < 300) person.in = wasIn !== true
      else if (answer.status === 409) person.in = wasIn
      heard()
    }
  }

  async function inviteAndRevoke(name: string) {
    for (let count = 0; !isOver(); count++) {
      const email = `${name}-${count}-${killAfter}@example.com`
      const invited = await ask(url, owner, 'POST', `${path}/invitations`, {
        email,
        role: 'member',
      })
      expect([201, 409, 429, 503]).toContain(invited.status)
      if (invited.status !== 201) {
        await sleep(20)
        continue
      }
      heard()
      const { id } = invited.body as { id: string }
      const revoked = await ask(url, owner, 'DELETE', `${path}/invitations/${id}`)
      expect([204, 503]).toContain(revoked.status)
      heard()
    }
  }

  async function moveLimit(choose: (below: number) => number) {
    while (!isOver()) {
      await setLimit(url, operator, path, FEWEST_SEATS + choose(MOST_SEATS - FEWEST_SEATS + 1))
      heard()
      await sleep(15)
    }
  }

  const lanes = [
    ...people.map((person, index) => comeAndGo(person, seeded(random(1 << 30) + index))),
    inviteAndRevoke('ann'),
    inviteAndRevoke('ben'),
    moveLimit(seeded(random(1 << 30))),
  ]
  await Promise.all(
    lanes.map((lane) =>
      lane.catch((error: unknown) => {
        if (!isOver()) throw error
      })
    )
  )
  await killed
  return answered
}

/**
 * Waits until no seat is reserved by a change, and the ledger has the limit of D1: a kill between the two
 * leaves it to the next sweep. Returns the members.
 */
async function settled(url: string, owner: string, path: string): Promise<ReadonlySet<string>> {
  let last: unknown
  return waitFor(
    'seats to match members and invitations',
    120,
    async () => {
      const seats = (await ask(url, owner, 'GET', `${path}/seats`)).body as {
        held: number
        reserved: number
        limit: number
      }
      const changes = (
        await ask(url, owner, 'GET', `${path}/audit?action=seat.limit_changed&limit=1`)
      ).body as { data: { metadata: { limit: number } }[] }
      const limit = changes.data[0]?.metadata.limit
      const members = await idsOf(url, owner, `${path}/members?limit=200`, 'userId')
      const invitations = await idsOf(url, owner, `${path}/invitations?limit=200`, 'id')
      last = { ...seats, limitInD1: limit, members: members.size, invitations: invitations.size }
      const isQuiet =
        seats.limit === limit && seats.held === members.size && seats.reserved === invitations.size
      return isQuiet ? members : undefined
    },
    () => last
  )
}

async function idsOf(url: string, owner: string, path: string, key: string) {
  const { data } = (await ask(url, owner, 'GET', path)).body as { data: Record<string, string>[] }
  return new Set(data.map((row) => row[key] ?? ''))
}

async function setLimit(url: string, operator: string, path: string, limit: number) {
  const answer = await ask(url, operator, 'PUT', `${path}/seats/limit`, { limit })
  expect([200, 503]).toContain(answer.status)
}

/** Answers the token of somebody new. */
async function signUp(url: string, name: string): Promise<string> {
  const email = `${name}@example.com`
  const answer = await ask(url, null, 'POST', '/identity/sign-up', {
    email,
    password: 'correct horse',
  })
  expect(answer.status).toBe(201)
  return (answer.body as { token: string }).token
}

async function ask(
  url: string,
  token: string | null,
  method: string,
  path: string,
  body?: object
): Promise<Answer> {
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? null : (JSON.parse(text) as unknown) }
}
