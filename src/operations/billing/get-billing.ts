import { observed } from '../../engine/access/observed.ts'
import { authorizeFor, find } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { entitledNow } from '../../engine/seats/entitled-now.ts'
import { inputsFrom, planEntitlement, type EntitleContext } from '../../engine/model/entitle.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import { limitView, type SeatLimitView } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import type { GrantReason, SubscriptionStatus } from '../../engine/seats/subscription-state.ts'
import { seatsUsed } from '../../engine/seats/counts.ts'
import { sql } from 'drizzle-orm'
import { type AccessRefusal, ok, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { isAhead, known, overrideAt, type SeatAmountView } from '../../engine/seats/entitlement.ts'

/** A change of an organization's limit that the clock makes. */
export interface ScheduledChange {
  /**
   * `cancel`: the subscription ends. `trial_end`, `grace_end` and `override_end` say what ends, and
   * `override_start` that numbers set by hand begin to apply.
   */
  readonly change: 'cancel' | 'trial_end' | 'grace_end' | 'override_start' | 'override_end'
  readonly at: string
  /** The limit from then on, as far as it is known now. */
  readonly limit: SeatLimitView
}

/** An organization's plan, subscription and seats. */
export interface BillingView {
  readonly plan: string | null
  readonly status: SubscriptionStatus | 'none'
  /** Whether the subscription grants seats now. */
  readonly granting: boolean
  readonly reason: GrantReason
  readonly seats: {
    readonly included: SeatAmountView
    readonly purchased: number | 'unknown'
    readonly addOns: number | 'unknown'
    readonly cap: number | null
    /** The limit in force. */
    readonly limit: SeatLimitView
    /** The seats in use: held and reserved. */
    readonly used: number
  }
  readonly currentPeriodEnd: string | null
  readonly trialEnd: string | null
  /** Until when a past due subscription grants seats. */
  readonly graceEnd: string | null
  /** Since when more seats are used than the limit has; null while they fit. */
  readonly overLimitSince: string | null
  /** The next change that is known already; null without one. */
  readonly scheduled: ScheduledChange | null
  readonly provider: string | null
  /** When the subscription was last compared with the provider. */
  readonly syncedAt: string | null
}

/** Why {@link getBilling} refuses. */
export type GetBillingRefusal = AccessRefusal

/**
 * Returns an organization's plan, subscription and seats, to those who administer it. Without a
 * subscription the seats are those that an operator or the default gives.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const billing = await getBilling(seatgate, { caller: { userId }, organization: 'acme' })
 * if (billing.ok && !billing.value.granting) console.log(billing.value.reason)
 * ```
 */
export function getBilling(
  seatgate: EntitleContext & AccessContext & Pick<ProviderContext, 'seats'> & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<BillingView, GetBillingRefusal>> {
  return observed(seatgate, 'organization.billing.get', async (seatgate) => {
    const { db, roles } = seatgate
    const { caller, organization } = scope
    const now = seatgate.now()
    const id = sql<string>`${organizationIdOf(organization)}`
    const allowed = readable(caller, organization, { roles, permission: 'billing:manage' })
    const place = sql<string | null>`(select id from (select ${id} as id) where ${allowed})`
    const found = await find(db, scope, {
      ...entitlementQueries(db, place),
      used: db.select({ used: seatsUsed(place, now).as('used') }).from(sql`(select 1)`),
    })
    const access = authorizeFor(roles, found, 'billing:manage')
    if (!access.ok) return access
    const { rows } = found
    const { entitled, entitlement } = planEntitlement(
      seatgate,
      access.value.organization.id,
      rows,
      {},
      now
    )
    const { limit } = entitlement
    const used = rows.used[0]?.used ?? 0
    const since = rows.entitlementState[0]?.overSince ?? null
    const isOver = limit.kind === 'finite' && used > limit.seats
    const { subscription, grant, plan, seats } = entitled
    const { override } = inputsFrom(rows)
    return ok({
      plan: plan?.name ?? null,
      status: subscription?.status ?? 'none',
      ...grant,
      seats: {
        included: known(seats.included),
        purchased: known(seats.purchased),
        addOns: known(seats.addOns),
        cap: seats.cap,
        limit: limitView(limit),
        used,
      },
      currentPeriodEnd: subscription?.currentPeriodEnd?.toISOString() ?? null,
      trialEnd: subscription?.trialEnd?.toISOString() ?? null,
      graceEnd: subscription?.graceEnd?.toISOString() ?? null,
      overLimitSince: isOver ? (since?.toISOString() ?? null) : null,
      scheduled: scheduledChange(
        {
          cancel: subscription?.cancelAt ?? null,
          trial_end: subscription?.status === 'trialing' ? subscription.trialEnd : null,
          grace_end: subscription?.status === 'past_due' ? subscription.graceEnd : null,
          override_start: isAhead(override, now) ? (override?.from ?? null) : null,
          override_end: overrideAt(override, now)?.until ?? null,
        },
        now,
        (at) => limitView(entitledNow(seatgate, inputsFrom(rows), at).limit)
      ),
      provider: subscription?.provider ?? null,
      syncedAt: subscription?.syncedAt.toISOString() ?? null,
    })
  })
}

function scheduledChange(
  instants: Readonly<Record<ScheduledChange['change'], Date | null>>,
  now: Date,
  limitAt: (at: Date) => SeatLimitView
): ScheduledChange | null {
  const ahead = Object.entries(instants).flatMap(([change, at]) =>
    at !== null && at > now ? [{ change: change as ScheduledChange['change'], at }] : []
  )
  const [first] = ahead.toSorted((a, b) => a.at.getTime() - b.at.getTime())
  if (first === undefined) return null
  const { change, at } = first
  // The grace includes its last instant.
  const then = change === 'grace_end' ? new Date(at.getTime() + 1) : at
  return { change, at: at.toISOString(), limit: limitAt(then) }
}
