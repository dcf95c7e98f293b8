/**
 * One history: what one seed makes of people, weather and both stores, and what is wrong with it.
 *
 * @module
 */
import { createSometimes, type Reached } from '../../src/testing/index.ts'
import { drawAccess, typeOfRole, typesOf } from './access/host.ts'
import { ACCESS_STATES } from './access/states.ts'
import { watchAccess } from './access/watch.ts'
import { drawHost, found, insertUsers } from './beginning.ts'
import { gatherCrowd, type Crowd } from './clients.ts'
import { DELEGATION_STATES } from './delegation/states.ts'
import { watchDelegation } from './delegation/watch.ts'
import { planDays } from './days.ts'
import { atTheEnd, untilQuiet, wake } from './ending.ts'
import { createGrants } from './grants.ts'
import { meddle } from './hands.ts'
import { becalm, FAULTS, type Surroundings } from './network.ts'
import { createRegistry } from './people.ts'
import { beginPaying, createPayments, drawPaying } from './paying.ts'
import { createPost } from './post.ts'
import { planLosses, planOutage, planSweeps } from './plans.ts'
import { createRandom } from './random.ts'
import { enterRealm } from './realm.ts'
import { planRestore } from './restoring.ts'
import { createScheduler } from './scheduler.ts'
import type { Connection } from './sqlite.ts'
import { PAYING_STATES, STATES } from './states.ts'
import { createTrace } from './trace.ts'
import { createWatch, type Watch } from './watch.ts'
import { calm, drawWeather } from './weather.ts'
import type { HostOptions } from './host.ts'
import { createWorld, type Listeners, type World } from './world.ts'

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
  /** What went wrong on the way to a store or back, and how often. */
  readonly faults: Reached
  readonly operations: number
  readonly steps: number
  readonly lines: readonly string[]
}

const LONGEST_MS = 24 * 3_600_000

/** Runs the history of a seed. Whatever it writes is rolled back. */
export async function runHistory(
  connection: Connection,
  seed: number,
  { operations, keepLines = false, thorough = false }: HistoryOptions
): Promise<History> {
  const random = createRandom(seed)
  const paying = drawPaying(seed)
  const scheduler = createScheduler()
  enterRealm(scheduler, random.fork())
  const drawn = drawHost(random)
  const access = drawAccess(seed, drawn.provider)
  const [sometimes, faults] = [
    createSometimes([
      ...STATES,
      ...(paying ? PAYING_STATES : []),
      ...(access ? ACCESS_STATES : []),
      ...(access?.delegation ? DELEGATION_STATES : []),
    ]),
    createSometimes(FAULTS),
  ]
  const trace = createTrace(scheduler.now, keepLines)
  const surroundings: Surroundings = {
    scheduler,
    random,
    trace,
    sometimes,
    faults,
    weather: { ...calm, distance: 2, thinking: 10 },
    databaseIsOut: false,
    stopped: false,
    stragglers: 0,
    post: createPost(connection),
    grants: createGrants(connection, sometimes, access),
    ...(access && { access: watchAccess(connection, access, sometimes, scheduler.now) }),
    ...(access?.delegation && {
      delegation: watchDelegation(connection, access, sometimes, scheduler.now),
    }),
  }
  // A paying organization is counted, and begins with the seats that are free of charge.
  const host: HostOptions = paying
    ? {
        ...drawn,
        provider: drawn.provider === 'unlimited' ? 'd1' : drawn.provider,
        defaultSeatLimit: paying.baseSeats,
        paying,
      }
    : access
      ? { ...drawn, joining: drawn.joining ?? { domain: 'wait', request: 'refuse' }, access }
      : drawn
  const payments = paying && createPayments(surroundings, seed, paying, () => world)
  const registry = createRegistry(connection, scheduler.now)
  connection.all('SAVEPOINT history')
  const listeners: Listeners = {
    batch(batch) {
      if (thorough) trace.note(JSON.stringify([batch.statements, batch.answers]))
      watch.batch(batch)
    },
    call: (call) => watch.call(call),
  }
  const world: World = createWorld(surroundings, connection, host, listeners, payments)
  const watch: Watch = createWatch(
    surroundings,
    registry,
    host.provider,
    host.defaultSeatLimit === 'unlimited' ? Infinity : host.defaultSeatLimit,
    world.ledgers.stateOf,
    { limits: typesOf(access), ofRole: typeOfRole(access) }
  )
  let crowd: Crowd | null = null
  const wrong: string[] = []
  try {
    trace.note(`seed ${seed} ${JSON.stringify(host)}`)
    const userIds = insertUsers(surroundings, connection, 12 + random.below(8))
    await found(world, surroundings, userIds)
    surroundings.weather = drawWeather(random)
    // D1 would forget customers that the provider knows.
    if (paying) surroundings.weather = { ...surroundings.weather, restore: null }
    trace.note(JSON.stringify(surroundings.weather))
    crowd = gatherCrowd({
      surroundings,
      world,
      registry,
      userIds,
      joining: host.joining !== null,
      access,
      clients: 8 + random.below(5),
      operations,
    })
    const people = crowd
    const life =
      payments && paying ? beginPaying(surroundings, world, registry, payments, paying, seed) : null
    const days = planDays(surroundings, world, seed)
    planOutage(surroundings)
    planLosses(surroundings, world, people, operations)
    planSweeps(surroundings, world)
    const restoring = planRestore(surroundings, world, registry, watch, people)
    const over = () => people.begun() >= operations && people.busy() === 0 && !surroundings.stopped
    await scheduler.run(scheduler.now() + LONGEST_MS + days.lastMs, over)
    if (!over()) wrong.push('it does not end')
    restoring.callOff()
    becalm(surroundings)
    surroundings.databaseIsOut = false
    people.close()
    life?.end()
    await days.goBy()
    await scheduler.run(scheduler.now() + 400_000, () => surroundings.stragglers === 0)
    await life?.goBy()
    await wake(surroundings, world, registry)
    await untilQuiet(surroundings, world)
    wrong.push(...(await atTheEnd(surroundings, world, registry, watch, host, people)))
    wrong.push(...((await life?.wrong()) ?? []))
    wrong.push(...watch.violations)
    // From here on it is wrong on purpose, for a while. That takes its time: some histories are enough.
    if (wrong.length === 0 && random.chance(0.25)) {
      wrong.push(...(await meddle(surroundings, world, registry)))
    }
  } catch (error) {
    wrong.push(...watch.violations, `threw ${(error as Error).stack}`)
  } finally {
    world.ledgers.close()
    connection.all('ROLLBACK TO history')
    connection.all('RELEASE history')
  }
  return {
    seed,
    violations: [...(crowd?.violations ?? []), ...wrong],
    hash: trace.hash(),
    reached: sometimes.counts(),
    faults: faults.counts(),
    operations: crowd?.begun() ?? 0,
    steps: scheduler.steps(),
    lines: trace.lines,
  }
}
