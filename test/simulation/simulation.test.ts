import { describe, expect, it } from 'vitest'
import { neverReached } from '../../src/testing/index.ts'
import { ACCESS_STATES } from './access/states.ts'
import { DELEGATION_STATES } from './delegation/states.ts'
import { mutations } from './mutations.ts'
import { simulate, type Summary } from './pool.ts'
import { FIRST_PAYING, FIRST_WITH_ACCESS, FIRST_WITH_DELEGATION } from './random.ts'
import { RAREST } from './states.ts'
import { atScale, shareOf, THOROUGH } from '../kit/scale.ts'

const HISTORIES = atScale({ share: 270, thorough: 2_000 })
// How many states a run may miss, besides the rarest.
const MISSED = atScale({ share: 3, thorough: 0 })
const WITH_ACCESS = atScale({ share: 30, thorough: 400 })
const WITH_DELEGATION = atScale({ share: 6, thorough: 400 })
const PAYING = atScale({ share: 2, thorough: 12 })

/** What somebody who reads a failure needs: the first violation, and how to see it again. */
const told = ({ failures }: Summary) =>
  failures.map(({ seed, violations }) => `npm run simulate:replay -- ${seed}: ${violations[0]}`)

describe('the simulation', () => {
  it(`finds no violation in ${HISTORIES.toLocaleString('en')} histories, which reach ${THOROUGH ? 'every state but the rarest' : 'most states'} [D9]`, async () => {
    const summary = await simulate({ firstSeed: 1, histories: HISTORIES })
    expect(told(summary)).toEqual([])
    expect(summary.histories).toBe(HISTORIES)
    expect(summary.operations).toBeGreaterThanOrEqual(200 * HISTORIES)
    const missed = neverReached(summary.reached).filter((state) => !(state in RAREST))
    expect(missed.length, missed.join('; ')).toBeLessThanOrEqual(MISSED)
  })

  it(`finds no violation in ${WITH_ACCESS} histories with links, keys, SCIM, types of seats, permissions and limits of users`, async () => {
    const firstSeed = FIRST_WITH_ACCESS + 1
    const summary = await simulate({ firstSeed, histories: WITH_ACCESS })
    expect(told(summary)).toEqual([])
    expect(summary.histories).toBe(WITH_ACCESS)
    const never = neverReached(summary.reached).filter((state) => ACCESS_STATES.has(state))
    if (THOROUGH) expect(never).toEqual([])
  })

  it(`finds no violation in ${WITH_DELEGATION} histories with own roles, groups and operators who act as users [PERM-20 GROUP-24 OP-20]`, async () => {
    const firstSeed = FIRST_WITH_DELEGATION + 1
    const summary = await simulate({ firstSeed, histories: WITH_DELEGATION })
    expect(told(summary)).toEqual([])
    expect(summary.histories).toBe(WITH_DELEGATION)
    const never = neverReached(summary.reached).filter((state) => DELEGATION_STATES.has(state))
    if (THOROUGH) expect(never).toEqual([])
  })

  it(`finds no violation in ${PAYING} histories in which organizations pay`, async () => {
    const summary = await simulate({ firstSeed: FIRST_PAYING + 1, histories: PAYING })
    expect(told(summary)).toEqual([])
    expect(summary.histories).toBe(PAYING)
  })

  it('repeats a seed bit for bit, no matter what ran before it in its thread', async () => {
    const [alone, among] = await Promise.all([
      simulate({ firstSeed: 31, histories: 5, workers: 1 }),
      simulate({ firstSeed: 27, histories: 9, workers: 2 }),
    ])
    for (const [seed, hash] of alone.hashes)
      expect([seed, among.hashes.get(seed)]).toEqual([seed, hash])
    expect(new Set(alone.hashes.values()).size).toBe(5)
  })

  it('writes and reads every statement as Drizzle does', async () => {
    const some = { firstSeed: 41, histories: 4, thorough: true }
    const [quick, plain] = await Promise.all([
      simulate(some),
      simulate({ ...some, drizzle: 'its own' }),
    ])
    expect(quick.hashes).toEqual(plain.hashes)
    expect(quick.hashes.size).toBe(4)
  })
})

// Each needs one core, and most of its time to start.
describe.concurrent('the simulation notices that', () => {
  it.each(shareOf(Object.entries(mutations), 2))('%s', async (mutation, { seed }) => {
    const summary = await simulate({
      firstSeed: seed,
      histories: 300,
      workers: 1,
      mutation,
      progress: ({ failures }) => failures.length === 0,
    })
    expect(summary.failures.length).toBeGreaterThan(0)
    // What takes the place of the source has to run.
    expect(told(summary).join()).not.toMatch(/threw (Reference|Syntax|Type)Error/)
  })
})
