/**
 * Two or many at once, without a clock: what one does is held before a trip of its own to a store
 * while the others go on.
 *
 * @module
 */
import type { Around } from '../../bench/meter.ts'
import { Failed, type Driver, type Product } from './driver.ts'

type Act<Scene> = (product: Product, scene: Scene) => Promise<unknown>

const PATIENCE_MS = 10_000
const MOST_TRIPS = 60

/**
 * Plays a race in all the ways in which one of two fits between two trips of the other, in both
 * orders: the one is held before its first trip, in a new scene before its second, and so on, each
 * time until the other has its answer. `check` looks at each end.
 */
export async function race<Scene, A, B>(
  driver: Driver,
  {
    set,
    first,
    second,
    check,
  }: {
    readonly set: () => Promise<Scene>
    readonly first: (product: Product, scene: Scene) => Promise<A>
    readonly second: (product: Product, scene: Scene) => Promise<B>
    readonly check: (scene: Scene, first: A, second: B) => Promise<void>
  }
): Promise<void> {
  await everyGap(driver, set, first, second, async (scene, one, other) => {
    await check(scene, one, other)
  })
  await everyGap(driver, set, second, first, async (scene, other, one) => {
    await check(scene, one, other)
  })
}

async function everyGap<Scene, A, B>(
  driver: Driver,
  set: () => Promise<Scene>,
  held: (product: Product, scene: Scene) => Promise<A>,
  between: (product: Product, scene: Scene) => Promise<B>,
  check: (scene: Scene, held: A, between: B) => Promise<void>
): Promise<void> {
  for (let gap = 0; gap < MOST_TRIPS; gap++) {
    const scene = await set()
    const hold = holdBefore(gap)
    const [holding, passing] = [driver.open(hold.around), driver.open()]
    const heldAnswer = held(holding, scene)
    const wasHeld = await Promise.race([
      hold.reached.then(() => true),
      heldAnswer.then(() => false),
    ])
    const betweenAnswer = between(passing, scene)
    // Whoever makes the other wait for its turn is let go.
    const patience = setTimeout(() => hold.letGo(), PATIENCE_MS)
    await betweenAnswer
    clearTimeout(patience)
    hold.letGo()
    const [one, other] = await Promise.all([heldAnswer, betweenAnswer])
    await Promise.all([holding.settled(), passing.settled()])
    try {
      await check(scene, one, other)
    } catch (error) {
      if (!(error instanceof Failed)) throw error
      throw new Failed(
        `${error.message} (${wasHeld ? `between trips ${gap} and ${gap + 1}` : 'one after the other'})`
      )
    }
    if (!wasHeld) return
  }
  throw new Error(`An operation makes more than ${MOST_TRIPS} trips.`)
}

function holdBefore(gap: number) {
  const reached = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  let trips = 0
  const around: Around = async (_trip, run) => {
    if (trips++ === gap) {
      reached.resolve()
      await held.promise
    }
    return run()
  }
  return { around, reached: reached.promise, letGo: held.resolve }
}

/**
 * All at once, step by step: nobody makes a trip before everybody who is not done has come to one.
 * What all of them read, they read before any of them writes.
 */
export async function inStep<T>(
  driver: Driver,
  acts: readonly ((product: Product) => Promise<T>)[]
): Promise<readonly T[]> {
  const waiting = new Map<number, (() => void)[]>()
  const busy = new Set(acts.keys())
  const step = () => {
    if ([...busy].some((index) => !waiting.has(index))) return
    const turns = [...waiting.values()].flat()
    waiting.clear()
    for (const go of turns) go()
  }
  const aroundOf =
    (index: number): Around =>
    async (_trip, run) => {
      if (busy.has(index)) {
        await new Promise<void>((go) => {
          waiting.set(index, [...(waiting.get(index) ?? []), go])
          step()
        })
      }
      return run()
    }
  const products = acts.map((_, index) => driver.open(aroundOf(index)))
  const answers = await Promise.all(
    acts.map(async (act, index) => {
      try {
        return await act(products[index]!)
      } finally {
        busy.delete(index)
        for (const go of waiting.get(index) ?? []) go()
        waiting.delete(index)
        step()
      }
    })
  )
  await Promise.all(products.map((product) => product.settled()))
  return answers
}

/**
 * Fails one trip after the other, in a new scene each: before it reaches its store, or (`lost`) on
 * the way back. Ends with the scene in which nothing failed.
 */
export async function everyFault<Scene>(
  driver: Driver,
  set: () => Promise<Scene>,
  act: Act<Scene>,
  check: (scene: Scene) => Promise<void>
): Promise<void> {
  for (const lost of [false, true]) {
    for (let at = 0; at < MOST_TRIPS; at++) {
      const scene = await set()
      let trips = 0
      const product = driver.open(async (_trip, run) => {
        const fails = trips++ === at
        if (fails && !lost) throw new Error('Network connection lost.')
        const answer = await run()
        if (fails) throw new Error('Network connection lost.')
        return answer
      })
      await act(product, scene)
      await product.settled()
      try {
        await check(scene)
      } catch (error) {
        if (!(error instanceof Failed)) throw error
        throw new Failed(`${error.message} (trip ${at + 1} ${lost ? 'unanswered' : 'unheard'})`)
      }
      if (trips <= at) break
    }
  }
}
