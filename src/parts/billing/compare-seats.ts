/**
 * The comparison of members, seats and the quantity at the provider.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { batch } from '../../database/batch.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { find, platformOnly } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { inputsFrom } from '../../engine/model/entitle.ts'
import { countSeats } from '../../engine/seats/count-seats.ts'
import { entitledLimit } from '../../engine/seats/entitlement.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import type { Plan } from '../../engine/seats/plans.ts'
import { canCharge, type SubscriptionRecord } from '../../engine/seats/subscription-state.ts'
import { planSeats } from './checkout.ts'
import type { ConnectionContext } from './connection.ts'
import { refusalOfProvider } from './subscription-access.ts'

/** Two of the three that differ. */
export type SeatMismatch =
  /** D1 and the seat provider count differently. */
  | 'members_and_seats'
  /** The provider has another quantity than the recorded one. */
  | 'quantity_and_record'
  /** More seats are in use than the provider's quantity pays for. */
  | 'members_and_quantity'

/** The three counts of an organization. */
export interface SeatComparison {
  /** The seats that members and open invitations have in D1. */
  readonly members: number
  /** The seats in use by the seat provider. */
  readonly seats: number
  /** The bought quantity at the billing provider; null without a subscription by the seat. */
  readonly quantity: number | null
  /** The recorded quantity; null without a subscription by the seat. */
  readonly recorded: number | null
  /** Empty if all agree. */
  readonly mismatches: readonly SeatMismatch[]
}

/** Why {@link compareSeats} refuses. */
export type CompareSeatsRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | 'operation_in_progress'
  | 'seats_unavailable'
  | 'provider_refused'
  | 'provider_unavailable'

const READS = 3

/**
 * Compares an organization's members, its seats and the quantity at its billing provider; for operators
 * and the host itself. It changes no row. The sweep runs it for each customer after the comparison of the
 * subscriptions, and reports `seats_differ`.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `operation_in_progress` (seats change at this
 * moment), `seats_unavailable`, `provider_refused`, `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const compared = await compareSeats(context, { caller: { type: 'system' }, organization: id })
 * if (compared.ok) console.log(compared.value.mismatches)
 * ```
 */
export function compareSeats(
  context: ConnectionContext,
  scope: OrganizationScope
): Promise<Result<SeatComparison, CompareSeatsRefusal>> {
  return observed(context, 'organization.billing.compare_seats', async (context) => {
    const { db, billing, connection } = context
    const allowed = await platformOnly(context, scope.caller)
    if (!allowed.ok) {
      const { code } = allowed.error
      return refused({ code: code === 'unauthenticated' ? code : 'organization_not_found' })
    }
    const { organization } = await find(db, scope, {})
    if (organization === null) return refused({ code: 'organization_not_found' })
    const counted = await countBoth(context, organization.id)
    if (!counted.ok) return counted
    const { members, seats } = counted.value
    const rows = await batch(db, entitlementQueries(db, organizationIdOf(organization.id)))
    const bySeat = inputsFrom(rows).subscriptions.flatMap((record) => {
      const plan = billing?.plans.get(record.plan ?? '')
      return plan?.perSeat && canCharge(record) && connection.providers.has(record.provider)
        ? [{ record, plan }]
        : []
    })
    const [subscribed] = bySeat
    if (subscribed === undefined) {
      return ok(comparison({ members, seats, quantity: null, recorded: null }, null))
    }
    try {
      const quantity = await quantityOf(context, subscribed)
      const { record, plan } = subscribed
      return ok(
        comparison({ members, seats, quantity, recorded: record.quantity }, { record, plan })
      )
    } catch (error) {
      return refusalOfProvider(context, organization.id, error)
    }
  })
}

interface Subscribed {
  readonly record: SubscriptionRecord
  readonly plan: Plan
}

// A change between the two reads is no difference.
async function countBoth(
  { seats, seatContext }: ConnectionContext,
  organizationId: string
): Promise<
  Result<{ members: number; seats: number }, 'operation_in_progress' | 'seats_unavailable'>
> {
  for (let read = 1; read <= READS; read++) {
    const before = await countSeats(seatContext, organizationId)
    const there = await seats.usage(seatContext, organizationId)
    if (!there.ok) return there
    const after = await countSeats(seatContext, organizationId)
    const [first, last] = [before, after].map(({ held, reserved }) => held + reserved)
    if (first === last) {
      return ok({ members: last ?? 0, seats: there.value.held + there.value.reserved })
    }
  }
  return refused({ code: 'operation_in_progress' })
}

async function quantityOf(
  { connection }: ConnectionContext,
  { record, plan }: Subscribed
): Promise<number> {
  const provider = connection.providers.get(record.provider)
  const remote = await provider?.fetchSubscription(record.subscriptionId)
  const items = remote?.items.filter(({ priceId }) => plan.prices.includes(priceId)) ?? []
  return items.reduce((sum, { quantity }) => sum + quantity, 0)
}

function comparison(
  counts: Omit<SeatComparison, 'mismatches'>,
  subscribed: Subscribed | null
): SeatComparison {
  const { members, seats, quantity, recorded } = counts
  const mismatches: SeatMismatch[] = []
  if (members !== seats) mismatches.push('members_and_seats')
  if (subscribed !== null && quantity !== null) {
    if (quantity !== recorded) mismatches.push('quantity_and_record')
    const { plan, record } = subscribed
    const paid = entitledLimit(planSeats(plan, quantity, record.addOns))
    if (paid.kind === 'finite' && members > paid.seats) mismatches.push('members_and_quantity')
  }
  return { ...counts, mismatches }
}
