/**
 * Where the people of the small scope begin, and from where they can be begun again and again.
 *
 * @module
 */
import { forwardOrganization } from '../../src/index.ts'
import { createSometimes, readStored, violations as violationsIn } from '../../src/testing/index.ts'
import { insertUsers } from './beginning.ts'
import type { Surroundings } from './network.ts'
import { createRegistry, directly } from './people.ts'
import { createRandom } from './random.ts'
import { enterRealm } from './realm.ts'
import { createScheduler, nothingLeftToDo } from './scheduler.ts'
import { ACTS, held, layGround, needsInvitation, type ActName } from './scope.ts'
import type { Connection } from './sqlite.ts'
import { STATES } from './states.ts'
import { createStepping, type Fate } from './stepping.ts'
import { createTrace } from './trace.ts'
import { createWatch } from './watch.ts'
import { calm } from './weather.ts'
import { createWorld, type Worker, type World } from './world.ts'

interface Choice {
  readonly label: string
  readonly take: () => void
  readonly isFault: boolean
}

const DEADLINE_MS = 31_000

/** Brings everything to where the people begin, from where it can be begun again and again. */
export async function layOut(connection: Connection, acts: readonly ActName[]) {
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
  insertUsers(connection, 6)

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
      held(connection, world.ledgers.stateOf(organizationId)),
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
