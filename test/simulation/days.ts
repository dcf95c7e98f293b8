/**
 * Days in which nobody comes: the clock jumps, the sweep purges what is over, and requests that were
 * given up for lost before arrive after it.
 *
 * @module
 */
import type { Surroundings } from './network.ts'
import { createRandom } from './random.ts'
import type { World } from './world.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const LATEST_MS = 150_000
// Of all trips: fences are written for the seats of those that are late.
const LATE = 0.04

export interface Days {
  /** How much longer the history takes by them, in ms. */
  readonly lastMs: number
  /** Lets them go by, unless they have. */
  goBy(): Promise<void>
}

const NONE: Days = { lastMs: 0, goBy: async () => {} }

export function planDays(surroundings: Surroundings, world: World, seed: number): Days {
  const { scheduler, sometimes, trace } = surroundings
  // Of its own: a history without them is what it would be if there were none.
  const random = createRandom(seed ^ 0x64617973)
  const { weather } = surroundings
  // D1 is restored only when nothing is under way.
  if (weather.restore !== null || !random.chance(0.1)) return NONE
  const lastMs = Math.round(random.between(1.1 * DAY, 6 * DAY))
  const held: (() => void)[] = []
  surroundings.holdForDays = (arrive) => {
    const isHeld = random.chance(0.8)
    if (isHeld) held.push(arrive)
    return isHeld
  }
  surroundings.weather = { ...weather, lateRequest: Math.max(weather.lateRequest, LATE) }

  const jump = () => {
    if (surroundings.holdForDays === undefined) return
    if (surroundings.stopped) return void scheduler.after(MINUTE, jump)
    delete surroundings.holdForDays
    trace.note(`${(lastMs / DAY).toFixed(1)} days go by, ${held.length} requests are under way`)
    scheduler.advance(lastMs)
    sometimes('days went by')
    const { busy } = world.sweep()
    const arriveAfter = () => {
      if (busy()) return void scheduler.after(1_000, arriveAfter)
      for (const arrive of held) scheduler.after(random.between(1, LATEST_MS), arrive)
    }
    arriveAfter()
  }

  scheduler.after(random.between(MINUTE, 8 * MINUTE), jump)
  return {
    lastMs,
    async goBy() {
      if (surroundings.holdForDays === undefined) return
      // Until the seats of what is under way have been given up.
      await scheduler.run(scheduler.now() + 2 * MINUTE)
      jump()
    },
  }
}
