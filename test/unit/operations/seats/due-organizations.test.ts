import { describe, expect, it } from 'vitest'
import {
  CHANGED_PER_SWEEP,
  COMPARED_PER_SWEEP,
  ORGANIZATIONS_PER_SWEEP,
  chooseChanged,
} from '../../../../src/operations/seats/due-organizations.ts'

const MINUTE = 60_000
const now = new Date('2026-11-30T12:00:00Z')

const organization = (id: number, checkedMinutesAgo: number | null, seats = 10) => ({
  id: String(id).padStart(6, '0'),
  seats,
  head: 2,
  sequence: 1,
  checkedAt: checkedMinutesAgo === null ? null : now.getTime() - checkedMinutesAgo * MINUTE,
})

const idsOf = (chosen: readonly { readonly id: string }[]) => chosen.map(({ id }) => Number(id))

describe('the choice among organizations with new events', () => {
  it('takes those whose verification is longest ago first, and those without one last', () => {
    const compared = [organization(1, null), organization(2, 6), organization(3, 60)]
    expect(idsOf(chooseChanged(compared, now))).toEqual([3, 2, 1])
  })

  it('lets a busy organization rest for five minutes, and for one minute more per 5,000 seats', () => {
    const compared = [
      organization(1, 4.9),
      organization(2, 5.1),
      organization(3, 24.9, 100_000),
      organization(4, 25.1, 100_000),
    ]
    expect(idsOf(chooseChanged(compared.slice(0, 2), now))).toEqual([2])
    expect(idsOf(chooseChanged(compared.slice(2), now))).toEqual([4])
  })

  it('takes 20 at most, and the first of them that have 5,000 seats together', () => {
    const many = Array.from({ length: 100 }, (_, index) => organization(index, 60))
    expect(chooseChanged(many, now)).toHaveLength(20)
    const large = [organization(1, 62, 4000), organization(2, 61, 1000), organization(3, 60, 1)]
    expect(idsOf(chooseChanged(large, now))).toEqual([1, 2])
    expect(idsOf(chooseChanged([organization(1, 200, 100_000), ...large], now))).toEqual([1])
  })
})

/** Minutes until a drift is found at the latest: by its event, and by the turn, which is never stopped. */
function minutesToFind(organizations: number, changedPerMinute: number) {
  const left = ORGANIZATIONS_PER_SWEEP - Math.min(changedPerMinute, CHANGED_PER_SWEEP)
  return {
    byEvent: Math.ceil(organizations / COMPARED_PER_SWEEP),
    byTurn: Math.ceil(organizations / left),
  }
}

describe('the time to find a drift, as documented', () => {
  it.each([
    [10_000, 0, { byEvent: 2, byTurn: 400 }],
    [10_000, 20, { byEvent: 2, byTurn: 2000 }],
    [100_000, 0, { byEvent: 20, byTurn: 4000 }],
    [100_000, 20, { byEvent: 20, byTurn: 20_000 }],
  ])('is for %i organizations of which %i change a minute: %o', (count, changed, minutes) => {
    expect(minutesToFind(count, changed)).toEqual(minutes)
  })

  it('is kept under a simulated clock: 1,000 that change all the time take turns, each once in 50 minutes', () => {
    const checkedAt = new Map<number, number | null>()
    for (let id = 0; id < 1000; id++) checkedAt.set(id, null)
    const longest = { minutes: 0 }
    for (let minute = 1; minute <= 200; minute++) {
      const at = now.getTime() + minute * MINUTE
      const compared = [...checkedAt].map(([id, checked]) => ({
        ...organization(id, null),
        checkedAt: checked,
      }))
      for (const id of idsOf(chooseChanged(compared, new Date(at)))) {
        const before = checkedAt.get(id) ?? null
        if (before !== null) longest.minutes = Math.max(longest.minutes, (at - before) / MINUTE)
        checkedAt.set(id, at)
      }
      // The turn reaches those that were never verified.
      for (let next = 0; next < 5; next++) checkedAt.set(((minute - 1) * 5 + next) % 1000, at)
    }
    expect([...checkedAt.values()].filter((checked) => checked === null)).toEqual([])
    expect(longest.minutes).toBeLessThanOrEqual(50)
  })
})
