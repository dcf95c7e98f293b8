import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  planPurge,
  type Beginning,
  type PurgeRequest,
} from '../../../../src/parts/retention/purge-plan.ts'
import {
  keptSince,
  retentionMistake,
  type RetentionWindow,
} from '../../../../src/parts/retention/retention-windows.ts'
import { atScale } from '../../../kit/scale.ts'

const NOW = new Date(Date.UTC(2030, 0, 1))
const DAY_MS = 24 * 60 * 60 * 1000
const windows: RetentionWindow[] = [
  { days: 30 },
  { actions: 'billing.*', days: 90 },
  { actions: 'billing.charged', days: 60 },
  { organizationId: 'own', days: 10 },
]
const daysAgo = (organizationId: string, action: string) => {
  const since = keptSince(windows, organizationId, action, NOW)
  return since && (NOW.getTime() - since.getTime()) / DAY_MS
}

describe('the window of an event', () => {
  it.each([
    ['acme', 'a.b', 30],
    ['acme', 'billing.paid', 90],
    ['acme', 'billing.charged', 60],
    ['acme', 'billingx.paid', 30],
    ['own', 'billing.paid', 10],
  ])('in %s of %s is %i days: the closest one [AUD-61]', (organizationId, action, days) => {
    expect(daysAgo(organizationId, action)).toBe(days)
  })

  it('is absent where no reason is given', () => {
    expect(retentionMistake(windows)).toBeNull()
    expect(keptSince([{ organizationId: 'own', days: 1 }], 'acme', 'a.b', NOW)).toBeNull()
  })
})

const trail = fc
  .record({
    horizon: fc.nat(20),
    ages: fc.array(fc.nat(60), { maxLength: 12 }),
    ran: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
    sealed: fc.nat(12),
    held: fc.boolean(),
    sinks: fc.array(fc.record({ required: fc.boolean(), settled: fc.nat(12) }), { maxLength: 2 }),
  })
  .map(({ horizon, ages, ran, sealed, held, sinks }): Beginning => ({
    horizon,
    sealed: horizon + sealed,
    held,
    sinks: sinks.map(({ required, settled }, index) => ({
      id: `sink ${index}`,
      required,
      settled: horizon + settled,
    })),
    events: ages.map((age, index) => ({
      sequence: horizon + index + 1,
      action: ran[index] ? 'audit.purge_run' : 'a.b',
      insertedAt: new Date(NOW.getTime() - age * DAY_MS),
    })),
  }))
const request = fc.record({
  force: fc.boolean(),
  olderThan: fc.option(fc.nat(60).map((age) => new Date(NOW.getTime() - age * DAY_MS))),
  through: fc.oneof(fc.constant(Infinity), fc.nat(60)),
})

/** What may go, said in another way: one event after the other. */
function mayGo(beginning: Beginning, { force, olderThan, through }: PurgeRequest): number[] {
  const going: number[] = []
  if (beginning.held) return going
  for (const { sequence, insertedAt } of beginning.events) {
    const age = NOW.getTime() - insertedAt.getTime()
    const past = age > 30 * DAY_MS && (olderThan === null || insertedAt < olderThan)
    const had = beginning.sinks.every(
      ({ required, settled }) => force || !required || settled >= sequence
    )
    if (!past || !had || sequence > beginning.sealed || sequence > through) break
    going.push(sequence)
  }
  return going
}

describe('the purged events', () => {
  it('is the longest beginning that may, in any trail [AUD-59 AUD-62 AUD-64]', () => {
    fc.assert(
      fc.property(trail, request, (beginning, asked) => {
        const { firstSequence, lastSequence, forced, unsettled, waitsFor } = planPurge(
          windows,
          'acme',
          beginning,
          asked,
          NOW
        )
        const going = mayGo(beginning, asked)
        const last = going.at(-1) ?? beginning.horizon
        const worthIt = beginning.events.some(
          ({ sequence, action }) => sequence <= last && action !== 'audit.purge_run'
        )
        expect(firstSequence).toBe(beginning.horizon + 1)
        expect(lastSequence).toBe(worthIt ? last : beginning.horizon)
        const behind = beginning.sinks.filter(({ settled }) => settled < last)
        expect(unsettled).toEqual(worthIt ? behind.map(({ id }) => id) : [])
        expect(forced).toBe(worthIt && asked.force && behind.some(({ required }) => required))
        if (waitsFor.length === 0 && !beginning.held) {
          expect(going).toHaveLength(
            mayGo({ ...beginning, sealed: Infinity }, { ...asked, force: true }).length
          )
        }
      }),
      { numRuns: atScale({ share: 500, thorough: 5000 }), seed: 58 }
    )
  })
})
