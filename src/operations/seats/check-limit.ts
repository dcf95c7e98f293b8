import { observed } from '../../engine/access/observed.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { SeatUsage } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { seatAdvice } from './can-add.ts'

/** Why {@link checkSeatLimit} refuses. */
export type CheckSeatLimitRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | 'seat_limit_reached'
  | 'seats_unavailable'

/**
 * Checks whether an organization has a seat for one more member, for its members and for operators. A `role`
 * that takes no seat needs no free seat, and one of a type needs a free seat of the type. It is advice: it changes no row and keeps no seat, and each addition is
 * decided by itself.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `seat_limit_reached`, `seats_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const free = await checkSeatLimit(seatgate, { caller: { userId }, organization: 'acme' })
 * if (!free.ok && free.error.code === 'seat_limit_reached') console.log(free.error.limit)
 * ```
 */
export function checkSeatLimit(
  context: AccessContext & ProviderContext,
  scope: OrganizationScope,
  role?: string
): Promise<Result<SeatUsage, CheckSeatLimitRefusal>> {
  return observed(context, 'seat.limit_check', async (context) => {
    const advice = await seatAdvice(context, scope, ok(1), role)
    if (!advice.ok) return advice
    const { canAdd: _, refusal, waiting: __, ...usage } = advice.value
    return refusal === null ? ok(usage) : refused(refusal)
  })
}
