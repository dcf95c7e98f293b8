/**
 * What comes over a history from outside, each at its time: outages, losses, and the cron's sweeps.
 *
 * @module
 */
import type { Crowd } from './clients.ts'
import type { Surroundings } from './network.ts'
import type { World } from './world.ts'

const MINUTE = 60_000

export function planOutage(surroundings: Surroundings): void {
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

export function planLosses(
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

export function planSweeps(surroundings: Surroundings, world: World): void {
  const { scheduler } = surroundings
  const sweep = () => {
    if (!surroundings.stopped) world.sweep()
    scheduler.after(MINUTE, sweep)
  }
  scheduler.after(MINUTE, sweep)
}
