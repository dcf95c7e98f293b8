/**
 * Tries every order in which three people's steps, the alarm's and one fault can fall. A step is what
 * arrives at a store; between two of them the project's own code runs as it is.
 *
 * @module
 */
import { forwardOrganization } from '../../src/index.ts'
import {
  createSometimes,
  readStored,
  violations as violationsIn,
  type LedgerState,
} from '../../src/testing/index.ts'
import type { Surroundings } from './network.ts'
import { createRegistry, directly } from './people.ts'
import { createRandom } from './random.ts'
import { enterRealm } from './realm.ts'
import { createScheduler, nothingLeftToDo } from './scheduler.ts'
import { ACTS, layGround, needsInvitation, type ActName } from './scope.ts'
import type { Connection } from './sqlite.ts'
import { STATES } from './states.ts'
import { createStepping, type Fate } from './stepping.ts'
import { createTrace } from './trace.ts'
import { createWatch } from './watch.ts'
import { calm } from './weather.ts'
import { createWorld, type Worker, type World } from './world.ts'

export interface Exploration {
  readonly acts: readonly ActName[]
  /** States of both stores, of the people and of what is under way. */
  readonly states: number
  /** Steps from one to another. */
  readonly steps: number
  /** Orders that were followed to their end; the others meet one of these on the way. */
  readonly ends: number
  readonly violations: readonly string[]
}

export interface ExploreOptions {
  /** How many faults there may be in one order: a crash, or a request that comes late. */
  readonly faults: number
  readonly rings: number
}

interface Choice {
  readonly label: string
  readonly take: () => void
  readonly isFault: boolean
}

const DEADLINE_MS = 31_000

/** Explores one choice of operations. */
export async function explore(
  connection: Connection,
  acts: readonly ActName[],
  { faults, rings }: ExploreOptions
): Promise<Exploration> {
  const seen = new Set<string>()
  const open: number[][] = [[]]
  const violations = new Set<string>()
  let [steps, ends] = [0, 0]
  const place = await prepare(connection, acts)
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    const run = await place.begin()
    try {
      let faultsLeft = faults
      let ringsLeft = rings
      for (let depth = 0; ; depth++) {
        const known = depth >= path.length
        if (known) {
          const key = `${faultsLeft} ${ringsLeft} ${run.key()}`
          if (seen.has(key)) break
          seen.add(key)
        }
        const choices = run.choices(faultsLeft > 0, ringsLeft > 0)
        if (choices.length === 0) {
          ends += 1
          for (const problem of await run.settle())
            violations.add(`${problem} after ${run.order()}`)
          break
        }
        if (known) {
          for (let other = choices.length - 1; other > 0; other--) open.push([...path, other])
          path = [...path, 0]
        }
        const choice = choices[path[depth]!]!
        if (choice.isFault) faultsLeft -= 1
        if (choice.label.startsWith('the alarm')) ringsLeft -= 1
        steps += 1
        await run.take(choice)
        const problem = run.violation()
        if (problem !== undefined) {
          violations.add(`${problem} after ${run.order()}`)
          break
        }
      }
    } finally {
      run.end()
    }
    if (violations.size > 0) break
  }
  place.close()
  return { acts, states: seen.size, steps, ends, violations: [...violations] }
}

/** Brings everything to where the people begin, from where it can be begun again and again. */
async function prepare(connection: Connection, acts: readonly ActName[]) {
  const scheduler = createScheduler()
  const random = createRandom(1)
  enterRealm(scheduler, random.fork())
  const stepping = createStepping()
  const surroundings: Surroundings = {
    scheduler,
    random,
    trace: createTrace(scheduler.now, false),
    sometimes: createSometimes(STATES),
    weather: { ...calm, distance: 1, thinking: 1 },
    databaseIsOut: false,
    stopped: false,
    stragglers: 0,
    stepping,
  }
  const registry = createRegistry(connection, scheduler.now)
  const host = {
    provider: 'ledger',
    defaultSeatLimit: 'unlimited',
    invitationTtlSeconds: 86_400,
    invitationsHoldSeats: true,
    mails: false,
    sinks: [],
    queue: false,
    joining: null,
    hooks: false,
  } as const
  connection.all('SAVEPOINT history')
  const world: World = createWorld(surroundings, connection, host, {
    batch: (batch) => watch.batch(batch),
    call: (call) => watch.call(call),
  })
  const watch = createWatch(surroundings, registry, 'ledger', Infinity, world.ledgers.stateOf)
  for (let number = 1; number <= 6; number++) {
    connection.all(
      `INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
       VALUES (?, ?, 'none', 0, 0)`,
      [`user-${number}`, `user-${number}@people.example`]
    )
  }

  /** Lets everything arrive in the order in which it was sent, until this is done. */
  const inPeace = async <T>(worker: Worker, doing: Promise<T>): Promise<T> => {
    const done: { value?: T; error?: unknown; is: boolean } = { is: false }
    doing.then(
      (value) => Object.assign(done, { value, is: true }),
      (error: unknown) => Object.assign(done, { error, is: true })
    )
    await nothingLeftToDo()
    while (!done.is || worker.busy > 0) {
      const next = stepping.held[0]
      if (next === undefined) throw new Error('Nothing is under way, and it is not done.')
      next.go('arrives')
      await nothingLeftToDo()
    }
    if (done.error !== undefined) throw done.error
    return done.value as T
  }

  const founder = world.startWorker('founder')
  const ground = await inPeace(founder, layGround(founder.seatgate, needsInvitation(acts)))
  const { organizationId } = ground
  const start = { time: scheduler.now(), ids: world.ids.last }
  let order: string[] = []
  world.stopWorkers()

  const begin = async () => {
    connection.all('SAVEPOINT run')
    world.ledgers.keep()
    scheduler.advance(start.time - scheduler.now())
    world.ids.last = start.ids
    enterRealm(scheduler, createRandom(2))
    stepping.held.length = 0
    stepping.told.clear()
    order = []
    registry.forget()
    watch.restored()
    watch.violations.length = 0
    acts.forEach((act, index) => {
      const worker = world.startWorker(`${index + 1} ${act}`)
      void ACTS[act](worker.seatgate, ground).catch(() => {})
    })
    await nothingLeftToDo()
    return { choices, settle, key, take, order: () => order.join(', '), violation, end }
  }

  const choices = (faultsAllowed: boolean, ringAllowed: boolean): Choice[] => {
    const due = world.ledgers.alarmOf(organizationId)
    const arrivals = stepping.held.map((held) => toChoice(held, 'arrives'))
    const ring = {
      label: 'the alarm rings',
      isFault: false,
      take() {
        scheduler.advance(DEADLINE_MS)
        world.ledgers.ring(organizationId)
      },
    }
    const faults = faultsAllowed
      ? stepping.held
          .filter(({ late }) => !late)
          .flatMap((held) =>
            (['crashes before', 'crashes after', 'late'] as const).map((fate) =>
              toChoice(held, fate)
            )
          )
      : []
    return [...arrivals, ...(due !== null && ringAllowed ? [ring] : []), ...faults]
  }
  const toChoice = (held: (typeof stepping.held)[number], fate: Fate): Choice => ({
    label: `${held.label} ${fate}`,
    isFault: fate !== 'arrives',
    take: () => held.go(fate),
  })

  const settle = async (): Promise<readonly string[]> => {
    const keeper = world.startWorker('keeper')
    for (let round = 0; round < 4; round++) {
      scheduler.advance(2 * DEADLINE_MS)
      await inPeace(keeper, forwardOrganization(keeper.seatgate, organizationId))
      if (world.ledgers.alarmOf(organizationId) !== null) world.ledgers.ring(organizationId)
      await nothingLeftToDo()
      for (let next = stepping.held[0]; next !== undefined; next = stepping.held[0]) {
        next.go('arrives')
        await nothingLeftToDo()
      }
    }
    const stored = await readStored(directly(connection), organizationId, new Date(scheduler.now()))
    const ledger = world.ledgers.stateOf(organizationId)
    return [
      ...watch.violations,
      ...violationsIn({ ...stored, ledger }, { quiet: true, usedWhenLowered: 3 }),
    ]
  }

  const violation = () => watch.violations[0]

  const take = async ({ label, take }: Choice) => {
    order.push(label)
    take()
    await nothingLeftToDo()
  }

  const key = () =>
    JSON.stringify([
      STORED.map((sql) => connection.all(sql)),
      withoutTime(world.ledgers.stateOf(organizationId)),
      world.ledgers.alarmOf(organizationId) !== null,
      [...stepping.told].sort(([a], [b]) => a.localeCompare(b)),
      stepping.held.map(({ label, late }) => `${label} ${late}`).sort(),
    ])

  const end = () => {
    world.stopWorkers()
    world.ledgers.goBack()
    connection.all('ROLLBACK TO run')
    connection.all('RELEASE run')
  }

  return {
    begin,
    close() {
      world.ledgers.close()
      connection.all('ROLLBACK TO history')
      connection.all('RELEASE history')
    },
  }
}

// What tells one state from another. Times do not.
const STORED = [
  'SELECT user_id, seat_id, status FROM memberships ORDER BY user_id',
  `SELECT id, seat_id, accepted_at IS NULL AS a, revoked_at IS NULL AS r FROM invitations
    ORDER BY id`,
  'SELECT seat_id FROM seat_fences ORDER BY seat_id',
  'SELECT version, limit_seats FROM entitlements',
]

function withoutTime(ledger: LedgerState | null): unknown {
  return ledger && [ledger.version, ledger.limit_seats, ledger.seats]
}
