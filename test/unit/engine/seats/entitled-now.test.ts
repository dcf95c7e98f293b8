import { describe, expect, it } from 'vitest'
import type { BillingRules } from '../../../../src/engine/seats/billing-rules.ts'
import { entitledNow } from '../../../../src/engine/seats/entitled-now.ts'
import type { EntitlementOverride } from '../../../../src/engine/seats/entitlement.ts'
import { finite, unlimited } from '../../../../src/engine/seats/limit.ts'
import { checkedPlans } from '../../../../src/engine/seats/plans.ts'
import type { SubscriptionRecord } from '../../../../src/engine/seats/subscription-state.ts'

const NOW = new Date('2026-03-01T00:00:00Z')
const later = (days: number) => new Date(NOW.getTime() + days * 24 * 60 * 60 * 1000)

const rules: BillingRules = {
  plans: checkedPlans('test', {
    team: { perSeat: true, prices: ['price_team'], whenOver: 'suspend_excess', overGraceDays: 3 },
    flat: { included: 5, prices: ['price_flat'] },
  }),
  baseSeats: 2,
  lapsedSeats: 1,
  unknownHours: 72,
  whenOver: 'allow_with_grace',
  overGraceDays: 14,
}
const context = { billing: rules, seatContext: { defaultLimit: finite(2), seatTypes: new Map() } }

const record = (changes: Partial<SubscriptionRecord> = {}): SubscriptionRecord => ({
  organizationId: 'acme',
  provider: 'stripe',
  customerId: 'cus_1',
  subscriptionId: 'sub_1',
  plan: 'team',
  status: 'active',
  quantity: 7,
  addOns: 0,
  currentPeriodEnd: null,
  trialEnd: null,
  cancelAt: null,
  endedAt: null,
  paused: false,
  pausedUntil: null,
  pastDueSince: null,
  graceEnd: null,
  providerTime: null,
  version: 1,
  syncedAt: NOW,
  ...changes,
})

const override = (until: Date | null): EntitlementOverride => ({
  included: 9,
  purchased: 0,
  addOns: null,
  cap: null,
  from: null,
  until,
  before: null,
  reason: 'a contract',
  actorId: 'operator',
  setAt: NOW,
})

const at = (
  subscriptions: readonly SubscriptionRecord[],
  given: EntitlementOverride | null = null,
  billing: BillingRules | null = rules
) => entitledNow({ ...context, billing }, { override: given, subscriptions }, NOW)

describe('the limit at an instant', () => {
  it('is that of the base without a subscription, and of the lapsed seats after one [BILL-24]', () => {
    expect(at([])).toMatchObject({ limit: finite(2), grant: { reason: 'none' } })
    expect(at([record({ status: 'canceled' })]).limit).toEqual(finite(1))
    expect(at([record({ status: 'unpaid' })]).limit).toEqual(finite(1))
  })

  it.each(['incomplete', 'incomplete_expired'] as const)(
    'is that of the base after a first payment that was never made: %s [BILL-24]',
    (status) => {
      expect(at([record({ status })]).limit).toEqual(finite(2))
    }
  )

  it('merges every subscription that grants [BILL-28]', () => {
    const flat = record({ subscriptionId: 'sub_2', plan: 'flat', quantity: 1 })
    expect(at([record(), flat]).limit).toEqual(finite(12))
    expect(at([record({ status: 'unpaid' }), flat]).limit).toEqual(finite(5))
  })

  it('has no seats of a subscription of no plan, or of one that is not configured any more [BILL-30]', () => {
    for (const plan of [null, 'gone']) {
      expect(at([record({ plan })]).limit).toEqual(finite(1))
    }
  })

  it('has the numbers of an override until its end, which is the next change [BILL-34]', () => {
    expect(at([record()], override(later(1)))).toMatchObject({
      limit: finite(9),
      byOverride: true,
      nextChange: later(1),
    })
    expect(at([record()], override(null))).toMatchObject({ limit: finite(9), nextChange: null })
    expect(at([record()], override(NOW))).toMatchObject({ limit: finite(7), byOverride: false })
  })

  it('changes next at the earliest end of an override or a subscription [BILL-49]', () => {
    const canceling = record({ cancelAt: later(3) })
    expect(at([canceling], override(later(5))).nextChange).toEqual(later(3))
    expect(at([canceling], override(later(2))).nextChange).toEqual(later(2))
  })

  it('has the policy of its plan, and of billing without a plan [SEAT-46]', () => {
    expect(at([record()])).toMatchObject({ policy: 'suspend_excess', overGraceDays: 3 })
    expect(at([])).toMatchObject({ policy: 'allow_with_grace', overGraceDays: 14 })
    expect(at([], null, null)).toMatchObject({ policy: 'block_change', overGraceDays: 0 })
  })

  it('does not count subscriptions without billing [BILL-20]', () => {
    const without = {
      billing: null,
      seatContext: { defaultLimit: unlimited, seatTypes: new Map() },
    }
    const inputs = { override: null, subscriptions: [record({ status: 'canceled' })] }
    expect(entitledNow(without, inputs, NOW)).toMatchObject({
      limit: unlimited,
      subscription: null,
      nextChange: null,
    })
    const canceling = { ...inputs, subscriptions: [record({ cancelAt: later(1) })] }
    expect(entitledNow(without, canceling, NOW).nextChange).toBeNull()
  })

  it('shows the subscription that grants, or the newest', () => {
    const old = record({ subscriptionId: 'old', status: 'unpaid', syncedAt: later(-9) })
    const gone = record({ subscriptionId: 'gone', status: 'canceled', syncedAt: later(-1) })
    expect(at([old, gone]).subscription?.subscriptionId).toBe('gone')
    expect(at([gone, old, record()]).subscription?.subscriptionId).toBe('sub_1')
  })
})
