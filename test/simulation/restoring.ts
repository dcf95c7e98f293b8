import type { Crowd } from './clients.ts'
import type { Surroundings } from './network.ts'
import type { Registry } from './people.ts'
import type { HeardByOrganization } from './sinks.ts'
import type { Watch } from './watch.ts'
import type { World } from './world.ts'

const STOPPED_MS = 180_000

/**
 * D1 is brought back to an earlier point, as it is to be done: the Workers are stopped until nothing is
 * under way, and the ledgers start anew.
 */
export function planRestore(
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
