/**
 * The seam to billing providers: customers and received webhooks.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/**
 * The customer of an organization at a provider, with the number of seats that was last asked for until
 * the provider has it.
 */
export const billingCustomers = /* @__PURE__ */ ownTable(
  'seatgate_billing_customers',
  ['organization_id provider', 'provider customer_id'],
  () => ({
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
  })
)

export type BillingCustomerRow = typeof billingCustomers.$inferSelect

/** Received webhooks: identifiers and times, no bodies. A row with a due time is work. */
export const billingInbox = /* @__PURE__ */ ownTable(
  'seatgate_billing_inbox',
  ['provider account mode event_id'],
  () => ({
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
  })
)

export type BillingInboxRow = typeof billingInbox.$inferSelect

/** The calls of the host's handlers, one row for each event and handler. A row with a due time is work. */
export const billingHandlers = /* @__PURE__ */ ownTable(
  'seatgate_billing_handlers',
  ['provider account mode event_id handler'],
  () => ({
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
  })
)

export type BillingHandlerRow = typeof billingHandlers.$inferSelect

/** The customers of users, whose subscriptions are canceled with them. A row with a due time is work. */
export const billingUsers = /* @__PURE__ */ ownTable(
  'seatgate_billing_users',
  ['user_id provider', 'provider customer_id'],
  () => ({
    provider: text('provider').notNull(),
    userId: text('user_id').notNull(),
    customerId: text('customer_id').notNull(),
    dueAt: instant('due_at'),
    attempts: integer('attempts').notNull().default(0),
    lastError: text('last_error'),
    requestedAt: instant('requested_at'),
    finishedAt: instant('finished_at'),
    createdAt: instant('created_at').notNull(),
  })
)

export type BillingUserRow = typeof billingUsers.$inferSelect
