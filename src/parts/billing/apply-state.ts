/**
 * Brings the state of a subscription at its provider into the organization's entitlement.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import { billingEvent } from '../../engine/audit/part-actions.ts'
import { applyLimit } from '../../engine/changes/apply-limit.ts'
import { perform } from '../../engine/changes/operation.ts'
import { planEntitlement } from '../../engine/model/entitle.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { seatsHeld, seatsReserved } from '../../engine/seats/counts.ts'
import { entitlementQueries, subscriptionFrom } from '../../engine/seats/entitlement-rows.ts'
import { projectSubscription, type Plans } from '../../engine/seats/plans.ts'
import type { SubscriptionRecord } from '../../engine/seats/subscription-state.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Entitlement } from '../../engine/seats/provider.ts'
import type { RemoteSubscription } from './billing-provider.ts'
import type { ConnectionContext } from './connection.ts'
import { makeQuantityDue } from './customers.ts'

/** A state of a provider, for an organization whose customer it is of. */
export interface StateToApply {
  readonly organizationId: string
  readonly subscription: RemoteSubscription
  /** The provider's time of the newest event that it answers; null for the answer to a call. */
  readonly providerTime: Date | null
  /** The version of the record that was read before the state was; 0 without one. */
  readonly readVersion: number
}

interface Applied {
  readonly record: SubscriptionRecord | null
  /** The limit in force; null if the record was not changed. */
  readonly entitlement: Entitlement | null
}

/**
 * Applies a state, with the limit that follows from it, in one batch. A state that was read before the
 * record in force was written is refused with `operation_in_progress`: read it again. An older one is
 * passed over.
 */
export async function applyState(
  context: ConnectionContext,
  state: StateToApply
): Promise<Result<SubscriptionRecord | null>> {
  const { db, billing, connection } = context
  const { organizationId, subscription, providerTime, readVersion } = state
  const plans: Plans = billing?.plans ?? new Map()
  const written = await perform(
    context,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'organization.billing.subscription_change',
      input: null,
      grows: false,
      queries: entitlementQueries(db, organizationIdOf(organizationId)),
      plan({ organization, rows }, _caller, now): Result<Plan<Applied>> {
        if (organization === null) return refused({ code: 'organization_not_found' })
        const existing = recordOf(rows.subscriptions.map(subscriptionFrom), subscription)
        if ((existing?.version ?? 0) !== readVersion) {
          return refused({ code: 'operation_in_progress' })
        }
        const remote = { ...subscription, providerTime }
        const projected = projectSubscription(plans, remote, existing, { organizationId, now })
        if (projected === null) return ok(unchanged({ record: existing, entitlement: null }))
        const { record, unmapped } = projected
        const planned = planEntitlement(
          context,
          organizationId,
          rows,
          { subscription: record },
          now
        )
        return ok({
          value: { record, entitlement: planned.entitlement },
          statements: [
            ...planned.statements,
            ...(connection.quantity === 'true_up' ? [raise(db, record, now)] : []),
          ],
          events: [...eventsOf(existing, record, unmapped), ...planned.events],
        })
      },
    }
  )
  if (!written.ok) return written
  const { record, entitlement } = written.value
  if (entitlement === null || entitlement.version === 0) return ok(record)
  const applied = await applyLimit(context, entitlement)
  return applied.ok ? ok(record) : applied
}

function recordOf(
  records: readonly SubscriptionRecord[],
  { provider, subscriptionId }: RemoteSubscription
): SubscriptionRecord | null {
  const isIt = (one: SubscriptionRecord) =>
    one.provider === provider && one.subscriptionId === subscriptionId
  return records.find(isIt) ?? null
}

// More seats are in use than the subscription has. No change of seats may follow that would send them.
function raise(
  db: Database,
  { organizationId, quantity }: SubscriptionRecord,
  now: Date
): Statement {
  const used = sql`${seatsHeld(organizationId)} + ${seatsReserved(organizationId, now)}`
  return makeQuantityDue(db, organizationId, now, sql`${used} > ${quantity}`)
}

// From the difference of the states: an update that changes no part of them has no event.
function eventsOf(
  before: SubscriptionRecord | null,
  after: SubscriptionRecord,
  unmapped: readonly string[]
): readonly EventDraft[] {
  const { organizationId, provider, subscriptionId, plan, status, quantity } = after
  const subject = { provider, subscription_id: subscriptionId }
  const events: EventDraft[] = []
  if (plan !== before?.plan || status !== before.status || quantity !== before.quantity) {
    events.push(
      billingEvent(organizationId, 'organization.billing.subscription_change', {
        ...subject,
        plan,
        status,
        quantity: Number.isSafeInteger(quantity) ? quantity : 0,
        old_status: before?.status ?? null,
        ...(unmapped.length > 0 && { unmapped: unmapped.join(' ') }),
      })
    )
  }
  const isScheduled = after.cancelAt !== null && after.endedAt === null
  if (isScheduled && after.cancelAt.getTime() !== before?.cancelAt?.getTime()) {
    const at = after.cancelAt.toISOString()
    events.push(
      billingEvent(organizationId, 'organization.billing.cancel_scheduled', { ...subject, at })
    )
  }
  if (after.endedAt !== null && !before?.endedAt) {
    const at = after.endedAt.toISOString()
    events.push(
      billingEvent(organizationId, 'organization.billing.subscription_end', { ...subject, at })
    )
  }
  return events
}
