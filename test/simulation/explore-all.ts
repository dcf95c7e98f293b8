/**
 * `npm run simulate:exhaustive -- [--faults 1] [--rings 1] [--share 1/4]`: every order of every three
 * operations, and how many there were. `--only add,remove,accept` for one choice of them,
 * `--both-orders` to follow both orders of steps that commute as well, which leads to the same states.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { load } from './bundle.ts'
import type { ActName } from './scope.ts'

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '1' },
    rings: { type: 'string', default: '1' },
    share: { type: 'string', default: '1/1' },
    only: { type: 'string' },
    mutation: { type: 'string' },
    'both-orders': { type: 'boolean', default: false },
  },
})
const { enter, explore, migrated, triples } = await load({ mutation: values.mutation ?? null })
enter()

const [part = 1, parts = 1] = values.share.split('/').map(Number)
const all =
  values.only === undefined
    ? triples().filter((_triple, index) => index % parts === part - 1)
    : [values.only.split(',') as ActName[]]
const options = {
  faults: Number(values.faults),
  rings: Number(values.rings),
  bothOrders: values['both-orders'],
}
const connection = migrated()
const total = { states: 0, steps: 0, ends: 0, violations: 0 }
const began = performance.now()
for (const acts of all) {
  const { states, steps, ends, violations } = await explore(connection, acts, options)
  total.states += states
  total.steps += steps
  total.ends += ends
  total.violations += violations.length
  console.log(`${acts.join(' + ')}: ${states} states, ${steps} steps, ${ends} ends`)
  for (const violation of violations) console.log(`  VIOLATION ${violation}`)
}
const seconds = ((performance.now() - began) / 1000).toFixed(1)
console.log(
  `${all.length} choices of three operations: ${total.states} states, ${total.steps} steps, ` +
    `${total.ends} ends, ${total.violations} violations, ${seconds} s`
)
process.exitCode = total.violations > 0 ? 1 : 0
