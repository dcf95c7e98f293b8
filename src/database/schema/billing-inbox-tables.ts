/**
 * The seam to billing providers: customers and received webhooks.
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
  uniqueIndex,
} from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'
import { organizations } from './organizations-tables.ts'

/**
 * The customer of an organization at a provider, with the number of seats that was last asked for until
 * the provider has it.
 */
export const billingCustomers = sqliteTable(
  'seatgate_billing_customers',
  {
    provider: text('provider').notNull(),
    organizationId: text('organization_id').notNull(),
    customerId: text('customer_id').notNull(),
    /** Grows with each change of what the provider is to have. */
    changes: integer('changes').notNull().default(0),
    seats: integer('seats'),
    proration: text('proration', { enum: ['create', 'none', 'always_invoice'] }),
    dueAt: instant('due_at'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    /** When its subscriptions were last compared with the provider. */
    checkedAt: instant('checked_at').notNull(),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.organizationId, table.provider] }),
    foreignKey({ columns: [table.organizationId], foreignColumns: [organizations.id] }),
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
  ]
)

export type BillingCustomerRow = typeof billingCustomers.$inferSelect

/** Received webhooks: identifiers and times, no bodies. A row with a due time is work. */
export const billingInbox = sqliteTable(
  'seatgate_billing_inbox',
  {
    provider: text('provider').notNull(),
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    eventId: text('event_id').notNull(),
    type: text('type').notNull(),
    subscriptionId: text('subscription_id'),
    customerId: text('customer_id'),
    providerTime: instant('provider_time'),
    status: text('status', {
      enum: ['received', 'parked', 'failed', 'succeeded', 'dead'],
    }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    dueAt: instant('due_at'),
    lastError: text('last_error'),
    receivedAt: instant('received_at').notNull(),
    finishedAt: instant('finished_at'),
  },
  (table) => [
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
    check(
      'seatgate_billing_inbox_due_at',
      sql`(due_at IS NULL) = (status IN ('succeeded', 'dead'))`
    ),
    check('seatgate_billing_inbox_finished_at', sql`(finished_at IS NULL) = (due_at IS NOT NULL)`),
  ]
)

export type BillingInboxRow = typeof billingInbox.$inferSelect

/** The calls of the host's handlers, one row for each event and handler. A row with a due time is work. */
export const billingHandlers = sqliteTable(
  'seatgate_billing_handlers',
  {
    provider: text('provider').notNull(),
    account: text('account').notNull(),
    mode: text('mode', { enum: ['live', 'test'] }).notNull(),
    eventId: text('event_id').notNull(),
    handler: text('handler').notNull(),
    organizationId: text('organization_id'),
    attempts: integer('attempts').notNull().default(0),
    dueAt: instant('due_at'),
    lastError: text('last_error'),
    finishedAt: instant('finished_at'),
  },
  (table) => [
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
    check(
      'seatgate_billing_handlers_finished_at',
      sql`(finished_at IS NULL) = (due_at IS NOT NULL)`
    ),
  ]
)

export type BillingHandlerRow = typeof billingHandlers.$inferSelect

/** The customers of users, whose subscriptions are canceled with them. A row with a due time is work. */
export const billingUsers = sqliteTable(
  'seatgate_billing_users',
  {
    provider: text('provider').notNull(),
    userId: text('user_id').notNull(),
    customerId: text('customer_id').notNull(),
    dueAt: instant('due_at'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    requestedAt: instant('requested_at'),
    finishedAt: instant('finished_at'),
    createdAt: instant('created_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.userId, table.provider] }),
    uniqueIndex('seatgate_billing_users_customer').on(table.provider, table.customerId),
    index('seatgate_billing_users_due')
      .on(table.dueAt)
      .where(sql`due_at IS NOT NULL`),
    check('seatgate_billing_users_provider', sql`length(provider) > 0`),
    check('seatgate_billing_users_user_id', sql`length(user_id) > 0`),
    check('seatgate_billing_users_customer_id', sql`length(customer_id) > 0`),
    check('seatgate_billing_users_attempts', sql`attempts >= 0`),
  ]
)

export type BillingUserRow = typeof billingUsers.$inferSelect
