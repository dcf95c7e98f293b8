/**
 * Plays the museum's cases against one product or several, and prints the scoreboard:
 * `npm run conformance -- --driver better-auth`. Without `--driver`, against all. With `--strict` a case
 * that a product loses makes the exit code 1.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { oneOf, readArguments } from './arguments.ts'

const DRIVERS = ['seatgate', 'd1-seats', 'naive', 'better-auth']
const root = fileURLToPath(new URL('..', import.meta.url))

const USAGE = 'npm run conformance -- [--driver NAME[,NAME …]] [--strict]'
const { drivers, strict } = readArguments(USAGE, () => {
  const { values } = parseArgs({
    options: {
      driver: { type: 'string', multiple: true },
      strict: { type: 'boolean', default: false },
    },
  })
  const named = values.driver?.flatMap((names) => names.split(',')) ?? DRIVERS
  return {
    drivers: named.map((name) => oneOf('--driver', name, DRIVERS)),
    strict: values.strict,
  }
})

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const child = spawn(
  process.execPath,
  [vitest, 'run', '--config', 'test/scoreboard/vitest.config.ts'],
  {
    cwd: root,
    stdio: 'inherit',
    env: {
      ...process.env,
      SCOREBOARD_DRIVERS: drivers.join(','),
      SCOREBOARD_STRICT: strict ? 'yes' : 'no',
    },
  }
)
const [exitCode] = (await once(child, 'close')) as [number | null]
process.exitCode = exitCode ?? 1
