/**
 * Tries every order in which three people's steps, the alarm's and one fault can fall. A step is what
 * arrives at a store; between two of them the project's own code runs as it is.
 *
 * @module
 */
import { layOut } from './ground.ts'
import type { ActName } from './scope.ts'
import type { Connection } from './sqlite.ts'

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
  const place = await layOut(connection, acts)
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
