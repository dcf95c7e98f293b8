/**
 * Changes of a subscription: its seats, a cancellation, and undoing that.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { inBackground } from '../../base/async.ts'
import { parseInput } from '../../base/input.ts'
import { HOOK_REFUSALS } from '../../base/result.ts'
import type { AccessRefusal, HookRefusal, InputRefusal, StoreRefusal } from '../../base/result.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import { billingEvent } from '../../engine/audit/part-actions.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  planRemovals,
  RemoveInput,
  removalQueries,
  type RemovalContext,
} from '../../engine/model/removals.ts'
import { guardFits, toFree } from '../../engine/model/seats-to-free.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { entitledLimit } from '../../engine/seats/entitlement.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { billingCustomers } from '../../database/schema/billing-inbox-tables.ts'
import type { Proration, RemoteSubscription } from './billing-provider.ts'
import { applyState } from './apply-state.ts'
import { planSeats, Seats, type ProviderRefusal } from './checkout.ts'
import { clientOperation } from './client-operation.ts'
import { callKey, isCustomer } from './customers.ts'
import type { ConnectionContext } from './connection.ts'
import {
  billingFrom,
  billingQueries,
  customerAt,
  findBilling,
  refusalOfProvider,
  type BillingFound,
} from './subscription-access.ts'
import { syncQuantity } from './sync-quantity.ts'

const SeatsInput = v.object(
  {
    seats: Seats,
    proration: v.nullish(
      v.picklist(
        ['create', 'none', 'always_invoice'],
        'Must be "create", "none" or "always_invoice".'
      )
    ),
    remove: RemoveInput,
  },
  'Must be an object.'
)

const CancelInput = v.object(
  { atPeriodEnd: v.boolean('Must be true or false.') },
  'Must be an object.'
)

/** The input of {@link requestSeats}. */
export interface SeatsInput {
  /** The seats to pay for, a whole number from 1. */
  readonly seats: number
  /** How the change is billed. Default: the choice of the configuration. */
  readonly proration?: Proration | null | undefined
  /**
   * Members to remove in the same batch, by their user ids; at most 50. Only those whom the caller may
   * remove. Default: no member.
   */
  readonly remove?: readonly string[] | null | undefined
}

/** The input of {@link cancelSubscription}. */
export interface CancelInput {
  /** Whether it ends with the period that is paid, or at once. */
  readonly atPeriodEnd: boolean
}

/** The seats that the provider is to have. */
export interface SeatsIntended {
  readonly provider: string
  readonly seats: number
  readonly proration: Proration | null
  readonly state: 'pending'
}

/** Why {@link requestSeats} refuses. */
export type RequestSeatsRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | HookRefusal
  | 'no_subscription'
  | 'invalid_state'
  | 'seats_in_use'
  | 'not_found'
  | 'last_owner'

/**
 * Asks for a number of seats `{ seats, proration? }`, for those who administer the organization. The
 * request is recorded with its event in one batch, and sent after that: the limit changes when the
 * provider has it. Fewer seats than are in use are refused, with the number to free and candidates. With
 * `remove` members are removed in the same batch, as a whole, and the seats in use then have to fit.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `HookRefusal`, `no_subscription`,
 * `invalid_state`, `seats_in_use`, `not_found` (one of `remove` is not a member), `last_owner`.
 *
 * @example
 * ```ts
 * const asked = await requestSeats({ ...seatgate, connection }, scope, { seats: 25 })
 * if (!asked.ok && asked.error.code === 'seats_in_use') console.log(asked.error.mustFree)
 * ```
 */
export async function requestSeats(
  context: ConnectionContext & RemovalContext,
  scope: OrganizationScope,
  input: SeatsInput,
  options: OperationOptions = {}
): Promise<Result<SeatsIntended, RequestSeatsRefusal>> {
  const parsed = parseInput(SeatsInput, input)
  const { db } = context
  const { seats = 0, proration = null, remove } = parsed.ok ? parsed.value : {}
  const removed = remove ?? []
  const asked = { seats, proration, ...(removed.length > 0 && { remove: removed }) }
  const written = await perform(
    context,
    scope,
    {
      name: 'organization.billing.seats_request',
      input: parsed.ok ? asked : input,
      grows: false,
      refusals: [...HOOK_REFUSALS, 'last_owner'],
      queries: {
        ...billingQueries(context, scope),
        ...removalQueries(context, scope, removed),
      },
      plan(found, caller, now): Result<Plan<Requested>, RequestSeatsRefusal> {
        const billing = billingFrom(context, found, now)
        if (!billing.ok) return billing
        if (!parsed.ok) return parsed
        const client = clientOperation(context, options)
        if (!client.ok) return client
        const { access, organization, subscription, entitled, rows } = billing.value
        if (subscription === null || customerAt(billing.value, subscription.provider) === null) {
          return refused({ code: 'no_subscription' })
        }
        const plan = context.billing?.plans.get(subscription.plan ?? '')
        // A manual or flat contract has no seats that the provider could change.
        if (plan === undefined || !plan.perSeat) return refused({ code: 'invalid_state' })
        const { provider } = subscription
        const limit = entitledLimit(planSeats(plan, seats, entitled.seats.addOns))
        const removals = planRemovals(context, found.rows, removed, { caller, actor: access, now })
        if (!removals.ok) return removals
        const { freeing, statements, events, ...leaving } = removals.value
        const mustFree = toFree(rows, limit, freeing)
        if (mustFree.seats > 0) return refused({ code: 'seats_in_use', mustFree })
        const { id } = organization
        return ok({
          ...leaving,
          value: { organizationId: id, intended: { provider, seats, proration, state: 'pending' } },
          statements: [
            guardAccess(context, access),
            ...statements,
            ...(removed.length > 0 ? guardFits(context, id, limit, now) : []),
            db
              .update(billingCustomers)
              .set({
                seats,
                proration,
                dueAt: now,
                lastError: null,
                changes: sql`${billingCustomers.changes} + 1`,
              })
              .where(isCustomer(id, provider)),
          ],
          events: [
            ...events,
            billingEvent(id, 'organization.billing.seats_request', { provider, seats, proration }),
          ],
        })
      },
    },
    options
  )
  if (!written.ok) return written
  const { organizationId, intended } = written.value
  await inBackground(context, organizationId, [
    () => syncQuantity(context, intended.provider, organizationId),
  ])
  return ok(intended)
}

interface Requested {
  readonly organizationId: string
  readonly intended: SeatsIntended
}

/** Why {@link cancelSubscription} refuses. */
export type CancelSubscriptionRefusal =
  | AccessRefusal
  | InputRefusal
  | ProviderRefusal
  | 'no_subscription'

/** Why {@link resumeSubscription} refuses. */
export type ResumeSubscriptionRefusal = CancelSubscriptionRefusal | 'invalid_state'

/**
 * Cancels the subscription `{ atPeriodEnd }`, for those who administer the organization. With
 * `true` it grants its seats until the end of the period that is paid; with `false` it ends at once.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `no_subscription`, `provider_refused`, `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await cancelSubscription({ ...seatgate, connection }, scope, { atPeriodEnd: true })
 * ```
 */
export function cancelSubscription(
  context: ConnectionContext,
  scope: OrganizationScope,
  input: CancelInput,
  options: OperationOptions = {}
): Promise<Result<null, CancelSubscriptionRefusal>> {
  return observed(context, 'organization.billing.cancel', async (context) => {
    const found = await findBilling(context, scope)
    if (!found.ok) return found
    const parsed = parseInput(CancelInput, input)
    if (!parsed.ok) return parsed
    const client = clientOperation(context, options)
    if (!client.ok) return client
    const { atPeriodEnd } = parsed.value
    return change(context, found.value, async ({ provider, subscriptionId, version }) => {
      const key = await callKey([
        'cancel',
        subscriptionId,
        version,
        String(atPeriodEnd),
        client.value,
      ])
      return provider.cancel({ subscriptionId, atPeriodEnd }, { idempotencyKey: key })
    })
  })
}

/**
 * Undoes a scheduled cancellation, for those who administer the organization.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `no_subscription`, `invalid_state`, `provider_refused`,
 * `provider_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await resumeSubscription({ ...seatgate, connection }, scope)
 * ```
 */
export function resumeSubscription(
  context: ConnectionContext,
  scope: OrganizationScope,
  options: OperationOptions = {}
): Promise<Result<null, ResumeSubscriptionRefusal>> {
  return observed(context, 'organization.billing.resume', async (context) => {
    const found = await findBilling(context, scope)
    if (!found.ok) return found
    const client = clientOperation(context, options)
    if (!client.ok) return client
    const { subscription } = found.value
    if (subscription !== null && subscription.cancelAt === null) {
      return refused({ code: 'invalid_state' })
    }
    return change(context, found.value, async ({ provider, subscriptionId, version }) => {
      const key = await callKey(['resume', subscriptionId, version, client.value])
      return provider.resume(subscriptionId, { idempotencyKey: key })
    })
  })
}

// Calls the provider, and brings its answer into the entitlement. If that is overtaken, the webhook of
// the change brings it.
async function change(
  context: ConnectionContext,
  { organization, subscription }: BillingFound,
  call: (subject: {
    readonly provider: ConnectionContext['connection']['provider']
    readonly subscriptionId: string
    readonly version: number
  }) => Promise<RemoteSubscription | null>
): Promise<Result<null, CancelSubscriptionRefusal>> {
  if (subscription === null) return refused({ code: 'no_subscription' })
  const { subscriptionId, version } = subscription
  const provider = context.connection.providers.get(subscription.provider)
  if (provider === undefined) return refused({ code: 'no_subscription' })
  try {
    const changed = await call({ provider, subscriptionId, version })
    if (changed === null) return refused({ code: 'no_subscription' })
    await applyState(context, {
      organizationId: organization.id,
      subscription: changed,
      providerTime: null,
      readVersion: version,
    })
    return ok(null)
  } catch (error) {
    return refusalOfProvider(context, organization.id, error)
  }
}
