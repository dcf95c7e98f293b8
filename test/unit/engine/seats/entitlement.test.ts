import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  entitledLimit,
  isAhead,
  mergeEntitled,
  NO_SEATS,
  overridden,
  overrideAt,
  type EntitledSeats,
} from '../../../../src/engine/seats/entitlement.ts'
import { finite, unknown, unlimited } from '../../../../src/engine/seats/limit.ts'
import {
  checkedPlans,
  entitledBy,
  mapItems,
  projectSubscription,
} from '../../../../src/engine/seats/plans.ts'
import type {
  ProviderSubscription,
  SubscriptionRecord,
} from '../../../../src/engine/seats/subscription-state.ts'

const DAY = 24 * 60 * 60 * 1000
const NOW = new Date('2026-03-01T00:00:00Z')
const later = (days: number) => new Date(NOW.getTime() + days * DAY)

const count = fc.nat({ max: 1000 })
const anySeats: fc.Arbitrary<EntitledSeats> = fc.record({
  included: fc.oneof(count, fc.constant('unlimited' as const)),
  purchased: count,
  addOns: count,
  cap: fc.option(count),
})

describe('entitledLimit', () => {
  it.each([
    ['a flat plan', { included: 5 }, finite(5)],
    ['seats that were bought', { purchased: 3 }, finite(3)],
    ['both with an add-on', { included: 5, purchased: 3, addOns: 2 }, finite(10)],
    ['a cap below the sum', { included: 5, purchased: 3, cap: 6 }, finite(6)],
    ['a cap above the sum', { included: 5, cap: 6 }, finite(5)],
    ['a cap of 0', { included: 5, cap: 0 }, finite(0)],
    ['no limit', { included: 'unlimited' as const }, unlimited],
    ['no limit with a cap', { included: 'unlimited' as const, cap: 4 }, finite(4)],
    ['no seat', {}, finite(0)],
  ])(
    'computes min(cap, included + purchased + add-ons) for %s [BILL-26 BILL-27]',
    (_, seats, limit) => {
      expect(entitledLimit({ ...NO_SEATS, ...seats })).toEqual(limit)
    }
  )

  it.each([
    ['negative', { included: -1 }],
    ['fractional', { purchased: 1.5 }],
    ['NaN', { addOns: NaN }],
    ['infinite', { purchased: Infinity }],
    ['a fractional cap', { cap: 0.5 }],
    ['a cap that is NaN', { included: 'unlimited' as const, cap: NaN }],
    ['too large together', { included: Number.MAX_SAFE_INTEGER, purchased: 1 }],
  ])('is unknown if a number is %s [BILL-23]', (_, seats) => {
    expect(entitledLimit({ ...NO_SEATS, ...seats })).toEqual(unknown)
  })

  it('is never above the cap, and is the sum without one [BILL-26]', () => {
    fc.assert(
      fc.property(anySeats, (seats) => {
        const limit = entitledLimit(seats)
        const { included, purchased, addOns, cap } = seats
        const sum = included === 'unlimited' ? Infinity : included + purchased + addOns
        const size = limit.kind === 'finite' ? limit.seats : Infinity
        expect(size).toBe(Math.min(cap ?? Infinity, sum))
      })
    )
  })
})

describe('mergeEntitled', () => {
  it('gives the same result in every order and grouping [BILL-28]', () => {
    fc.assert(
      fc.property(fc.array(anySeats, { minLength: 1, maxLength: 6 }), fc.nat(), (all, at) => {
        const whole = mergeEntitled(all)
        expect(mergeEntitled(all.toReversed())).toEqual(whole)
        const cut = at % all.length
        const [left, right] = [all.slice(0, cut), all.slice(cut)]
        const grouped = left.length === 0 ? right : [mergeEntitled(left), mergeEntitled(right)]
        expect(mergeEntitled(grouped)).toEqual(whole)
      })
    )
  })

  it('adds purchased seats and add-ons, and takes the largest included number and cap [BILL-28]', () => {
    const team = { included: 3, purchased: 4, addOns: 0, cap: 10 }
    const extra = { included: 1, purchased: 2, addOns: 5, cap: 20 }
    expect(mergeEntitled([team, extra])).toEqual({
      included: 3,
      purchased: 6,
      addOns: 5,
      cap: 20,
    })
    expect(mergeEntitled([team, { ...extra, cap: null }]).cap).toBeNull()
    expect(mergeEntitled([])).toEqual(NO_SEATS)
  })
})

describe('an override', () => {
  const set = { included: null, purchased: null, addOns: null, cap: null }

  it('replaces only the numbers that it names [BILL-34]', () => {
    const seats = { included: 5, purchased: 3, addOns: 1, cap: 6 }
    expect(overridden(seats, set)).toEqual(seats)
    expect(overridden(seats, { ...set, included: 0 })).toEqual({ ...seats, included: 0 })
    expect(overridden(seats, { ...set, cap: 'unlimited' })).toEqual({ ...seats, cap: null })
    expect(overridden(seats, { ...set, purchased: 0, cap: 0 })).toEqual({
      ...seats,
      purchased: 0,
      cap: 0,
    })
  })

  const by = { reason: null, actorId: null, setAt: NOW, before: null }
  const always = { ...set, ...by, from: null, until: null }
  const justBefore = (instant: Date) => new Date(instant.getTime() - 1)

  it('ends at its instant [BILL-34]', () => {
    const ending = { ...always, until: NOW }
    expect(overrideAt(ending, justBefore(NOW))).toBe(ending)
    expect(overrideAt(ending, NOW)).toBeNull()
    expect(overrideAt(always, later(9999))).toBe(always)
    expect(overrideAt(null, NOW)).toBeNull()
  })

  it('begins at its instant; until then the earlier one applies, up to its own end [BILL-34]', () => {
    const before = { ...always, until: later(2) }
    const next = { ...always, from: later(5), until: later(9), before }
    expect(overrideAt(next, NOW)).toBe(before)
    expect(overrideAt(next, later(2))).toBeNull()
    expect(overrideAt(next, justBefore(later(5)))).toBeNull()
    expect(overrideAt(next, later(5))).toBe(next)
    expect(overrideAt(next, later(9))).toBeNull()
    expect(overrideAt({ ...next, before: null }, NOW)).toBeNull()
    expect([NOW, justBefore(later(5)), later(5)].map((at) => isAhead(next, at))).toEqual([
      true,
      true,
      false,
    ])
  })
})

const PLANS = checkedPlans('billing', {
  free: { included: 3, prices: ['price_free'] },
  team: {
    perSeat: true,
    prices: ['price_month', 'price_year'],
    addOns: { price_ten: 10 },
    cap: 50,
    trialCap: 4,
    graceDays: 7,
    features: ['sso', 'audit', 'sso'],
  },
  flat: { included: 5, prices: ['price_flat'] },
})

const state = (changes: Partial<ProviderSubscription> = {}): ProviderSubscription => ({
  provider: 'stripe',
  customerId: 'cus_1',
  subscriptionId: 'sub_1',
  status: 'active',
  items: [{ priceId: 'price_month', quantity: 8 }],
  currentPeriodEnd: later(30),
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  paused: false,
  pausedUntil: null,
  providerTime: NOW,
  ...changes,
})

const project = (
  next: ProviderSubscription,
  existing: SubscriptionRecord | null = null,
  now = NOW
) => projectSubscription(PLANS, next, existing, { organizationId: 'acme', now })

const recordOf = (changes: Partial<ProviderSubscription> = {}) => project(state(changes))!.record

describe('plans', () => {
  it.each([
    ['in two plans', { a: { prices: ['p'] }, b: { prices: ['p'] } }],
    ['twice in one plan', { a: { prices: ['p', 'p'] } }],
    [
      'the plan of one and the add-on of another',
      { a: { prices: ['p'] }, b: { addOns: { p: 1 } } },
    ],
    ['an add-on of two plans', { a: { addOns: { p: 1 } }, b: { addOns: { p: 1 } } }],
    ['the plan and an add-on of one', { a: { prices: ['p'], addOns: { p: 1 } } }],
  ])('refuse to start with a price that is %s [BILL-29]', (_, plans) => {
    expect(() => checkedPlans('billing', plans)).toThrow(/billing: the price "p" is in/)
  })

  it.each([
    ['included', { included: -1 }],
    ['included', { included: 1.5 }],
    ['included', { included: '3' as never }],
    ['cap', { cap: NaN }],
    ['trialCap', { trialCap: Infinity }],
    ['graceDays', { graceDays: 0.5 }],
    ['overGraceDays', { overGraceDays: -1 }],
    ['addOns.p', { addOns: { p: -1 } }],
    ['perSeat', { perSeat: 'yes' as never }],
    ['prices', { prices: 'p' as never }],
    ['whenOver', { whenOver: 'delete' as never }],
    ['seats', { seats: 3 } as never],
  ])('refuse to start with a wrong %s [BILL-21]', (name, plan) => {
    expect(() => checkedPlans('billing', { team: plan })).toThrow(
      new RegExp(`billing: team.*${name}`)
    )
  })

  it('have their features sorted and without duplicates [BILL-33]', () => {
    expect(PLANS.get('team')?.features).toEqual(['audit', 'sso'])
  })

  it('map items in any order, and report prices of no plan [BILL-30]', () => {
    const items = [
      { priceId: 'price_ten', quantity: 2 },
      { priceId: 'price_unknown', quantity: 9 },
      { priceId: 'price_year', quantity: 3 },
    ]
    const mapped = { plan: 'team', quantity: 3, addOns: 20, unmapped: ['price_unknown'] }
    expect(mapItems(PLANS, items)).toEqual(mapped)
    expect(mapItems(PLANS, items.toReversed())).toEqual(mapped)
    expect(mapItems(PLANS, [{ priceId: 'price_unknown', quantity: 9 }])).toEqual({
      plan: null,
      quantity: 0,
      addOns: 0,
      unmapped: ['price_unknown'],
    })
  })

  it('count a quantity as seats only if the plan is per seat [BILL-26]', () => {
    const flat = recordOf({ items: [{ priceId: 'price_flat', quantity: 1 }] })
    expect(entitledLimit(entitledBy(PLANS, flat, NOW))).toEqual(finite(5))
    expect(entitledLimit(entitledBy(PLANS, recordOf(), NOW))).toEqual(finite(8))
  })

  it('grant no seat for a price of no plan [BILL-30]', () => {
    const strange = recordOf({ items: [{ priceId: 'price_unknown', quantity: 9 }] })
    expect(entitledBy(PLANS, strange, NOW)).toEqual(NO_SEATS)
  })

  it('cap a trial, and the plan after it [BILL-40]', () => {
    const trial = recordOf({ status: 'trialing', trialEnd: later(14) })
    expect(entitledLimit(entitledBy(PLANS, trial, NOW))).toEqual(finite(4))
    expect(entitledBy(PLANS, trial, later(14))).toEqual(NO_SEATS)
    const paid = project(state({ providerTime: later(14) }), trial, later(14))!.record
    expect(entitledLimit(entitledBy(PLANS, paid, later(14)))).toEqual(finite(8))
  })
})

describe('projectSubscription', () => {
  it('drops items that the provider’s object no longer has [BILL-31]', () => {
    const both = recordOf({
      items: [
        { priceId: 'price_month', quantity: 8 },
        { priceId: 'price_ten', quantity: 1 },
      ],
    })
    expect(entitledLimit(entitledBy(PLANS, both, NOW))).toEqual(finite(18))
    const without = project(state(), both)!.record
    expect(entitledLimit(entitledBy(PLANS, without, NOW))).toEqual(finite(8))
  })

  it('skips an older state, and applies one with the same time or without a time [BILL-70 MUSEUM-40]', () => {
    const record = recordOf({ providerTime: later(1) })
    expect(project(state({ providerTime: NOW }), record)).toBeNull()
    expect(project(state({ providerTime: later(1) }), record)?.record.version).toBe(2)
    const timeless = project(state({ providerTime: null }), record)?.record
    expect(timeless?.providerTime).toEqual(later(1))
  })

  it('keeps the recorded organization if another one is requested [BILL-77]', () => {
    const record = recordOf()
    const asked = { organizationId: 'another', now: NOW }
    expect(projectSubscription(PLANS, state(), record, asked)?.record.organizationId).toBe('acme')
  })

  it('sets the grace once, clears it on recovery and sets it again on a relapse [BILL-44]', () => {
    const at = (status: string, days: number, before: SubscriptionRecord | null) =>
      project(state({ status, providerTime: later(days) }), before, later(days))!.record
    const first = at('past_due', 1, at('active', 0, null))
    expect(first).toMatchObject({ pastDueSince: later(1), graceEnd: later(8) })
    const again = at('past_due', 5, first)
    expect(again).toMatchObject({ pastDueSince: later(1), graceEnd: later(8) })
    expect(at('unpaid', 6, again)).toMatchObject({ pastDueSince: later(1) })
    const recovered = at('active', 6, again)
    expect(recovered).toMatchObject({ pastDueSince: null, graceEnd: null })
    expect(at('past_due', 9, recovered)).toMatchObject({
      pastDueSince: later(9),
      graceEnd: later(16),
    })
  })

  it('begins a grace by the provider’s time, never later than now [BILL-49]', () => {
    const late = project(state({ status: 'past_due', providerTime: NOW }), null, later(2))!.record
    expect(late.pastDueSince).toEqual(NOW)
    const ahead = project(state({ status: 'past_due', providerTime: later(2) }), null, NOW)!.record
    expect(ahead.pastDueSince).toEqual(NOW)
  })
})
