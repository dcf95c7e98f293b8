import { observed } from '../../engine/access/observed.ts'
import type { Queries } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { OrganizationRow } from '../../database/schema/organizations-tables.ts'
import { find, type Found } from '../../engine/access/authorize.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import {
  isOperator,
  isUser,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import { usageView, type SeatUsage } from '../../engine/seats/limit.ts'

/** Why {@link seatUsage} refuses. */
export type SeatUsageRefusal = 'unauthenticated' | 'organization_not_found' | 'seats_unavailable'

/**
 * Returns how many seats an organization uses, and its limit; for its members and for operators.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `seats_unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const usage = await seatUsage(seatgate, { caller: { userId }, organization: 'acme' })
 * if (usage.ok) console.log(usage.value.available)
 * ```
 */
export function seatUsage(
  context: DatabaseContext & ProviderContext,
  scope: OrganizationScope
): Promise<Result<SeatUsage, SeatUsageRefusal>> {
  return observed(context, 'seat.usage', async (context) => {
    const found = await find(context.db, scope, {})
    if (found.caller === null) return refused({ code: 'unauthenticated' })
    const organization = seenByMemberOrOperator(found)
    if (!organization.ok) return organization
    const count = await context.seats.usage(context.seatContext, organization.value.id)
    return count.ok ? ok(usageView(count.value)) : count
  })
}

/** Returns the organization for members and operators; refuses others as if it did not exist. */
export function seenByMemberOrOperator({
  caller,
  organization,
  membership,
}: Found<Queries>): Result<OrganizationRow, 'organization_not_found'> {
  return organization !== null && (membership !== null || mayLookIn(caller, organization.id))
    ? ok(organization)
    : refused({ code: 'organization_not_found' })
}

function mayLookIn(caller: Principal | null, organizationId: string): boolean {
  if (caller === null) return false
  if (isUser(caller)) return isOperator(caller)
  if (caller.type === 'anonymous') return false
  return caller.type === 'system' || caller.organizationId === organizationId
}
