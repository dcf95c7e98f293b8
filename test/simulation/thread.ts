/** A thread that runs histories: its messages are seeds, its answers what became of them. */
import { parentPort, workerData } from 'node:worker_threads'
import { prepareLoading } from './loading.ts'
import { replaceGlobals } from './realm.ts'

export interface ThreadOptions {
  readonly mutation: string | null
  readonly operations: number
  /** Drizzle as it is, and a trace of every statement: to compare what is faster with. */
  readonly drizzle: 'quick' | 'its own'
  readonly thorough: boolean
}

const { mutation, operations, drizzle, thorough } = workerData as ThreadOptions
prepareLoading(mutation)
const { quickenDrizzle } = await import('./drizzle.ts')
const { runHistory } = await import('./history.ts')
const { migrated } = await import('./sqlite.ts')
if (drizzle === 'quick') quickenDrizzle()
replaceGlobals()
// Nobody reads where in the simulation an error was made: that is for the replay.
Error.stackTraceLimit = 0
const connection = migrated()

parentPort?.on('message', (seeds: readonly number[]) => {
  void runAll(seeds)
})
parentPort?.postMessage('ready')

async function runAll(seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const { lines: _lines, ...history } = await runHistory(connection, seed, {
      operations,
      thorough,
    })
    parentPort?.postMessage(history)
  }
  parentPort?.postMessage('ready')
}
