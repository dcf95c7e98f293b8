/** A thread that runs histories: its messages are seeds, its answers what became of them. */
import { parentPort, workerData } from 'node:worker_threads'
import type { DrizzleWay } from './drizzle.ts'

export interface ThreadOptions {
  /** Where the bundle of the program is. */
  readonly program: string
  readonly operations: number
  /** Drizzle as it is, and a trace of every statement: to compare what is faster with. */
  readonly drizzle: DrizzleWay
  readonly thorough: boolean
}

const { program, operations, drizzle, thorough } = workerData as ThreadOptions
const { enter, migrated, runHistory } = (await import(program)) as typeof import('./program.ts')
enter(drizzle)
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
