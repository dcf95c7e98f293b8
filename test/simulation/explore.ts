/**
 * Tries every order in which three people's steps, the alarm's and one fault can fall. A step is what
 * arrives at a store; between two of them the project's own code runs as it is.
 *
 * Every state is visited, but not by every way. Of two steps that commute one order is followed: once a
 * step's ways have been gone, it sleeps in what comes after its neighbours until one of them touches
 * what it does (sleep sets; P. Godefroid, "Partial-Order Methods for the Verification of Concurrent
 * Systems", 1996, chapter 5).
 *
 * @module
 */
import { commute, type Choice } from './choices.ts'
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
  /** Whether both orders of steps that commute are followed. */
  readonly bothOrders?: boolean
}

/** A way to a state, and what need not be done there. */
interface Branch {
  readonly path: readonly string[]
  readonly asleep: readonly Choice[]
}

/** Explores one choice of operations. */
export async function explore(
  connection: Connection,
  acts: readonly ActName[],
  { faults, rings, bothOrders = false }: ExploreOptions
): Promise<Exploration> {
  /** What sleeps in each state that was seen. */
  const seen = new Map<string, ReadonlySet<string>>()
  const violations = new Set<string>()
  let [steps, ends] = [0, 0]
  const place = await layOut(connection, acts)
  const open: Branch[] = [{ path: [], asleep: [] }]
  const staysAsleep = bothOrders ? () => false : commute

  /** What is still to be done in a state, each with what sleeps then. */
  const ahead = (key: string, choices: readonly Choice[], asleep: readonly Choice[]) => {
    const now = new Set(asleep.map(({ name }) => name))
    const before = seen.get(key)
    const still = before ? new Set([...now].filter((name) => before.has(name))) : now
    seen.set(key, still)
    const todo = choices.filter(({ name }) => !now.has(name) && (before?.has(name) ?? true))
    const sleeping = asleep.filter(({ name }) => still.has(name))
    return todo.map((choice, index) => ({
      choice,
      asleep: [...sleeping, ...todo.slice(0, index)].filter((one) => staysAsleep(one, choice)),
    }))
  }

  for (let branch = open.pop(); branch !== undefined; branch = open.pop()) {
    const run = await place.begin()
    const path = [...branch.path]
    const left = { faults, rings }
    const allowed = () => run.choices(left.faults > 0, left.rings > 0)
    const take = async (choice: Choice) => {
      if (choice.kind === 'fault') left.faults -= 1
      if (choice.kind === 'alarm') left.rings -= 1
      steps += 1
      await run.take(choice)
    }
    try {
      for (const name of path) {
        const choice = allowed().find((one) => one.name === name)
        if (choice === undefined) throw new Error(`The same way led elsewhere: ${run.order()}`)
        await take(choice)
      }
      let { asleep } = branch
      for (;;) {
        const problem = run.violation()
        if (problem !== undefined) {
          violations.add(`${problem} after ${run.order()}`)
          break
        }
        const choices = allowed()
        const key = `${left.faults} ${left.rings} ${run.key()}`
        const isNew = !seen.has(key)
        const [next, ...others] = ahead(key, choices, asleep)
        if (next === undefined) {
          if (choices.length > 0 || !isNew) break
          ends += 1
          for (const found of await run.settle()) violations.add(`${found} after ${run.order()}`)
          break
        }
        for (const other of others.toReversed()) {
          open.push({ path: [...path, other.choice.name], asleep: other.asleep })
        }
        path.push(next.choice.name)
        ;({ asleep } = next)
        await take(next.choice)
      }
    } finally {
      run.end()
    }
    if (violations.size > 0) break
  }
  place.close()
  return { acts, states: seen.size, steps, ends, violations: [...violations] }
}
