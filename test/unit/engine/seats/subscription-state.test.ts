import { describe, expect, it } from 'vitest'
import {
  canCharge,
  grantOf,
  isActive,
  isCanceled,
  isCanceling,
  isDunningSweepable,
  isPastDue,
  isPaused,
  nextChangeOf,
  STATUSES,
  statusFrom,
  type SubscriptionState,
} from '../../../../src/engine/seats/subscription-state.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const at = (milliseconds: number) => new Date(NOW.getTime() + milliseconds)
const [BEFORE, AFTER] = [at(-1), at(1)]

const state = (changes: Partial<SubscriptionState>): SubscriptionState => ({
  status: 'active',
  paused: false,
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  graceEnd: null,
  ...changes,
})

/** What the contract says about a state, written as its table says it. */
function documented(
  { status, paused, endedAt }: SubscriptionState,
  flag: boolean,
  periodEnd: Date
): boolean {
  if (endedAt !== null || paused) return false
  if (flag && periodEnd <= NOW) return false
  return status === 'active' || status === 'trialing'
}

describe('the truth table', () => {
  const rows = STATUSES.flatMap((status) =>
    [false, true].flatMap((paused) =>
      [null, BEFORE, NOW, AFTER].flatMap((endedAt) =>
        [false, true].flatMap((flag) =>
          [BEFORE, NOW, AFTER].map((periodEnd) => ({ status, paused, endedAt, flag, periodEnd }))
        )
      )
    )
  )

  it('has eight statuses with each pause, end, cancel flag and period end [BILL-37]', () => {
    expect(rows).toHaveLength(8 * 2 * 4 * 2 * 3)
    for (const { flag, periodEnd, ...fields } of rows) {
      const row = state({ ...fields, cancelAt: flag ? periodEnd : null })
      expect(grantOf(row, NOW).granting, JSON.stringify(row)).toBe(documented(row, flag, periodEnd))
    }
  })

  it('agrees with the other predicates [BILL-37]', () => {
    for (const { flag, periodEnd, ...fields } of rows) {
      const row = state({ ...fields, cancelAt: flag ? periodEnd : null })
      const { granting } = grantOf(row, NOW)
      if (granting) expect(isActive(row) && !isPaused(row) && !isCanceled(row)).toBe(true)
      if (isCanceling(row, NOW)) expect(isActive(row) && flag && periodEnd > NOW).toBe(true)
      if (isDunningSweepable(row)) expect(isPastDue(row) && row.status === 'past_due').toBe(true)
      expect(canCharge(row)).toBe(!isCanceled(row))
    }
  })
})

describe('grantOf', () => {
  it.each([
    ['active', {}, true, 'active'],
    ['trialing', { status: 'trialing', trialEnd: AFTER }, true, 'trialing'],
    ['trialing without an end', { status: 'trialing' }, true, 'trialing'],
    ['a trial at its end', { status: 'trialing', trialEnd: NOW }, false, 'trial_ended'],
    ['canceled later', { cancelAt: AFTER }, true, 'active'],
    ['canceled at this instant', { cancelAt: NOW }, false, 'canceled'],
    ['ended', { endedAt: AFTER }, false, 'canceled'],
    ['paused beside', { paused: true }, false, 'paused'],
    ['paused', { status: 'paused' }, false, 'paused'],
    ['past due', { status: 'past_due' }, false, 'past_due'],
    ['unpaid with a grace', { status: 'unpaid', graceEnd: AFTER }, false, 'unpaid'],
    ['incomplete', { status: 'incomplete' }, false, 'incomplete'],
    ['never completed', { status: 'incomplete_expired' }, false, 'canceled'],
    ['canceled', { status: 'canceled' }, false, 'canceled'],
  ] as const)(
    'answers with a reason: %s [BILL-40 BILL-41 BILL-43]',
    (_, fields, granting, reason) => {
      expect(grantOf(state(fields), NOW)).toEqual({ granting, reason })
    }
  )

  it('grants through the last instant of a grace, and no longer [BILL-42]', () => {
    const row = state({ status: 'past_due', graceEnd: NOW })
    expect(grantOf(row, BEFORE)).toEqual({ granting: true, reason: 'granted_by_grace' })
    expect(grantOf(row, NOW)).toEqual({ granting: true, reason: 'granted_by_grace' })
    expect(grantOf(row, AFTER)).toEqual({ granting: false, reason: 'grace_expired' })
  })

  it.each(['Active', 'ACTIVE', '', 'granted', 'active ', null, undefined, 1, {}])(
    'does not grant for the status %o [BILL-39]',
    (text) => {
      expect(statusFrom(text)).toBe('incomplete')
      expect(grantOf(state({ status: statusFrom(text) }), NOW).granting).toBe(false)
    }
  )
})

describe('nextChangeOf', () => {
  const instants = [null, BEFORE, NOW, AFTER, at(1000)]

  it('is the first instant at which the decision differs [BILL-49]', () => {
    for (const status of STATUSES) {
      for (const trialEnd of instants) {
        for (const cancelAt of instants) {
          for (const graceEnd of instants) {
            const row = state({ status, trialEnd, cancelAt, graceEnd })
            const next = nextChangeOf(row, NOW)
            const { granting } = grantOf(row, NOW)
            if (!granting || next === null) {
              for (const ms of [1, 2, 999, 1000, 1001, 1e12]) {
                expect(grantOf(row, at(ms)).granting, JSON.stringify(row)).toBe(granting)
              }
              continue
            }
            expect(next > NOW).toBe(true)
            expect(grantOf(row, new Date(next.getTime() - 1)).granting).toBe(true)
            expect(grantOf(row, next).granting, JSON.stringify(row)).toBe(false)
          }
        }
      }
    }
  })
})
