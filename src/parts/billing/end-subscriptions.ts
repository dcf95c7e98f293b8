/**
 * Ends subscriptions that may not go on: those of deleted organizations, and a second one of an
 * organization.
 *
 * @module
 */
import { and, asc, eq, isNull, lte, sql, type SQL } from 'drizzle-orm'
import { backoffSeconds } from '../../base/async.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { billingEvent } from '../../engine/audit/part-actions.ts'
import { canCharge, statusFrom } from '../../engine/seats/subscription-state.ts'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  billingCustomers,
  type BillingCustomerRow,
} from '../../database/schema/billing-inbox-tables.ts'
import { subscriptions } from '../../database/schema/billing-tables.ts'
import { perform } from '../../engine/changes/operation.ts'
import { ok } from '../../base/result.ts'
import type { BillingProvider, RemoteSubscription } from './billing-provider.ts'
import type { ConnectionContext } from './connection.ts'
import { isCustomer } from './customers.ts'
import { recordOwnerEnd } from './owner-end.ts'
import { codeOf } from './provider-error.ts'

const LEASE_SECONDS = 60

/**
 * Cancels a subscription of a deleted organization at once and records its real outcome: the end that the
 * provider answers.
 *
 * @throws {ProviderError} if the provider does not cancel it, or its end could not be recorded.
 */
export async function endDeletedSubscription(
  context: ConnectionContext,
  provider: BillingProvider,
  organizationId: string,
  { subscriptionId, status, endedAt, customerId }: RemoteSubscription
): Promise<void> {
  const { db, now, report } = context
  const about = {
    owner: { type: 'organization', id: organizationId },
    provider: provider.name,
    subscriptionId,
  } as const
  const ended = canCharge({ status: statusFrom(status), endedAt })
    ? await provider.cancel(
        { subscriptionId, atPeriodEnd: false },
        { idempotencyKey: `seatgate-end-${subscriptionId}` }
      )
    : null
  const at = now()
  const end = {
    status: 'canceled' as const,
    endedAt: ended?.endedAt ?? endedAt ?? at,
    pastDueSince: null,
    graceEnd: null,
    syncedAt: at,
  }
  const write = db
    .insert(subscriptions)
    .values({
      provider: provider.name,
      subscriptionId,
      organizationId,
      customerId,
      paused: false,
      version: 1,
      ...end,
    })
    .onConflictDoUpdate({
      target: [subscriptions.provider, subscriptions.subscriptionId],
      set: { ...end, version: sql`${subscriptions.version} + 1` },
    })
  // One that the record still has may have been canceled by a run that could not record it.
  const isNews = ended !== null || (await isOpen(context, about))
  if (!isNews) {
    await batch(db, { write })
    return
  }
  // The end and its entry in the trail, or neither.
  await recordOwnerEnd(context, about, [write])
  report({ event: 'billing_ended_with_organization', organizationId, error: subscriptionId })
}

async function isOpen(
  { db }: ConnectionContext,
  { provider, subscriptionId }: { readonly provider: string; readonly subscriptionId: string }
): Promise<boolean> {
  const { known } = await batch(db, {
    known: rowsWhere(
      db,
      subscriptions,
      and(eq(subscriptions.provider, provider), eq(subscriptions.subscriptionId, subscriptionId))
    ),
  })
  return known.some(canCharge)
}

/**
 * Cancels a subscription if its organization has another one with this provider that was recorded before
 * and can still charge. Two clicks or two tabs make two; only one of them is ever used.
 */
export async function endSecondSubscription(
  context: ConnectionContext,
  provider: BillingProvider,
  organizationId: string,
  subscription: RemoteSubscription
): Promise<boolean> {
  const { db, report } = context
  const { subscriptionId, status, endedAt } = subscription
  if (!canCharge({ status: statusFrom(status), endedAt })) return false
  const { own } = await batch(db, {
    own: rowsWhere(
      db,
      subscriptions,
      and(
        eq(subscriptions.organizationId, organizationId),
        eq(subscriptions.provider, provider.name)
      )
    ),
  })
  if (own.some((one) => one.subscriptionId === subscriptionId)) return false
  const other = own.find(canCharge)
  if (other === undefined) return false
  await provider.cancel(
    { subscriptionId, atPeriodEnd: false },
    { idempotencyKey: `seatgate-second-${subscriptionId}` }
  )
  report({ event: 'billing_second_subscription', organizationId, error: subscriptionId })
  const metadata = {
    provider: provider.name,
    subscription_id: subscriptionId,
    kept_subscription_id: other.subscriptionId,
  }
  await perform(
    context,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'organization.billing.second_subscription_end',
      input: null,
      grows: false,
      queries: {},
      plan: () =>
        ok({
          value: null,
          statements: [guardLive(context, organizationId)],
          events: [
            billingEvent(organizationId, 'organization.billing.second_subscription_end', metadata),
          ],
        }),
    }
  )
  return true
}

/**
 * Ends the subscriptions of deleted organizations that can still charge, so that a deletion never leaves
 * one behind: the deletion makes its customers due. A failure is reported, and a later run tries again.
 */
export async function sweepDeletedOrganizations(
  context: ConnectionContext,
  most: number
): Promise<void> {
  const { db, now } = context
  const { due } = await batch(db, {
    due: db
      .select()
      .from(billingCustomers)
      .where(and(lte(billingCustomers.dueAt, now()), isOfDeleted()))
      .orderBy(asc(billingCustomers.dueAt))
      .limit(most),
  })
  for (const customer of due) await endCustomer(context, customer)
}

/** Builds the condition on customers that their organization is deleted. */
export function isOfDeleted(): SQL {
  return sql`exists (select 1 from seatgate_organizations
    where id = seatgate_billing_customers.organization_id and deleted_at is not null)`
}

async function endCustomer(
  context: ConnectionContext,
  { provider: name, organizationId, attempts }: BillingCustomerRow
): Promise<void> {
  const { db, connection, now, random } = context
  const place = isCustomer(organizationId, name)
  const leased = new Date(now().getTime() + LEASE_SECONDS * 1000)
  const { claimed, left } = await batch(db, {
    claimed: db
      .update(billingCustomers)
      .set({ dueAt: leased, attempts: attempts + 1 })
      .where(and(place, lte(billingCustomers.dueAt, now())))
      .returning(),
    left: db
      .select({ subscriptionId: subscriptions.subscriptionId })
      .from(subscriptions)
      .where(
        and(
          eq(subscriptions.organizationId, organizationId),
          eq(subscriptions.provider, name),
          isNull(subscriptions.endedAt),
          sql`${subscriptions.status} not in ('canceled', 'incomplete_expired')`
        )
      ),
  })
  if (claimed.length === 0) return
  const provider = connection.providers.get(name)
  const failure = provider
    ? await endEach(context, provider, organizationId, left)
    : 'unknown_provider'
  const later = new Date(now().getTime() + backoffSeconds(attempts + 1, random) * 1000)
  await batch(db, {
    settled: db
      .update(billingCustomers)
      .set({ dueAt: failure === null ? null : later, lastError: failure })
      .where(place),
  })
}

/** Returns the code of the last failure; null if all have ended. */
async function endEach(
  context: ConnectionContext,
  provider: BillingProvider,
  organizationId: string,
  left: readonly { readonly subscriptionId: string }[]
): Promise<string | null> {
  let failure: string | null = null
  for (const { subscriptionId } of left) {
    try {
      const found = await provider.fetchSubscription(subscriptionId)
      if (found) await endDeletedSubscription(context, provider, organizationId, found)
    } catch (error) {
      failure = codeOf(error)
      context.report({ event: 'billing_cancel_failed', organizationId, error: failure })
      // On record too: it is repeated, and an operator has to see it.
      const owner = { type: 'organization', id: organizationId } as const
      const about = { owner, provider: provider.name, subscriptionId }
      await recordOwnerEnd(context, { ...about, code: failure })
    }
  }
  return failure
}
