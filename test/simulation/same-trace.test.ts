/**
 * The traces of some seeds, compared with a record: a change that is to leave behaviour as it is leaves
 * it as it is. `npm run simulate:replay -- SEED`, before and after, shows where a trace differs. Where
 * behaviour is meant to change:
 * `npx vitest run --project simulation test/simulation/same-trace.test.ts -u`
 *
 * @module
 */
import { expect, it } from 'vitest'
import { simulate } from './pool.ts'

it('leaves the trace of every recorded seed as it was', async () => {
  const { hashes, failures } = await simulate({ firstSeed: 1, histories: 20 })
  expect(failures).toEqual([])
  const record = [...hashes].sort(([a], [b]) => a - b).map(([seed, hash]) => `${seed} ${hash}\n`)
  expect(record).toHaveLength(20)
  await expect(record.join('')).toMatchFileSnapshot('./same-trace.txt')
})
