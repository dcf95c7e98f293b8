/**
 * `npm run simulate:replay -- SEED [OPERATIONS] [MUTATION]`: one history once more, bit for bit, with all
 * that happened.
 *
 * @module
 */
import { prepareLoading } from './loading.ts'
import { replaceGlobals } from './realm.ts'

const [seed = '1', operations = '200', mutation = null] = process.argv.slice(2)
prepareLoading(mutation)
const { quickenDrizzle } = await import('./drizzle.ts')
const { runHistory } = await import('./history.ts')
const { migrated } = await import('./sqlite.ts')
quickenDrizzle()
replaceGlobals()
const options = { operations: Number(operations), keepLines: true }
const { lines, violations, hash } = await runHistory(migrated(), Number(seed), options)
console.log(lines.join('\n'))
console.log(`\ntrace ${hash}`)
for (const violation of violations) console.log(violation)
process.exitCode = violations.length > 0 ? 1 : 0
