import type { AccessWatch } from './access/watch.ts'
import type { DelegationWatch } from './delegation/watch.ts'
import type { Grants } from './grants.ts'
import type { Post } from './post.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { Sometimes } from '../../src/testing/index.ts'
import type { Trace } from './trace.ts'
import { calm, type Weather } from './weather.ts'

/** A process that may die: a Worker's, or a Durable Object's. Nothing of it goes on afterwards. */
export interface Isolate {
  readonly name: string
  alive: boolean
  /** Called once, when it dies. */
  died: () => void
}

/** What all parts of one history share. */
export interface Surroundings {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly trace: Trace
  readonly sometimes: Sometimes
  /** Counts what went wrong on the way to a store or back. */
  readonly faults: Sometimes
  readonly post: Post
  readonly grants: Grants
  /** Watches the further ways in, where there are any. */
  readonly access?: AccessWatch
  /** Watches own roles, groups and impersonations, where there are any. */
  readonly delegation?: DelegationWatch
  weather: Weather
  databaseIsOut: boolean
  /** Whether all Workers are stopped, and none starts. */
  stopped: boolean
  /** Requests that are still to arrive though nobody waits for them. */
  stragglers: number
  /** Set while days are to go by: takes a request that is to arrive only after them, or not. */
  holdForDays?: (arrive: () => void) => boolean
  /** Set where every order is tried: then trips wait there, and time stands still. */
  stepping?: { offer<T>(isolate: Isolate, trip: Trip<T>): Promise<T> }
}

/** A way from an isolate to a store and back. */
export interface Trip<T> {
  readonly to: 'd1' | 'ledger' | 'queue' | 'sink' | 'provider'
  readonly what: string
  /** Whether it changes something: then being late matters, and happens more often. */
  readonly writes?: boolean
  /** What happens there. It is told whether anybody still waits. */
  readonly arrive: (awaited: boolean) => Promise<T> | T
}

export class Disconnected extends Error {
  readonly retryable: boolean

  constructor(text = 'Network connection lost.', retryable = false) {
    super(text)
    this.retryable = retryable
  }
}

/** Ends an isolate: whatever it was waiting for never comes. */
export function crash(isolate: Isolate): void {
  if (!isolate.alive) return
  isolate.alive = false
  isolate.died()
}

/** The wind has died down: what is under way arrives, and nothing new goes wrong. */
export function becalm(surroundings: Surroundings): void {
  const { distance, thinking } = surroundings.weather
  surroundings.weather = { ...calm, distance, thinking }
}

/** Makes a trip. From a dead isolate none is made, and to a dead one no answer comes. */
export function travel<T>(surroundings: Surroundings, isolate: Isolate, trip: Trip<T>): Promise<T> {
  if (surroundings.stepping) return surroundings.stepping.offer(isolate, trip)
  const { to, what, writes = false, arrive } = trip
  const { scheduler, random, weather, trace, faults } = surroundings
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  if (!isolate.alive) return promise
  const told = (act: () => void) => () => {
    if (isolate.alive) act()
  }
  const lose = (after: number) =>
    scheduler.after(
      after,
      told(() => reject(new Disconnected(undefined, random.chance(0.5))))
    )
  const fault = drawFault(surroundings, writes)
  if (fault !== 'none') {
    faults(fault)
    trace.note(`${isolate.name} ${to} ${what}: ${fault}`)
  }
  if (fault === 'crashBefore') {
    crash(isolate)
    return promise
  }
  const way = () => random.between(0.5, weather.distance)
  if (fault === 'lostRequest') {
    lose(way() * 2)
    return promise
  }
  let there = way()
  if (fault === 'slow') there = random.between(5_000, 45_000)
  if (fault === 'lateRequest') {
    lose(there)
    there = random.between(1_000, 150_000)
    surroundings.stragglers += 1
  }
  const awaited = fault !== 'lateRequest'
  const answer = (act: () => void) => {
    if (fault === 'lateRequest') surroundings.stragglers -= 1
    else if (fault === 'crashAfter') crash(isolate)
    else if (fault === 'lostResponse') lose(way())
    else scheduler.after(way(), told(act))
  }
  const goThere = () => {
    let arrived: Promise<T> | T
    try {
      arrived = arrive(awaited && isolate.alive)
    } catch (error) {
      answer(() => reject(error as Error))
      return
    }
    if (arrived instanceof Promise) {
      void arrived.then(
        (value) => answer(() => resolve(value)),
        (error: Error) => answer(() => reject(error))
      )
    } else {
      const value = arrived
      answer(() => resolve(value))
    }
  }
  const isHeld = fault === 'lateRequest' && surroundings.holdForDays?.(goThere)
  if (!isHeld) scheduler.after(there, goThere)
  return promise
}

/** What may go wrong with a trip. */
export const FAULTS = [
  'crashBefore',
  'crashAfter',
  'lostRequest',
  'lostResponse',
  'lateRequest',
  'slow',
] as const

const LATE: ReadonlySet<string> = new Set(['lateRequest', 'slow'])

function drawFault(
  { random, weather }: Surroundings,
  writes: boolean
): (typeof FAULTS)[number] | 'none' {
  let left = random()
  for (const fault of FAULTS) {
    left -= weather[fault] * (writes && LATE.has(fault) ? 4 : 1)
    if (left < 0) return fault
  }
  return 'none'
}
