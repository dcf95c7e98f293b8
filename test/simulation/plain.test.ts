/**
 * The plain histories, of which one has lost trips, compared with a record: `test/workers/races/simulated-histories.test.ts`
 * runs them on the real D1 and the real Durable Objects, and compares them with the same record. Where
 * behaviour is meant to change: `npx vitest run --project simulation test/simulation/plain.test.ts -u`
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { it } from 'vitest'

const run = promisify(execFile)
const PROGRAM = join(import.meta.dirname, 'plain/record.ts')

const histories = [
  [1, 100],
  [2, 100],
  [3_500_000_002, 100],
  [3_750_000_002, 100],
] as const

// Each needs one core.
it.concurrent.for(histories)(
  'seed %s, with %s operations, is as it was',
  async ([seed, operations], { expect }) => {
    const options = ['--no-warnings', PROGRAM, String(seed), String(operations)]
    const { stdout } = await run(process.execPath, options, { maxBuffer: 2 ** 24 })
    await expect(stdout).toMatchFileSnapshot(`./plain/seed-${seed}-${operations}.txt`)
  }
)
