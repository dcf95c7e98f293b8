/**
 * `npm run simulate:exhaustive -- [--faults 1] [--rings 1] [--share 1/4]`: every order of every three
 * operations, and how many there were. `--only add,remove,accept` for one choice of them,
 * `--both-orders` to follow both orders of steps that commute as well, which leads to the same states.
 *
 * @module
 */
import { parseArgs } from 'node:util'
import { oneOf, readArguments, wholeNumber, WrongArgument } from '../../scripts/arguments.ts'
import { load } from './bundle.ts'
import { mutations } from './mutations.ts'

const USAGE =
  'npm run simulate:exhaustive -- [--faults 1] [--rings 1] [--share 1/1] [--only ACT,ACT,ACT] ' +
  '[--mutation NAME] [--both-orders]'

const { options, share, only, mutation } = readArguments(USAGE, () => {
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
  const { faults, rings, share, only, mutation } = values
  return {
    options: {
      faults: wholeNumber('--faults', faults),
      rings: wholeNumber('--rings', rings),
      bothOrders: values['both-orders'],
    },
    share: readShare(share),
    only: only?.split(','),
    mutation: mutation === undefined ? null : oneOf('--mutation', mutation, Object.keys(mutations)),
  }
})
const { actNames, enter, explore, migrated, triples } = await load({ mutation })
const chosen = readArguments(USAGE, () => only?.map((act) => oneOf('--only', act, actNames)))
enter()

const all = chosen
  ? [chosen]
  : triples().filter((_, index) => index % share.parts === share.part - 1)
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

function readShare(text: string): { readonly part: number; readonly parts: number } {
  const [part = '', parts = '', ...rest] = text.split('/')
  if (rest.length > 0) throw new WrongArgument(`--share must be like 1/4, not "${text}".`)
  const whole = wholeNumber('--share', parts, { from: 1 })
  return { part: wholeNumber('--share', part, { from: 1, to: whole }), parts: whole }
}
