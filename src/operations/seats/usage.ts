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
import { usageView, type SeatCount, type SeatUsage } from '../../engine/seats/limit.ts'
import type { SeatType } from '../../base/seat-types.ts'

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
    const read = await readUsage(context, organization.value.id)
    return read.ok ? ok(read.value.usage) : read
  })
}

/** Reads the seats of the default type, or of another one, and those of each type beside them. */
export async function readUsage(
  { seats, seatContext }: ProviderContext,
  organizationId: string,
  type: SeatType = null
): Promise<Result<{ readonly count: SeatCount; readonly usage: SeatUsage }, 'seats_unavailable'>> {
  const names = [...seatContext.seatTypes.keys()]
  const [first, ...others] = await Promise.all(
    ([null, ...names] satisfies SeatType[]).map((each) =>
      seats.usage(seatContext, organizationId, each)
    )
  )
  const types = new Map<SeatType, SeatCount>()
  for (const [index, count] of [first, ...others].entries()) {
    if (!count?.ok) return count ?? refused({ code: 'seats_unavailable' })
    types.set(names[index - 1] ?? null, count.value)
  }
  const count = types.get(type)
  if (!count) return refused({ code: 'seats_unavailable' })
  types.delete(null)
  const views = [...types].map(([name, each]) => [name, usageView(each)] as const)
  const usage = {
    ...usageView(count),
    ...(names.length > 0 && { types: Object.fromEntries(views) }),
  }
  return ok({ count, usage })
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
