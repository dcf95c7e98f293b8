/**
 * One history: what one seed makes of people, weather and both stores, and what is wrong with it.
 *
 * @module
 */
import { createOrganization, seatUsage, setSeatLimit } from '../../src/index.ts'
import {
  createSometimes,
  readStored,
  undelivered,
  violations as violationsIn,
  type Reached,
} from '../../src/testing/index.ts'
import { gatherCrowd, type Crowd } from './clients.ts'
import { becalm, type Surroundings } from './network.ts'
import { addressOf } from './operations.ts'
import { createRegistry, directly, type Registry } from './people.ts'
import { createRandom } from './random.ts'
import { enterRealm } from './realm.ts'
import { createScheduler } from './scheduler.ts'
import type { HeardByOrganization } from './sinks.ts'
import type { Connection } from './sqlite.ts'
import { STATES } from './states.ts'
import { createTrace } from './trace.ts'
import { createWatch, type Watch } from './watch.ts'
import { calm, drawWeather } from './weather.ts'
import { createWorld, type HostOptions, type World } from './world.ts'

export interface HistoryOptions {
  readonly operations: number
  readonly keepLines?: boolean
  /** Whether the trace has every statement, with its parameters and answers. */
  readonly thorough?: boolean
}

export interface History {
  readonly seed: number
  readonly violations: readonly string[]
  readonly hash: string
  readonly reached: Reached
  readonly operations: number
  readonly steps: number
  readonly lines: readonly string[]
}

const MINUTE = 60_000
const QUIET_MS = 2 * MINUTE
const STOPPED_MS = 3 * MINUTE
const LONGEST_MS = 24 * 60 * MINUTE

/** Runs the history of a seed. Whatever it writes is rolled back. */
export async function runHistory(
  connection: Connection,
  seed: number,
  { operations, keepLines = false, thorough = false }: HistoryOptions
): Promise<History> {
  const random = createRandom(seed)
  const scheduler = createScheduler()
  enterRealm(scheduler, random.fork())
  const sometimes = createSometimes(STATES)
  const trace = createTrace(scheduler.now, keepLines)
  const surroundings: Surroundings = {
    scheduler,
    random,
    trace,
    sometimes,
    weather: { ...calm, distance: 2, thinking: 10 },
    databaseIsOut: false,
    stopped: false,
    stragglers: 0,
  }
  const host = drawHost(random)
  const registry = createRegistry(connection)
  connection.all('SAVEPOINT history')
  const world = createWorld(surroundings, connection, host, {
    batch(batch) {
      if (thorough) trace.note(JSON.stringify([batch.statements, batch.answers]))
      watch.batch(batch)
    },
    call: (call) => watch.call(call),
  })
  const watch: Watch = createWatch(
    surroundings,
    registry,
    host.provider,
    host.defaultSeatLimit === 'unlimited' ? Infinity : host.defaultSeatLimit,
    world.ledgers.stateOf
  )
  let crowd: Crowd | null = null
  const wrong: string[] = []
  try {
    trace.note(`seed ${seed} ${JSON.stringify(host)}`)
    const userIds = insertUsers(connection, 12 + random.below(8))
    await found(world, surroundings, userIds)
    surroundings.weather = drawWeather(random)
    trace.note(JSON.stringify(surroundings.weather))
    crowd = gatherCrowd({
      surroundings,
      world,
      registry,
      userIds,
      clients: 8 + random.below(5),
      operations,
    })
    const people = crowd
    planOutage(surroundings)
    planLosses(surroundings, world, people, operations)
    planSweeps(surroundings, world)
    const restoring = planRestore(surroundings, world, registry, watch, people)
    const over = () => people.begun() >= operations && people.busy() === 0 && !surroundings.stopped
    await scheduler.run(scheduler.now() + LONGEST_MS, over)
    if (!over()) wrong.push('it does not end')
    restoring.callOff()
    becalm(surroundings)
    surroundings.databaseIsOut = false
    people.close()
    await scheduler.run(scheduler.now() + 400_000, () => surroundings.stragglers === 0)
    await wake(surroundings, world, registry)
    await scheduler.run(scheduler.now() + QUIET_MS)
    wrong.push(...(await atTheEnd(surroundings, world, registry, host, people)))
  } catch (error) {
    wrong.push(`threw ${(error as Error).stack}`)
  } finally {
    world.ledgers.close()
    connection.all('ROLLBACK TO history')
    connection.all('RELEASE history')
  }
  return {
    seed,
    violations: [...watch.violations, ...(crowd?.violations ?? []), ...wrong],
    hash: trace.hash(),
    reached: sometimes.counts(),
    operations: crowd?.begun() ?? 0,
    steps: scheduler.steps(),
    lines: trace.lines,
  }
}

function drawHost(random: ReturnType<typeof createRandom>): HostOptions {
  const provider = random.chance(0.82) ? 'ledger' : random.chance(0.8) ? 'd1' : 'unlimited'
  return {
    provider,
    defaultSeatLimit: random.chance(0.5) ? 'unlimited' : 1 + random.below(6),
    invitationTtlSeconds: Math.round(random.between(5, 3_600)),
    invitationsHoldSeats: random.chance(0.85),
    mails: random.chance(0.3),
    queue: true,
    sinks: ['everything', 'organizations'].filter(() => random.chance(0.4)),
  }
}

function insertUsers(connection: Connection, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const id = `user-${index + 1}`
    connection.all(
      `INSERT INTO users (id, email, password_hash, email_verified_at, created_at)
       VALUES (?, ?, 'none', 0, 0)`,
      [id, addressOf(id)]
    )
    return id
  })
}

/** The organization in which most of it happens, in fine weather. */
async function found(
  world: World,
  { scheduler, random }: Surroundings,
  userIds: readonly string[]
) {
  const { seatgate } = world.startWorker('founder')
  const caller = { userId: userIds[0]! }
  let founded = false
  const founding = async () => {
    const made = await createOrganization(seatgate, { caller }, { name: 'First', slug: 'first' })
    if (!made.ok) throw new Error('The first organization was not made.')
    const scope = { caller: { userId: 'operator', operator: true }, organization: made.value.id }
    if (random.chance(0.8)) await setSeatLimit(seatgate, scope, { limit: 2 + random.below(6) })
    founded = true
  }
  let failed: unknown = null
  founding().catch((error: unknown) => {
    failed = error
    founded = true
  })
  await scheduler.run(Infinity, () => founded)
  if (failed !== null) throw failed
}

function planOutage(surroundings: Surroundings): void {
  const { scheduler, sometimes, weather, trace } = surroundings
  if (weather.outage === null) return
  const { after, lasts } = weather.outage
  scheduler.after(after, () => {
    if (surroundings.weather !== weather) return
    surroundings.databaseIsOut = true
    trace.note('D1 is out')
    if (lasts > 2 * MINUTE) sometimes('D1 was out for minutes')
  })
  scheduler.after(after + lasts, () => {
    surroundings.databaseIsOut = false
    trace.note('D1 is back')
  })
}

function planLosses(
  { scheduler, random, weather, trace }: Surroundings,
  world: World,
  crowd: Crowd,
  operations: number
): void {
  const every = weather.storageLostEvery
  if (!Number.isFinite(every)) return
  const lose = () => {
    if (crowd.begun() >= operations && crowd.busy() === 0) return
    const name = random.pick(world.ledgers.names())
    if (name !== undefined) {
      trace.note(`storage of ${name} lost`)
      world.ledgers.loseStorage(name)
    }
    scheduler.after(random.between(every / 10, every * 3), lose)
  }
  scheduler.after(random.between(every / 10, every * 3), lose)
}

function planSweeps(surroundings: Surroundings, world: World): void {
  const { scheduler } = surroundings
  const sweep = () => {
    if (!surroundings.stopped) world.sweep()
    scheduler.after(MINUTE, sweep)
  }
  scheduler.after(MINUTE, sweep)
}

/**
 * D1 is brought back to an earlier point, as it is to be done: the Workers are stopped until nothing is
 * under way, and the ledgers start anew.
 */
function planRestore(
  surroundings: Surroundings,
  world: World,
  registry: Registry,
  watch: Watch,
  crowd: Crowd
): { callOff(): void } {
  const { scheduler, weather, trace, sometimes } = surroundings
  const { restore } = weather
  let off = restore === null
  const unlessOff = (act: () => void) => () => {
    if (!off) act()
  }
  const remember = () => {
    world.connection.all('SAVEPOINT restorable')
    trace.note('D1 is remembered')
    const heardThen = structuredClone([...world.heard])
    scheduler.after(restore?.back ?? 0, unlessOff(stop))
    scheduler.after(
      (restore?.back ?? 0) + STOPPED_MS,
      unlessOff(() => goBack(heardThen))
    )
  }
  const stop = () => {
    trace.note('everything is stopped')
    surroundings.stopped = true
    world.stopWorkers()
  }
  const goBack = (heardThen: ReadonlyMapEntries) => {
    sometimes('D1 was restored')
    trace.note('D1 is restored')
    world.stopWorkers()
    world.connection.all('ROLLBACK TO restorable')
    registry.forget()
    watch.restored()
    crowd.forget()
    for (const [sink, then] of heardThen) {
      const heard = world.heard.get(sink)
      heard?.clear()
      for (const [id, events] of then) heard?.set(id, events)
    }
    for (const name of world.ledgers.names()) world.ledgers.loseStorage(name)
    surroundings.stopped = false
  }
  scheduler.after(restore?.after ?? 0, unlessOff(remember))
  return {
    callOff() {
      if (!surroundings.stopped) off = true
    },
  }
}

type ReadonlyMapEntries = readonly (readonly [string, HeardByOrganization])[]

/** An alarm that the platform has given up comes back with the next call: this is it. */
async function wake({ scheduler }: Surroundings, world: World, registry: Registry): Promise<void> {
  const { seatgate } = world.startWorker('waker')
  const caller = { userId: 'operator', operator: true }
  const asked = registry
    .ids()
    .map((organization) => seatUsage(seatgate, { caller, organization }).catch(() => null))
  let done = false
  void Promise.all(asked).then(() => (done = true))
  await scheduler.run(scheduler.now() + MINUTE, () => done)
}

async function atTheEnd(
  surroundings: Surroundings,
  world: World,
  registry: Registry,
  host: HostOptions,
  crowd: Crowd
): Promise<string[]> {
  const { scheduler } = surroundings
  const wrong: string[] = []
  const direct = directly(world.connection)
  const now = new Date(scheduler.now())
  for (const id of registry.ids()) {
    const stored = await readStored(direct, id, now)
    if (stored.organization === null) continue
    const deleted = stored.organization.deleted_at !== null
    const ledger = deleted ? null : world.ledgers.stateOf(id)
    const circumstances = {
      quiet: true,
      usedWhenLowered: Infinity,
      seatsCounted: host.provider !== 'unlimited',
    }
    const problems = violationsIn({ ...stored, ledger }, circumstances)
    wrong.push(...problems.map((problem) => `${id} at the end: ${problem}`))
    // For whoever reads the replay.
    if (problems.length > 0) surroundings.trace.note(JSON.stringify({ stored, ledger }))
    for (const [sink, heard] of world.heard) {
      const accepts = (action: string) =>
        sink !== 'organizations' || action.startsWith('organization.')
      wrong.push(
        ...undelivered(stored.events, heard.get(id) ?? [], accepts).map(
          (problem) => `${id} to ${sink}: ${problem}`
        )
      )
    }
  }
  wrong.push(...(await sayAgain(surroundings, world, crowd)))
  return wrong
}

/** What was answered once is answered so for ever. */
async function sayAgain(
  { scheduler }: Surroundings,
  world: World,
  { promised }: Crowd
): Promise<string[]> {
  const { seatgate } = world.startWorker('later')
  const wrong: string[] = []
  for (const { deed, operationId, answer } of promised.slice(-5)) {
    let again: string | null = null
    void deed.act(seatgate, { operationId }).then(
      (result) => (again = JSON.stringify(result)),
      (error: Error) => (again = String(error))
    )
    await scheduler.run(scheduler.now() + MINUTE, () => again !== null)
    if (again !== answer) wrong.push(`${deed.name} ${operationId}: ${answer}, then ${again}`)
  }
  return wrong
}
