/**
 * Where the people of the small scope begin, and from where they can be begun again and again.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { forwardOrganization } from '../../src/index.ts'
import { createSometimes, readStored, violations as violationsIn } from '../../src/testing/index.ts'
import { insertUsers } from './beginning.ts'
import { choicesOf, type Choice } from './choices.ts'
import { FAULTS, type Surroundings } from './network.ts'
import { createRegistry, directly } from './people.ts'
import { createPost } from './post.ts'
import { createRandom } from './random.ts'
import { enterRealm } from './realm.ts'
import { createScheduler, nothingLeftToDo } from './scheduler.ts'
import { ACTS, held, layGround, needsInvitation, type ActName } from './scope.ts'
import type { Connection } from './sqlite.ts'
import { STATES } from './states.ts'
import { createStepping } from './stepping.ts'
import { createTrace } from './trace.ts'
import { createWatch } from './watch.ts'
import { calm } from './weather.ts'
import { createWorld, type Worker, type World } from './world.ts'

/** Somebody who does one thing. */
interface Person {
  readonly worker: Worker
  /** What they were answered; null: nothing yet. */
  answer: unknown
}

const DEADLINE_MS = 31_000
const IDS_PER_STEP = 100
const INVITATION_TTL_SECONDS = 86_400
// What the ledger did not hear about an invitation's seat it asks about when the invitation is over.
const PAUSES = [62_000, 62_000, 62_000, INVITATION_TTL_SECONDS * 1000, 62_000]

/** Brings everything to where the people begin, from where it can be begun again and again. */
export async function layOut(connection: Connection, acts: readonly ActName[]) {
  const scheduler = createScheduler()
  const random = createRandom(1)
  enterRealm(scheduler, random)
  const stepping = createStepping()
  const surroundings: Surroundings = {
    scheduler,
    random,
    trace: createTrace(scheduler.now, false),
    sometimes: createSometimes(STATES),
    faults: createSometimes(FAULTS),
    weather: { ...calm, distance: 1, thinking: 1 },
    databaseIsOut: false,
    stopped: false,
    stragglers: 0,
    post: createPost(connection),
    // Each order begins where the others did: what was true before a batch is not at hand.
    grants: { changed: () => [], restored() {} },
    stepping,
  }
  const registry = createRegistry(connection, scheduler.now)
  const host = {
    provider: 'ledger',
    defaultSeatLimit: 'unlimited',
    invitationTtlSeconds: INVITATION_TTL_SECONDS,
    invitationsHoldSeats: true,
    mails: false,
    sinks: [],
    queue: false,
    joining: null,
    hooks: false,
    importPage: 2000,
  } as const
  connection.all('SAVEPOINT history')
  const world: World = createWorld(surroundings, connection, host, {
    batch: (batch) => watch.batch(batch),
    call: (call) => watch.call(call),
  })
  const watch = createWatch(surroundings, registry, 'ledger', Infinity, world.ledgers.stateOf)
  insertUsers(surroundings, connection, 6)

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
  const numbers = new Map<string, number>()
  let order: string[] = []
  const people: Person[] = []
  world.stopWorkers()

  // Ids and chance come from the step alone: then two steps that touch nothing of each other's lead to
  // the same state in either order.
  const stepInto = (name: string) => {
    const number = numbers.get(name) ?? numbers.size + 1
    numbers.set(name, number)
    world.ids.last = start.ids + number * IDS_PER_STEP
    random.reseed(number)
  }

  const begin = async () => {
    connection.all('SAVEPOINT run')
    world.ledgers.keep()
    scheduler.advance(start.time - scheduler.now())
    stepping.forget()
    order = []
    people.length = 0
    registry.forget()
    watch.restored()
    watch.violations.length = 0
    acts.forEach((act, index) => {
      const name = `${index + 1} ${act}`
      stepInto(name)
      const worker = world.startWorker(name)
      const person: Person = { worker, answer: null }
      people.push(person)
      ACTS[act](worker.seatgate, ground).then(
        (answer) => (person.answer = answer),
        () => (person.answer = 'failed')
      )
    })
    await nothingLeftToDo()
    return { choices, settle, key, take, order: () => order.join(', '), violation, end }
  }

  const choices = (faultsAllowed: boolean, ringAllowed: boolean): readonly Choice[] => {
    const steps = choicesOf(stepping.held, faultsAllowed)
    const rings = ringAllowed && world.ledgers.alarmOf(organizationId) !== null
    return rings ? [...steps, ring] : steps
  }
  const ring: Choice = {
    label: 'the alarm rings',
    name: 'the alarm rings',
    kind: 'alarm',
    by: 'the alarm',
    touches: 'everything',
    take() {
      scheduler.advance(DEADLINE_MS)
      world.ledgers.ring(organizationId)
    },
  }

  const settle = async (): Promise<readonly string[]> => {
    const keeper = world.startWorker('keeper')
    for (const pause of PAUSES) {
      scheduler.advance(pause)
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

  const take = async ({ label, name, take }: Choice) => {
    order.push(label)
    stepInto(name)
    take()
    await nothingLeftToDo()
  }

  const key = () => {
    const state = JSON.stringify([
      held(connection, world.ledgers.stateOf(organizationId)),
      world.ledgers.alarmOf(organizationId) !== null,
      people.map(memoryOf),
      stepping.told.get(`ledger ${organizationId}`),
      stepping.held.map(({ name, late }) => `${name} ${late}`).sort(),
    ])
    return createHash('sha256').update(state).digest('base64')
  }

  // Whoever is done, or dead, does nothing more that depends on what they were told on the way.
  const memoryOf = ({ worker: { isolate, busy }, answer }: Person) => {
    if (!isolate.alive) return 'dead'
    const isDone =
      answer !== null && busy === 0 && !stepping.held.some((one) => one.isolate === isolate)
    return isDone ? answer : stepping.told.get(isolate.name)
  }

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
