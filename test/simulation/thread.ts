/** A thread that runs histories: its messages are seeds, its answers what became of them. */
import { parentPort, workerData } from 'node:worker_threads'
import { prepareLoading } from './loading.ts'
import { replaceGlobals } from './realm.ts'

export interface ThreadOptions {
  readonly mutation: string | null
  readonly operations: number
}

const { mutation, operations } = workerData as ThreadOptions
prepareLoading(mutation)
const { runHistory } = await import('./history.ts')
const { migrated } = await import('./sqlite.ts')
replaceGlobals()
const connection = migrated()

parentPort?.on('message', (seeds: readonly number[]) => {
  void runAll(seeds)
})
parentPort?.postMessage('ready')

async function runAll(seeds: readonly number[]): Promise<void> {
  for (const seed of seeds) {
    const { lines: _lines, ...history } = await runHistory(connection, seed, { operations })
    parentPort?.postMessage(history)
  }
  parentPort?.postMessage('ready')
}
