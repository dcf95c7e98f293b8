/**
 * `node test/simulation/plain/record.ts SEED OPERATIONS`: writes the lines of a history without faults.
 *
 * @module
 */
import { load } from '../bundle.ts'

const [seed = '1', operations = '120'] = process.argv.slice(2)
const { enter, migrated, liveInSimulation } = await load()
enter()
const lines = await liveInSimulation(migrated(), Number(seed), Number(operations))
process.stdout.write(`${lines.join('\n')}\n`)
