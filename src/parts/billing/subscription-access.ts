/**
 * Reads what a request about a subscription is decided on, in one round trip.
 *
 * @module
 */
import { eq, sql } from 'drizzle-orm'
import { find, authorizeFor, type Access, type Found } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { isImpersonated, type OrganizationScope } from '../../engine/access/principal.ts'
import {
  billingCustomers,
  type BillingCustomerRow,
} from '../../database/schema/billing-inbox-tables.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { OrganizationRow } from '../../database/schema/organizations-tables.ts'
import { namedUsers, usersNamedIn } from '../../engine/model/named-users.ts'
import { planEntitlement } from '../../engine/model/entitle.ts'
import { toFree, toFreeQueries, type ToFreeRows } from '../../engine/model/seats-to-free.ts'
import type { EntitledNow } from '../../engine/seats/entitled-now.ts'
import { entitledLimit, type EntitledSeats } from '../../engine/seats/entitlement.ts'
import { entitlementQueries, subscriptionFrom } from '../../engine/seats/entitlement-rows.ts'
import { canCharge, type SubscriptionRecord } from '../../engine/seats/subscription-state.ts'
import type { AccessRefusal, SeatsToFree } from '../../base/result.ts'
import { ok, refused, type Refused, type Result } from '../../base/result.ts'
import type { ConnectionContext } from './connection.ts'
import { ProviderError } from './provider-error.ts'

/** An organization with its subscription, as an administrator's request finds it. */
export interface BillingFound {
  readonly access: Access
  readonly organization: OrganizationRow
  readonly entitled: EntitledNow
  /** The subscription at the provider that can still charge; null without one. */
  readonly subscription: SubscriptionRecord | null
  /** Its customer at each provider. */
  readonly customers: readonly BillingCustomerRow[]
  /** The seats in use: held and reserved. */
  readonly used: number
  readonly rows: ToFreeRows
}

/** Builds the queries of {@link billingFrom}. */
export function billingQueries(context: ConnectionContext, scope: OrganizationScope) {
  const { db, roles } = context
  const { caller, organization } = scope
  const allowed = readable(caller, organization, { roles, permission: 'billing:manage' })
  const id = sql<string>`${organizationIdOf(organization)}`
  const place = sql<string | null>`(select id from (select ${id} as id) where ${allowed})`
  const toFree = toFreeQueries(context, place)
  return {
    ...entitlementQueries(db, place),
    ...toFree,
    users:
      context.onCandidates === undefined
        ? null
        : usersNamedIn(
            { users: null, ...context },
            sql`select user_id from (${toFree.candidates})`
          ),
    customers: rowsWhere(db, billingCustomers, eq(billingCustomers.organizationId, place)),
  }
}

/** Returns an organization's billing for those who administer it, and not for operators who act as them. */
export function billingFrom(
  context: ConnectionContext,
  found: Found<ReturnType<typeof billingQueries>>,
  now: Date
): Result<BillingFound, AccessRefusal> {
  const { roles, connection } = context
  const standing = authorizeFor(roles, found, 'billing:manage')
  if (!standing.ok) return standing
  if (isImpersonated(standing.value.caller)) return refused({ code: 'insufficient_role' })
  const { rows } = found
  context.onCandidates?.(namedUsers(rows.users))
  const row = standing.value.organization
  const { entitled } = planEntitlement(context, row.id, rows, {}, now)
  const own = rows.subscriptions.map(subscriptionFrom).filter(canCharge)
  return ok({
    access: standing.value,
    organization: row,
    entitled,
    subscription: own.find(({ provider }) => connection.providers.has(provider)) ?? null,
    customers: rows.customers,
    used: (rows.used[0]?.held ?? 0) + (rows.used[0]?.reserved ?? 0),
    rows,
  })
}

/** Reads an organization's billing, as {@link billingFrom} returns it. */
export async function findBilling(
  context: ConnectionContext,
  scope: OrganizationScope
): Promise<Result<BillingFound, AccessRefusal>> {
  const found = await find(context.db, scope, billingQueries(context, scope))
  return billingFrom(context, found, context.now())
}

/** Returns the organization's customer at a provider; null without one. */
export function customerAt(
  { customers }: Pick<BillingFound, 'customers'>,
  name: string
): BillingCustomerRow | null {
  return customers.find(({ provider }) => provider === name) ?? null
}

/** Returns how many seats have to be free before this entitlement fits, with candidates. */
export function seatsToFree(
  { rows }: Pick<BillingFound, 'rows'>,
  seats: EntitledSeats
): SeatsToFree {
  return toFree(rows, entitledLimit(seats))
}

/** Returns the refusal for a failure of the provider; other errors are thrown. */
export function refusalOfProvider(
  { report }: Pick<ConnectionContext, 'report'>,
  organizationId: string,
  error: unknown
): Refused<'provider_refused' | 'provider_unavailable'> {
  if (!(error instanceof ProviderError)) throw error
  report({ event: 'billing_call_failed', organizationId, error })
  return refused({ code: error.kind === 'permanent' ? 'provider_refused' : 'provider_unavailable' })
}
