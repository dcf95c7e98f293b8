/**
 * Billing: overrides, subscriptions, and the state of computed limits.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import {
  check,
  foreignKey,
  index,
  integer,
  primaryKey,
  sqliteTable,
  text,
} from 'drizzle-orm/sqlite-core'
import { flag, instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/**
 * Numbers that an operator sets in place of those of the subscriptions. -1 is unlimited, -2 is unknown,
 * null leaves the number as it is. Until `startsAt` those in `before` apply, a JSON of the same columns.
 */
export const entitlementOverrides = sqliteTable(
  'seatgate_entitlement_overrides',
  {
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
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    check('seatgate_entitlement_overrides_included', sql`included >= -2`),
    check('seatgate_entitlement_overrides_purchased', sql`purchased >= 0`),
    check('seatgate_entitlement_overrides_add_ons', sql`add_ons >= 0`),
    check('seatgate_entitlement_overrides_cap', sql`cap >= -1`),
    check('seatgate_entitlement_overrides_before', sql`json_valid(before)`),
  ]
)

/** Subscriptions at a provider. A quantity that is not a whole number is null. */
export const subscriptions = sqliteTable(
  'seatgate_subscriptions',
  {
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
  },
  (table) => [
    primaryKey({ columns: [table.provider, table.subscriptionId] }),
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    index('seatgate_subscriptions_organization').on(table.organizationId),
    check('seatgate_subscriptions_provider', sql`length(provider) > 0`),
    check('seatgate_subscriptions_subscription_id', sql`length(subscription_id) > 0`),
    check(
      'seatgate_subscriptions_status',
      sql`status IN ('trialing', 'active', 'past_due', 'unpaid', 'canceled', 'incomplete', 'incomplete_expired', 'paused')`
    ),
    check('seatgate_subscriptions_quantity', sql`quantity >= 0`),
    check('seatgate_subscriptions_add_ons', sql`add_ons >= 0`),
    check('seatgate_subscriptions_paused', sql`paused IN (0, 1)`),
    check('seatgate_subscriptions_version', sql`version > 0`),
    check(
      'seatgate_subscriptions_status_2',
      sql`(status IN ('past_due', 'unpaid')) = (past_due_since IS NOT NULL)`
    ),
    check('seatgate_subscriptions_grace_end', sql`grace_end IS NULL OR past_due_since IS NOT NULL`),
  ]
)

/**
 * One row for each organization whose limit is computed. Every change of its inputs raises the revision.
 * At `dueAt` the clock makes something due.
 */
export const entitlementStates = sqliteTable(
  'seatgate_entitlement_states',
  {
    organizationId: text('organization_id').primaryKey(),
    revision: integer('revision').notNull(),
    unknownSince: instant('unknown_since'),
    overSince: instant('over_since'),
    overGraceEnd: instant('over_grace_end'),
    notice: text('notice', { enum: ['none', 'near', 'full', 'over', 'grace_ending'] })
      .notNull()
      .default('none'),
    dueAt: instant('due_at'),
  },
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
    index('seatgate_entitlement_states_due')
      .on(table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    check('seatgate_entitlement_states_revision', sql`revision > 0`),
    check(
      'seatgate_entitlement_states_notice',
      sql`notice IN ('none', 'near', 'full', 'over', 'grace_ending')`
    ),
    check(
      'seatgate_entitlement_states_over_grace_end',
      sql`over_grace_end IS NULL OR over_since IS NOT NULL`
    ),
  ]
)

export type SubscriptionRow = typeof subscriptions.$inferSelect
export type OverrideRow = typeof entitlementOverrides.$inferSelect
export type EntitlementStateRow = typeof entitlementStates.$inferSelect
