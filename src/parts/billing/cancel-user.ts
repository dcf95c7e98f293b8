/**
 * The subscriptions that are billed to users themselves. They end with the user; those of an organization
 * do not.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { and, eq, isNotNull, isNull, lte, sql } from 'drizzle-orm'
import { backoffSeconds } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import { billingUsers, type BillingUserRow } from '../../database/schema/billing-inbox-tables.ts'
import type { BillingProvider } from './billing-provider.ts'
import type { ConnectionContext } from './connection.ts'
import { recordOwnerEnd } from './owner-end.ts'
import { codeOf, ProviderError } from './provider-error.ts'

const LEASE_SECONDS = 60

/**
 * Records that a customer of a provider is a user, so that the user's subscriptions end with the user. The
 * first customer of a user stays.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await putUserCustomer(context, 'stripe', userId, 'cus_123')
 * ```
 */
export function putUserCustomer(
  context: DatabaseContext & Pick<Runtime, 'now'>,
  provider: string,
  userId: string,
  customerId: string
): Promise<void> {
  return observed(context, 'organization.billing.put_user_customer', async (context) => {
    const { db, now } = context
    await batch(db, {
      put: db
        .insert(billingUsers)
        .values({ provider, userId, customerId, createdAt: now() })
        .onConflictDoNothing(),
    })
  })
}

/**
 * Builds the statement that asks for the end of all subscriptions that are billed to a user. Put it into the
 * batch that deletes the user: it calls no provider, so that a failure of billing keeps no user. After the
 * commit `sweepBilling` cancels them, tries again after a failure, and records the real outcome as
 * `organization.billing.owner_end`. Subscriptions of organizations are not touched.
 *
 * @example
 * ```ts
 * hooks: {
 *   onDelete: (statements, { userId }) => ({
 *     ok: true,
 *     statements: [...statements, cancelUserSubscription(context, userId), deleteUserRow(userId)],
 *   }),
 * }
 * ```
 */
export function cancelUserSubscription(
  { db, now }: DatabaseContext & Pick<Runtime, 'now'>,
  userId: string
): Statement {
  const time = now()
  return db
    .update(billingUsers)
    .set({ requestedAt: time, dueAt: time, attempts: 0, finishedAt: null, lastError: null })
    .where(and(eq(billingUsers.userId, userId), isNull(billingUsers.requestedAt)))
}

/** Cancels the subscriptions of users that are due. */
export async function sweepUsers(context: ConnectionContext, most: number): Promise<void> {
  const { db, now } = context
  const time = now()
  const { due } = await batch(db, {
    due: db.select().from(billingUsers).where(lte(billingUsers.dueAt, time)).limit(most),
  })
  for (const { provider, userId } of due) {
    const { claimed } = await batch(db, {
      claimed: db
        .update(billingUsers)
        .set({
          dueAt: new Date(time.getTime() + LEASE_SECONDS * 1000),
          attempts: sql`${billingUsers.attempts} + 1`,
        })
        .where(and(isUser({ provider, userId }), lte(billingUsers.dueAt, time)))
        .returning(),
    })
    for (const row of claimed) await endUser(context, row)
  }
}

async function endUser(context: ConnectionContext, row: BillingUserRow): Promise<void> {
  const { db, now, random, report, connection } = context
  const owner = { type: 'user', id: row.userId } as const
  const provider = connection.providers.get(row.provider)
  try {
    if (provider === undefined) throw new ProviderError('permanent', 'unknown_provider')
    const remaining = await provider.listSubscriptions(row.customerId)
    for (const { subscriptionId } of remaining) {
      await endOne(context, provider, owner, subscriptionId)
    }
    const done = { dueAt: null, finishedAt: now(), lastError: null }
    await batch(db, { done: db.update(billingUsers).set(done).where(isUser(row)) })
  } catch (error) {
    report({ event: 'billing_cancel_failed', error: codeOf(error) })
    const seconds = backoffSeconds(row.attempts, random)
    const later = { dueAt: new Date(now().getTime() + seconds * 1000), lastError: codeOf(error) }
    await batch(db, {
      later: db
        .update(billingUsers)
        .set(later)
        .where(and(isUser(row), isNotNull(billingUsers.dueAt))),
    })
  }
}

async function endOne(
  context: ConnectionContext,
  provider: BillingProvider,
  owner: { readonly type: 'user'; readonly id: string },
  subscriptionId: string
): Promise<void> {
  const about = { owner, provider: provider.name, subscriptionId }
  try {
    await provider.cancel(
      { subscriptionId, atPeriodEnd: false },
      { idempotencyKey: `seatgate-end-${subscriptionId}` }
    )
  } catch (error) {
    await recordOwnerEnd(context, { ...about, code: codeOf(error) })
    throw error
  }
  await recordOwnerEnd(context, about)
}

function isUser({ provider, userId }: Pick<BillingUserRow, 'provider' | 'userId'>) {
  return and(eq(billingUsers.provider, provider), eq(billingUsers.userId, userId))
}
