/**
 * Keys, indexes, checks and foreign keys of the tables of billing. Statements do not use
 * them, so they stand apart from the columns.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, foreignKey, index, primaryKey, uniqueIndex } from 'drizzle-orm/sqlite-core'
import * as tables from '../tables.ts'
import { constrained } from './constrained.ts'

export const entitlementOverrides = /* @__PURE__ */ constrained(
  tables.entitlementOverrides,
  (table) => [
    foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
    check('seatgate_entitlement_overrides_included', sql`included >= -2`),
    check('seatgate_entitlement_overrides_purchased', sql`purchased >= 0`),
    check('seatgate_entitlement_overrides_add_ons', sql`add_ons >= 0`),
    check('seatgate_entitlement_overrides_cap', sql`cap >= -1`),
    check('seatgate_entitlement_overrides_before', sql`json_valid(before)`),
  ]
)

export const subscriptions = /* @__PURE__ */ constrained(tables.subscriptions, (table) => [
  primaryKey({ columns: [table.provider, table.subscriptionId] }),
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
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
])

export const entitlementStates = /* @__PURE__ */ constrained(tables.entitlementStates, (table) => [
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
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
])

export const billingCustomers = /* @__PURE__ */ constrained(tables.billingCustomers, (table) => [
  primaryKey({ columns: [table.organizationId, table.provider] }),
  foreignKey({ columns: [table.organizationId], foreignColumns: [tables.organizations.id] }),
  uniqueIndex('seatgate_billing_customers_customer').on(table.provider, table.customerId),
  index('seatgate_billing_customers_checked').on(table.checkedAt),
  index('seatgate_billing_customers_due')
    .on(table.dueAt)
    .where(sql`due_at IS NOT NULL`),
  check('seatgate_billing_customers_provider', sql`length(provider) > 0`),
  check('seatgate_billing_customers_customer_id', sql`length(customer_id) > 0`),
  check('seatgate_billing_customers_changes', sql`changes >= 0`),
  check('seatgate_billing_customers_seats', sql`seats > 0`),
  check(
    'seatgate_billing_customers_proration',
    sql`proration IN ('create', 'none', 'always_invoice')`
  ),
  check('seatgate_billing_customers_attempts', sql`attempts >= 0`),
])

export const billingInbox = /* @__PURE__ */ constrained(tables.billingInbox, (table) => [
  primaryKey({ columns: [table.provider, table.account, table.mode, table.eventId] }),
  index('seatgate_billing_inbox_due')
    .on(table.dueAt)
    .where(sql`due_at IS NOT NULL`),
  index('seatgate_billing_inbox_subject')
    .on(table.subscriptionId, table.provider)
    .where(sql`due_at IS NOT NULL`),
  index('seatgate_billing_inbox_finished')
    .on(table.status, table.finishedAt)
    .where(sql`finished_at IS NOT NULL`),
  check('seatgate_billing_inbox_provider', sql`length(provider) > 0`),
  check('seatgate_billing_inbox_mode', sql`mode IN ('live', 'test')`),
  check('seatgate_billing_inbox_event', sql`length(event_id) > 0`),
  check(
    'seatgate_billing_inbox_status',
    sql`status IN ('received', 'parked', 'failed', 'succeeded', 'dead')`
  ),
  check('seatgate_billing_inbox_attempts', sql`attempts >= 0`),
  check('seatgate_billing_inbox_due_at', sql`(due_at IS NULL) = (status IN ('succeeded', 'dead'))`),
  check('seatgate_billing_inbox_finished_at', sql`(finished_at IS NULL) = (due_at IS NOT NULL)`),
])

export const billingHandlers = /* @__PURE__ */ constrained(tables.billingHandlers, (table) => [
  primaryKey({
    columns: [table.provider, table.account, table.mode, table.eventId, table.handler],
  }),
  index('seatgate_billing_handlers_due')
    .on(table.dueAt)
    .where(sql`due_at IS NOT NULL`),
  index('seatgate_billing_handlers_finished')
    .on(table.finishedAt)
    .where(sql`finished_at IS NOT NULL`),
  check('seatgate_billing_handlers_provider', sql`length(provider) > 0`),
  check('seatgate_billing_handlers_mode', sql`mode IN ('live', 'test')`),
  check('seatgate_billing_handlers_event', sql`length(event_id) > 0`),
  check('seatgate_billing_handlers_handler', sql`length(handler) > 0`),
  check('seatgate_billing_handlers_attempts', sql`attempts >= 0`),
  check('seatgate_billing_handlers_finished_at', sql`(finished_at IS NULL) = (due_at IS NOT NULL)`),
])

export const billingUsers = /* @__PURE__ */ constrained(tables.billingUsers, (table) => [
  primaryKey({ columns: [table.userId, table.provider] }),
  uniqueIndex('seatgate_billing_users_customer').on(table.provider, table.customerId),
  index('seatgate_billing_users_due')
    .on(table.dueAt)
    .where(sql`due_at IS NOT NULL`),
  check('seatgate_billing_users_provider', sql`length(provider) > 0`),
  check('seatgate_billing_users_user_id', sql`length(user_id) > 0`),
  check('seatgate_billing_users_customer_id', sql`length(customer_id) > 0`),
  check('seatgate_billing_users_attempts', sql`attempts >= 0`),
])
