/**
 * Plays the museum's cases against one product or several, and prints the scoreboard:
 * `npm run conformance -- --driver better-auth`. Without `--driver`, against all.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const DRIVERS = ['seatgate', 'd1-seats', 'naive', 'better-auth']
const root = fileURLToPath(new URL('..', import.meta.url))

const { values } = parseArgs({ options: { driver: { type: 'string', multiple: true } } })
const drivers = values.driver?.flatMap((names) => names.split(',')) ?? DRIVERS
const unknown = drivers.filter((name) => !DRIVERS.includes(name))
if (unknown.length > 0) {
  console.error(`There is no driver ${unknown.join(', ')}. There are ${DRIVERS.join(', ')}.`)
  process.exit(2)
}

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const child = spawn(
  process.execPath,
  [vitest, 'run', '--config', 'test/scoreboard/vitest.config.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, SCOREBOARD_DRIVERS: drivers.join(',') },
  }
)
const [exitCode] = (await once(child, 'close')) as [number | null]
process.exitCode = exitCode ?? 1
