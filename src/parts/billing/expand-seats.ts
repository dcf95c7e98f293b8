import type { OrganizationScope } from '../../engine/access/principal.ts'
import { batch } from '../../database/batch.ts'
import { entitlementQueries, subscriptionFrom } from '../../engine/seats/entitlement-rows.ts'
import { canCharge, grantOf } from '../../engine/seats/subscription-state.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { organizationIdOf, organizationNamed } from '../../engine/access/organization-ref.ts'
import type { Refusal } from '../../base/result.ts'
import type { Result } from '../../base/result.ts'
import { applyState } from './apply-state.ts'
import { callKey } from './customers.ts'
import type { ConnectionContext } from './connection.ts'
import { ProviderError } from './provider-error.ts'

/**
 * Runs an operation that adds members, and buys the missing seat if it is refused for want of one: the
 * quantity is raised first, and the operation runs again after that. If the provider refuses, no member
 * is added and the refusal of the operation stands. Does so with the mode `auto_expand` only. An
 * operation that is not refused makes no call.
 *
 * @example
 * ```ts
 * const added = await expandSeats(context, scope, () => addMember(seatgate, scope, input))
 * ```
 */
export async function expandSeats<T>(
  context: ConnectionContext,
  scope: OrganizationScope,
  operation: () => Promise<Result<T>>
): Promise<Result<T>> {
  const first = await operation()
  if (first.ok || context.connection.quantity !== 'auto_expand') return first
  const refusal: Refusal = first.error
  if (refusal.code !== 'seat_limit_reached') return first
  try {
    const isRaised = await raise(context, scope, refusal.used + 1 - refusal.limit)
    return isRaised ? await operation() : first
  } catch (error) {
    if (!(error instanceof ProviderError)) throw error
    context.report({ event: 'billing_expand_failed', error })
    return first
  }
}

async function raise(
  context: ConnectionContext,
  scope: OrganizationScope,
  missing: number
): Promise<boolean> {
  const { now, billing, connection } = context
  const { rows, owner } = await readBoth(context, scope)
  const record = rows
    .map(subscriptionFrom)
    .find((one) => canCharge(one) && grantOf(one, now()).granting)
  const plan = billing?.plans.get(record?.plan ?? '')
  const provider = connection.providers.get(record?.provider ?? '')
  const canRaise = record && plan?.perSeat && provider && missing > 0 && owner !== null
  if (!canRaise) return false
  const { subscriptionId, quantity, version } = record
  if (plan.cap !== null && plan.cap < quantity + missing) return false
  const current = await provider.fetchSubscription(subscriptionId)
  const item = current?.items.find(({ priceId }) => plan.prices.includes(priceId))
  if (item === undefined) throw new ProviderError('permanent', 'seat_item_missing')
  const wanted = Math.max(item.quantity, quantity + missing)
  const subscription = await provider.setQuantity(
    { subscriptionId, priceId: item.priceId, quantity: wanted },
    { idempotencyKey: await callKey(['expand', subscriptionId, version, wanted]) }
  )
  const organizationId = owner
  await applyState(context, {
    organizationId,
    subscription,
    providerTime: null,
    readVersion: version,
  })
  return true
}

async function readBoth({ db }: ConnectionContext, { organization }: OrganizationScope) {
  const read = await batch(db, {
    subscriptions: entitlementQueries(db, organizationIdOf(organization)).subscriptions,
    owner: db
      .select({ id: organizations.id })
      .from(organizations)
      .where(organizationNamed(organization)),
  })
  return { rows: read.subscriptions, owner: read.owner[0]?.id ?? null }
}
