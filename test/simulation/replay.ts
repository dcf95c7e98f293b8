/**
 * `npm run simulate:replay -- SEED [OPERATIONS] [MUTATION]`: one history once more, bit for bit, with all
 * that happened.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { oneOf, readArguments, wholeNumber, WrongArgument } from '../../scripts/arguments.ts'
import { load } from './bundle.ts'
import { mutations } from './mutations.ts'
import { LAST_SEED } from './random.ts'

const USAGE = 'npm run simulate:replay -- SEED [OPERATIONS] [MUTATION]'

const { seed, operations, mutation } = readArguments(USAGE, () => {
  const { positionals } = parseArgs({ options: {}, allowPositionals: true })
  const [seed, operations = '200', mutation, ...rest] = positionals
  if (seed === undefined) throw new WrongArgument('SEED is missing.')
  if (rest.length > 0) throw new WrongArgument(`"${rest[0]}" is one argument too many.`)
  return {
    seed: wholeNumber('SEED', seed, { to: LAST_SEED }),
    operations: wholeNumber('OPERATIONS', operations, { from: 1 }),
    mutation: mutation === undefined ? null : oneOf('MUTATION', mutation, Object.keys(mutations)),
  }
})
const { enter, migrated, runHistory } = await load({ mutation })
enter()
const options = { operations, keepLines: true }
const { lines, violations, hash } = await runHistory(migrated(), seed, options)
console.log(lines.join('\n'))
console.log(`\ntrace ${hash}`)
for (const violation of violations) console.log(violation)
process.exitCode = violations.length > 0 ? 1 : 0
