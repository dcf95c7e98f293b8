import { observed } from '../../engine/access/observed.ts'
import { sql } from 'drizzle-orm'
import * as v from 'valibot'
import { jsonNumber, parseInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type InputRefusal,
  type RefusalOf,
  type Result,
  type SeatRefusal,
} from '../../base/result.ts'
import { takesSeat, type AccessContext } from '../../engine/access/roles.ts'
import { find } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { waitingFor } from '../../engine/seats/waitlist-seats.ts'
import type { SeatUsage } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { refusalAt } from '../../engine/seats/reserve-rules.ts'
import { typeOfRole } from '../../base/seat-types.ts'
import { readUsage, seenByMemberOrOperator } from './usage.ts'

const MOST = 1_000_000

const Input = v.nullish(jsonNumber({ min: 1, max: MOST }))

/** Whether there are seats for a number of new members. */
export interface CanAdd extends SeatUsage {
  readonly canAdd: boolean
  /** The refusal that the last of them would get now; null if there are seats. */
  readonly refusal: RefusalOf<SeatRefusal> | null
  /** The seats that users of the waitlist are to have first. */
  readonly waiting: number
}

/** Why {@link canAdd} refuses. */
export type CanAddRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | 'seats_unavailable'
  | InputRefusal

/**
 * Returns whether an organization has seats for `members` new members, for its members and for operators.
 * With a `role` that takes no seat (`roles.seatless`) it has; with one of a type of `roles.seatTypes` the
 * numbers are those of the type. It is advice: it changes no row and keeps no
 * seat, and each addition is decided by itself.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `seats_unavailable`, `InputRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const advice = await canAdd(seatgate, { caller: { userId }, organization: 'acme' }, 5)
 * if (advice.ok && !advice.value.canAdd) console.log(advice.value.available)
 * ```
 */
export function canAdd(
  context: AccessContext & ProviderContext,
  scope: OrganizationScope,
  members = 1,
  role?: string
): Promise<Result<CanAdd, CanAddRefusal>> {
  return observed(context, 'seat.can_add', async (context) => {
    const parsed = parseInput(Input, members)
    return seatAdvice(context, scope, parsed.ok ? ok(parsed.value ?? 1) : parsed, role)
  })
}

/** Returns the advice for a number of new members, or the refusal of the number to callers with access. */
export async function seatAdvice<R extends InputRefusal = never>(
  context: AccessContext & ProviderContext,
  scope: OrganizationScope,
  members: Result<number, R>,
  role?: string
): Promise<Result<CanAdd, Exclude<CanAddRefusal, InputRefusal> | R>> {
  const { db, roles, seatContext } = context
  const type = role === undefined ? null : typeOfRole(roles, role)
  const id = sql`${organizationIdOf(scope.organization)}`
  const found = await find(db, scope, {
    waiting: db
      .select({ waiting: waitingFor(id, seatContext, type).as('waiting') })
      .from(sql`(select 1)`),
  })
  if (found.caller === null) return refused({ code: 'unauthenticated' })
  const organization = seenByMemberOrOperator(found)
  if (!organization.ok) return organization
  if (!members.ok) return members
  const read = await readUsage(context, organization.value.id, type)
  if (!read.ok) return read
  const { count, usage } = read.value
  const { limit, held, reserved } = count
  const waiting = found.rows.waiting[0]?.waiting ?? 0
  const last = held + reserved + waiting + members.value - 1
  const isSeated = role === undefined || takesSeat(roles, role)
  const refusal = isSeated ? refusalAt(limit, last, type) : null
  // The numbers of a refusal are those of the seats, without the seats that are asked for.
  const told =
    refusal?.code === 'seat_limit_reached' ? { ...refusal, used: held + reserved } : refusal
  return ok({ ...usage, canAdd: refusal === null, refusal: told, waiting })
}
