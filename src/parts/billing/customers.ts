/**
 * The customers of organizations. The stored customer decides to which organization a subscription of a
 * provider belongs.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { and, eq, sql, type SQL } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import {
  billingCustomers,
  type BillingCustomerRow,
} from '../../database/schema/billing-inbox-tables.ts'
import type { BillingProvider } from './billing-provider.ts'
import type { ConnectionContext } from './connection.ts'
import { unparkEvents } from './inbox.ts'
import { ProviderError } from './provider-error.ts'

/** Builds the condition that a row is the customer of an organization at a provider. */
export function isCustomer(
  organizationId: SQL<string | null> | string,
  provider: string
): SQL | undefined {
  return and(
    eq(billingCustomers.organizationId, organizationId),
    eq(billingCustomers.provider, provider)
  )
}

/** Builds the statement that makes the quantity of an organization due where a condition holds, if it is not due sooner. */
export function makeQuantityDue(
  db: Database,
  organizationId: string,
  due: Date,
  condition?: SQL
): Statement {
  return db
    .update(billingCustomers)
    .set({
      changes: sql`${billingCustomers.changes} + 1`,
      dueAt: sql`coalesce(${billingCustomers.dueAt}, ${due.getTime()})`,
    })
    .where(and(eq(billingCustomers.organizationId, organizationId), condition))
}

/** Builds the query of an organization's customer at a provider. */
function customerQuery({ db }: DatabaseContext, provider: string, organizationId: string) {
  return rowsWhere(db, billingCustomers, isCustomer(organizationId, provider))
}

/**
 * Returns the customer of an organization, or creates it. Two calls at once make one
 * customer, here and at the provider.
 *
 * @throws {ProviderError} if the provider fails, or the customer is of another organization.
 */
export async function ensureCustomer(
  context: ConnectionContext,
  provider: BillingProvider,
  organization: { readonly id: string; readonly name: string }
): Promise<string> {
  const { db } = context
  const { existing } = await batch(db, {
    existing: customerQuery(context, provider.name, organization.id),
  })
  if (existing[0]) return existing[0].customerId
  const customerId = await provider.createCustomer(
    { organizationId: organization.id, name: organization.name },
    // The name belongs to the key: another name under the same key would be refused.
    { idempotencyKey: await callKey(['customer', organization.id, organization.name]) }
  )
  return (await putCustomer(context, provider.name, organization.id, customerId)).customerId
}

/** Returns the key of a call: its parts by their digest, so that other arguments have another key. */
export async function callKey(parts: readonly (string | number | null)[]): Promise<string> {
  const bytes = new Uint8Array(new TextEncoder().encode(JSON.stringify(parts)))
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
  const hex = Array.from(digest.slice(0, 16), (byte) => byte.toString(16).padStart(2, '0'))
  return `seatgate-${parts[0] ?? ''}-${hex.join('')}`
}

/**
 * Records the customer of an organization. The first one stays; a customer of another organization is
 * refused. Events that wait for this customer are due.
 *
 * @throws {ProviderError} `customer_taken` if the customer is of another organization.
 *
 * @example
 * ```ts
 * await putCustomer({ ...seatgate, connection }, 'stripe', organizationId, 'cus_1')
 * ```
 */
export function putCustomer(
  context: ConnectionContext,
  provider: string,
  organizationId: string,
  customerId: string
): Promise<BillingCustomerRow> {
  return observed(context, 'organization.billing.put_customer', async (context) => {
    const { db, now } = context
    const { row } = await batch(db, {
      put: db
        .insert(billingCustomers)
        .values({ provider, organizationId, customerId, checkedAt: now(), createdAt: now() })
        .onConflictDoNothing(),
      due: unparkEvents(db, { provider, customerId }, now()),
      row: customerQuery(context, provider, organizationId),
    })
    const [customer] = row
    if (customer) return customer
    context.report({ event: 'billing_customer_taken', organizationId, error: customerId })
    throw new ProviderError('permanent', 'customer_taken')
  })
}
