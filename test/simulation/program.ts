/**
 * All that runs in the simulation's realm: the simulation and the library's own sources under it. It is
 * loaded as one bundle (`bundle.ts`).
 *
 * @module
 */
import { quickenDrizzle, type DrizzleWay } from './drizzle.ts'
import { replaceGlobals } from './realm.ts'

export { explore } from './explore.ts'
export { runHistory } from './history.ts'
export { liveInSimulation } from './plain/simulated.ts'
export { actNames, triples } from './scope.ts'
export { migrated } from './sqlite.ts'

/** Makes this thread the simulation's, for the rest of its life. */
export function enter(drizzle: DrizzleWay = 'quick'): void {
  if (drizzle === 'quick') quickenDrizzle()
  replaceGlobals()
}
