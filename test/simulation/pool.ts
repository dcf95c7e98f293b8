/**
 * Runs many histories on all cores, each in a thread that has the simulation's globals.
 *
 * @module
 */
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { addReached, type Reached } from '../../src/testing/index.ts'
import { bundle } from './bundle.ts'
import type { History } from './history.ts'
import type { ThreadOptions } from './thread.ts'

export type Outcome = Omit<History, 'lines'>

export interface PoolOptions {
  readonly firstSeed: number
  readonly histories: number
  readonly operations?: number
  readonly workers?: number
  readonly mutation?: string | null
  readonly drizzle?: ThreadOptions['drizzle']
  readonly thorough?: boolean
  /** Called after each history; answers whether to go on. If not, all ends there and then. */
  readonly progress?: (summary: Summary) => boolean
}

export interface Summary {
  readonly histories: number
  readonly operations: number
  readonly steps: number
  readonly reached: Reached
  readonly faults: Reached
  readonly failures: readonly Outcome[]
  readonly hashes: ReadonlyMap<number, string>
  readonly seconds: number
  readonly workers: number
}

const THREAD = fileURLToPath(import.meta.resolve('./thread.ts'))
const SEEDS_AT_ONCE = 10
const MOST_FAILURES = 50

export async function simulate(options: PoolOptions): Promise<Summary> {
  const { firstSeed, histories, operations = 200, mutation = null, progress } = options
  const { drizzle = 'quick', thorough = false } = options
  const workers = Math.min(options.workers ?? availableParallelism(), Math.max(1, histories))
  const { url, remove } = await bundle({ mutation, drizzle })
  const began = performance.now()
  const failures: Outcome[] = []
  const hashes = new Map<number, string>()
  let reached: Reached = {}
  let faults: Reached = {}
  let [done, begun, steps] = [0, 0, 0]
  let next = firstSeed
  const threads = new Set<() => void>()
  let stopped = false
  const stop = () => {
    stopped = true
    for (const end of threads) end()
  }
  const summary = (): Summary => ({
    histories: done,
    operations: begun,
    steps,
    reached,
    faults,
    failures,
    hashes,
    seconds: (performance.now() - began) / 1000,
    workers,
  })
  const take = () => {
    const end = Math.min(next + SEEDS_AT_ONCE, firstSeed + histories)
    const seeds = Array.from({ length: end - next }, (_, index) => next + index)
    next += seeds.length
    return seeds
  }
  const count = (outcome: Outcome) => {
    done += 1
    begun += outcome.operations
    steps += outcome.steps
    reached = addReached([reached, outcome.reached])
    faults = addReached([faults, outcome.faults])
    hashes.set(outcome.seed, outcome.hash)
    if (outcome.violations.length > 0 && failures.length < MOST_FAILURES) failures.push(outcome)
    if (progress && !progress(summary())) stop()
  }
  const thread = () =>
    new Promise<void>((resolve, reject) => {
      const worker = new Worker(THREAD, {
        workerData: { program: url, operations, drizzle, thorough } satisfies ThreadOptions,
        execArgv: ['--no-warnings'],
      })
      const end = () => void worker.terminate().then(() => resolve())
      threads.add(end)
      worker.on('error', reject)
      worker.on('message', (message: Outcome | 'ready') => {
        if (stopped) return
        if (message !== 'ready') return count(message)
        const seeds = take()
        if (seeds.length > 0) worker.postMessage(seeds)
        else end()
      })
    })
  try {
    await Promise.all(Array.from({ length: workers }, thread))
    return summary()
  } finally {
    remove()
  }
}
