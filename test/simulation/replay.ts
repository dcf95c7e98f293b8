/**
 * `npm run simulate:replay -- SEED [OPERATIONS] [MUTATION]`: one history once more, bit for bit, with all
 * that happened.
 *
 * @module
 */
import { load } from './bundle.ts'

const [seed = '1', operations = '200', mutation = null] = process.argv.slice(2)
const { enter, migrated, runHistory } = await load({ mutation })
enter()
const options = { operations: Number(operations), keepLines: true }
const { lines, violations, hash } = await runHistory(migrated(), Number(seed), options)
console.log(lines.join('\n'))
console.log(`\ntrace ${hash}`)
for (const violation of violations) console.log(violation)
process.exitCode = violations.length > 0 ? 1 : 0
