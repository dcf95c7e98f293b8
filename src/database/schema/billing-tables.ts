/**
 * Billing: overrides, subscriptions, and the state of computed limits.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { flag, instant, ownTable } from './own-table.ts'

/**
 * Numbers that an operator sets in place of those of the subscriptions. -1 is unlimited, -2 is unknown,
 * null leaves the number as it is. Until `startsAt` those in `before` apply, a JSON of the same columns.
 */
export const entitlementOverrides = /* @__PURE__ */ ownTable(
  'seatgate_entitlement_overrides',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    included: integer('included'),
    purchased: integer('purchased'),
    addOns: integer('add_ons'),
    cap: integer('cap'),
    endsAt: instant('ends_at'),
    reason: text('reason'),
    actorId: text('actor_id'),
    setAt: instant('set_at').notNull(),
    startsAt: instant('starts_at'),
    before: text('before'),
  })
)

/** Subscriptions at a provider. A quantity that is not a whole number is null. */
export const subscriptions = /* @__PURE__ */ ownTable(
  'seatgate_subscriptions',
  ['provider subscription_id'],
  () => ({
    provider: text('provider').notNull(),
    subscriptionId: text('subscription_id').notNull(),
    organizationId: text('organization_id').notNull(),
    customerId: text('customer_id'),
    plan: text('plan'),
    status: text('status', {
      enum: [
        'trialing',
        'active',
        'past_due',
        'unpaid',
        'canceled',
        'incomplete',
        'incomplete_expired',
        'paused',
      ],
    }).notNull(),
    quantity: integer('quantity'),
    addOns: integer('add_ons'),
    currentPeriodEnd: instant('current_period_end'),
    trialEnd: instant('trial_end'),
    cancelAt: instant('cancel_at'),
    endedAt: instant('ended_at'),
    paused: flag('paused').notNull().default(false),
    pausedUntil: instant('paused_until'),
    pastDueSince: instant('past_due_since'),
    graceEnd: instant('grace_end'),
    providerTime: instant('provider_time'),
    version: integer('version').notNull(),
    syncedAt: instant('synced_at').notNull(),
  })
)

/**
 * One row for each organization whose limit is computed. Every change of its inputs raises the revision.
 * At `dueAt` the clock makes something due.
 */
export const entitlementStates = /* @__PURE__ */ ownTable(
  'seatgate_entitlement_states',
  ['organization_id'],
  () => ({
    organizationId: text('organization_id').primaryKey(),
    revision: integer('revision').notNull(),
    unknownSince: instant('unknown_since'),
    overSince: instant('over_since'),
    overGraceEnd: instant('over_grace_end'),
    notice: text('notice', { enum: ['none', 'near', 'full', 'over', 'grace_ending'] })
      .notNull()
      .default('none'),
    dueAt: instant('due_at'),
  })
)

export type SubscriptionRow = typeof subscriptions.$inferSelect
export type OverrideRow = typeof entitlementOverrides.$inferSelect
export type EntitlementStateRow = typeof entitlementStates.$inferSelect
