/**
 * `npm run simulate -- --histories 1000000 [--summary FILE]`: runs long, on all cores, and says what came
 * of it.
 *
 * @module
 */
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { oneOf, readArguments, wholeNumber, writableFile } from '../../scripts/arguments.ts'
import { neverReached } from '../../src/testing/index.ts'
import { mutations } from './mutations.ts'
import { simulate, type Summary } from './pool.ts'
import { LAST_SEED } from './random.ts'

const USAGE =
  'npm run simulate -- [--histories 2000] [--seed 1] [--operations 200] [--workers N] ' +
  '[--mutation NAME] [--summary FILE]'

const flags = readArguments(USAGE, () => {
  const { values } = parseArgs({
    options: {
      histories: { type: 'string', default: '2000' },
      seed: { type: 'string', default: '1' },
      operations: { type: 'string', default: '200' },
      workers: { type: 'string' },
      mutation: { type: 'string' },
      summary: { type: 'string' },
    },
  })
  const { histories, seed, operations, workers, mutation, summary } = values
  return {
    histories: wholeNumber('--histories', histories, { from: 1 }),
    firstSeed: wholeNumber('--seed', seed, { to: LAST_SEED }),
    operations: wholeNumber('--operations', operations, { from: 1 }),
    ...(workers !== undefined && { workers: wholeNumber('--workers', workers, { from: 1 }) }),
    mutation: mutation === undefined ? null : oneOf('--mutation', mutation, Object.keys(mutations)),
    summary: summary === undefined ? null : writableFile('--summary', summary),
  }
})

let shown = performance.now()
let told = 0

const summary = await simulate({
  ...flags,
  progress(so) {
    // Whoever waits for the end of a million histories wants to begin with what is wrong now.
    for (; told < so.failures.length; told++) tell(so.failures[told]!)
    if (performance.now() - shown > 10_000) {
      shown = performance.now()
      console.log(`${so.histories} histories, ${so.failures.length} wrong, ${pace(so)}`)
    }
    return true
  },
})

console.log(
  `${summary.histories} histories, ${summary.operations} operations, ${summary.steps} steps ` +
    `in ${summary.seconds.toFixed(1)} s on ${summary.workers} cores: ${pace(summary)}`
)
for (const [fault, count] of Object.entries(summary.faults)) console.log(`  ${count}  ${fault}`)
for (const [state, count] of Object.entries(summary.reached)) console.log(`  ${count}  ${state}`)
const never = neverReached(summary.reached)
if (never.length > 0) console.log(`never reached: ${never.join('; ')}`)
for (const failure of summary.failures) tell(failure)
if (flags.summary !== null) {
  const { hashes: _hashes, ...rest } = summary
  writeFileSync(flags.summary, `${JSON.stringify(rest, null, 2)}\n`)
}
process.exitCode = summary.failures.length > 0 ? 1 : 0

function tell({ seed, violations }: Summary['failures'][number]): void {
  const further = violations.length > 1 ? ` (+${violations.length - 1})` : ''
  console.log(`\nseed ${seed}: ${violations[0]}${further}`)
  const mutation = flags.mutation === null ? '' : `'${flags.mutation}'`
  console.log(`  npm run simulate:replay -- ${seed} ${flags.operations} ${mutation}`)
}

function pace({ histories, seconds, workers }: Summary): string {
  return `${(histories / seconds / workers).toFixed(1)} histories per second and core`
}
