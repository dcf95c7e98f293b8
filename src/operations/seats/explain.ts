import { observed } from '../../engine/access/observed.ts'
import { and, asc, desc, eq, sql } from 'drizzle-orm'
import { invitations } from '../../database/schema/invitations-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorizeFor } from '../../engine/access/authorize.ts'
import { ok, type AccessRefusal, type Refusal, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { UserContext } from '../../database/database.ts'
import { namedUsers, usersNamedIn, type NamedUser } from '../../engine/model/named-users.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { refusalAt } from '../../engine/seats/reserve-rules.ts'
import { isPending, isOfType } from '../../engine/seats/counts.ts'
import { readUsage } from './usage.ts'
import { inputsFrom, type EntitleContext } from '../../engine/model/entitle.ts'
import { entitledNow, type EntitledNow } from '../../engine/seats/entitled-now.ts'
import { entitlementQueries, type EntitlementRows } from '../../engine/seats/entitlement-rows.ts'
import { known, overrideAt, type SeatAmountView } from '../../engine/seats/entitlement.ts'
import type { SeatCount, SeatUsage } from '../../engine/seats/limit.ts'
import type { OverLimitPolicy } from '../../engine/seats/plans.ts'

/** The seats of an organization, and the refusal that a join would get. */
export interface SeatExplanation extends SeatUsage {
  /** The refusal of one more member; null if there is a seat. */
  readonly refusal: Refusal | null
  /** The members with a seat of the default type, newest first, at most 100. */
  readonly members: readonly { readonly userId: string; readonly role: string }[]
  /** The invitations that reserve a seat of the default type, the next to expire first, at most 100. */
  readonly invitations: readonly {
    readonly id: string
    readonly email: string
    readonly expiresAt: string
  }[]
  /** When the next of these reservations expires; null without one. */
  readonly nextExpiry: string | null
  /** The numbers that the limit is made of, with their sources. */
  readonly inputs: LimitInputs
  /** The excess and its consequences; null if the seats in use fit. */
  readonly over: OverLimit | null
}

/** The numbers of a limit, and where they come from. */
export interface LimitInputs {
  readonly plan: string | null
  readonly included: SeatAmountView
  readonly purchased: number | 'unknown'
  readonly addOns: number | 'unknown'
  readonly cap: number | null
  /** The numbers that an operator has set, if they are in force. */
  readonly override: { readonly reason: string | null; readonly until: string | null } | null
  /** Until when a past due subscription grants its seats; null if it is not past due. */
  readonly graceEnd: string | null
  /** Since when the numbers are unknown, so that the last known limit holds; null if they are known. */
  readonly unknownSince: string | null
  /** When the subscription was last compared with the provider; null without one. */
  readonly syncedAt: string | null
}

/** An organization above its limit. */
export interface OverLimit {
  readonly since: string | null
  /** The seats above the limit, those of open invitations included. */
  readonly seats: number
  readonly policy: OverLimitPolicy
  /**
   * `stays`: no member is suspended; seats become free when members leave. `suspension`: the members below
   * are suspended at the instant `at`, unless seats become free before it.
   */
  readonly next: 'stays' | 'suspension'
  readonly at: string | null
  /** The members that are to be suspended, the first one first; at most 100. */
  readonly members: readonly { readonly userId: string; readonly role: string }[]
}

const MOST = 100

/** Why {@link explainSeats} refuses. */
export type ExplainSeatsRefusal = AccessRefusal | 'seats_unavailable'

/**
 * Explains an organization's seats to those who administer its members.
 *
 * Refusals: `AccessRefusal`, `seats_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const seats = await explainSeats(seatgate, { caller, organization: 'acme' })
 * if (seats.ok && seats.value.refusal) console.log(seats.value.refusal.code, seats.value.nextExpiry)
 * ```
 */
export async function explainSeats(
  context: ExplainContext,
  scope: OrganizationScope
): Promise<Result<SeatExplanation, ExplainSeatsRefusal>> {
  const explained = await explainSeatsAndUsers({ ...context, users: null }, scope)
  return explained.ok ? ok(explained.value.seats) : explained
}

type ExplainContext = AccessContext & EntitleContext & ProviderContext & Pick<Runtime, 'now'>

/** Explains seats as `explainSeats` does, and reads the users of the host that it names by id. */
export function explainSeatsAndUsers(
  context: ExplainContext & UserContext,
  scope: OrganizationScope
): Promise<
  Result<
    { readonly seats: SeatExplanation; readonly users: readonly NamedUser[] },
    ExplainSeatsRefusal
  >
> {
  return observed(context, 'seat.explain', async (context) => {
    const { db, roles, now } = context
    const { caller, organization } = scope
    const id = organizationIdOf(organization)
    const allowed = readable(caller, organization, { roles, permission: 'members:manage' })
    const place = sql<string | null>`(select id from (select ${id} as id) where ${allowed})`
    const members = db
      .select({ userId: memberships.userId, role: memberships.role })
      .from(memberships)
      .where(and(eq(memberships.organizationId, id), isOfType(null), allowed))
      .orderBy(desc(memberships.createdAt), desc(memberships.id))
      .limit(MOST)
    const found = await find(db, scope, {
      ...entitlementQueries(db, place),
      members,
      users: usersNamedIn(context, sql`select user_id from (${members})`),
      invitations: db
        .select({
          id: invitations.id,
          email: invitations.email,
          expiresAt: invitations.expiresAt,
        })
        .from(invitations)
        .where(and(eq(invitations.organizationId, id), isPending(now()), isOfType(null), allowed))
        .orderBy(asc(invitations.expiresAt))
        .limit(MOST),
    })
    const access = authorizeFor(roles, found, 'members:manage')
    if (!access.ok) return access
    const read = await readUsage(context, access.value.organization.id)
    if (!read.ok) return read
    const { count, usage } = read.value
    const { limit, held, reserved } = count
    const entitled = entitledNow(context, inputsFrom(found.rows), now())
    const pending = found.rows.invitations.map(({ expiresAt, ...row }) => ({
      ...row,
      expiresAt: expiresAt.toISOString(),
    }))
    const explanation = {
      ...usage,
      refusal: refusalAt(limit, held + reserved),
      members: found.rows.members,
      invitations: pending,
      nextExpiry: pending[0]?.expiresAt ?? null,
      inputs: inputsView(entitled, found.rows, now()),
      over: overView(context, entitled, found.rows, count),
    }
    return ok({ seats: explanation, users: namedUsers(found.rows.users) })
  })
}

function inputsView(
  { seats, plan, subscription }: EntitledNow,
  rows: EntitlementRows,
  now: Date
): LimitInputs {
  const [state] = rows.entitlementState
  const override = overrideAt(inputsFrom(rows).override, now)
  return {
    plan: plan?.name ?? null,
    included: known(seats.included),
    purchased: known(seats.purchased),
    addOns: known(seats.addOns),
    cap: seats.cap,
    override: override && {
      reason: override.reason,
      until: override.until?.toISOString() ?? null,
    },
    graceEnd: subscription?.graceEnd?.toISOString() ?? null,
    unknownSince: state?.unknownSince?.toISOString() ?? null,
    syncedAt: subscription?.syncedAt.toISOString() ?? null,
  }
}

function overView(
  { roles, now }: Pick<AccessContext, 'roles'> & Pick<Runtime, 'now'>,
  { policy }: EntitledNow,
  { entitlementState: [state], members }: EntitlementRows & Pick<SeatExplanation, 'members'>,
  { limit, held, reserved }: SeatCount
): OverLimit | null {
  if (limit.kind !== 'finite' || held + reserved <= limit.seats) return null
  const suspends = policy !== 'block_change'
  const at = state?.overGraceEnd ?? now()
  return {
    since: state?.overSince?.toISOString() ?? null,
    seats: held + reserved - limit.seats,
    policy,
    next: suspends ? 'suspension' : 'stays',
    at: suspends ? at.toISOString() : null,
    members: suspends
      ? members.filter(({ role }) => role !== roles.owner).slice(0, Math.max(0, held - limit.seats))
      : [],
  }
}
