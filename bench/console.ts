/**
 * Measures the console by its tests: the trips to D1 of each page, and how long a browser takes to verify a
 * trail of 100,000 events, against Node.
 *
 * @module
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './stage.ts'

const TESTS = [
  'test/workers/console/console-trips.test.ts',
  'test/browser/verification.thorough.test.ts',
]

/**
 * Prints what the console costs.
 *
 * @throws {Error} if a page or the verification takes more than it may.
 */
export function measureConsole(): void {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status } = spawnSync(process.execPath, [vitest, 'run', '--reporter=verbose', ...TESTS], {
    cwd: root,
    env: { ...process.env, SCALE: 'thorough' },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error('The console costs more than it may, or could not be measured.')
}
