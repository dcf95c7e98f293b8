import type { ChangeContext } from '../operations/change-context.ts'
import type { OperationOptions } from '../operations/perform.ts'
import { find } from '../organizations/standing.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { SeatDifference } from './differences.ts'
import { examine } from './examine.ts'
import { repair } from './repair.ts'
import { usageView, type SeatUsage } from './usage.ts'
import { verifiable } from './verify.ts'

/** What was put right, and how the seats stand now. */
export interface SeatRebuild extends SeatUsage {
  readonly repaired: readonly SeatDifference[]
}

/**
 * Counts an organization's seats anew from D1, for operators and the host itself: the counter of
 * members, and the ledger, which starts again under a new epoch. Admissions under way are made anew
 * by themselves. Nobody is removed: with more members than seats the organization is over its limit.
 * On record as `seat.drift_repaired`, with what was found.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `seats_unavailable` (what
 * D1 could not be told now the ledger hears within a minute), `operation_in_progress`, `unavailable`.
 *
 * @throws {StoreUnavailable} if D1 does not answer before anything is changed.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const rebuilt = await rebuildSeats(seatgate, { caller: operator, organization: 'acme' })
 * if (rebuilt.ok) console.log(rebuilt.value.repaired.length, rebuilt.value.overLimit)
 * ```
 */
export async function rebuildSeats(
  seatgate: ChangeContext,
  scope: OrganizationScope,
  { unreadableId }: Pick<OperationOptions, 'unreadableId'> = {}
): Promise<Result<SeatRebuild>> {
  const { db, seats, seatContext } = seatgate
  const organizationId = verifiable(await find(db, scope, {}))
  if (!organizationId.ok) return organizationId
  if (unreadableId) return refused(unreadableId.refusal)
  const examined = await examine(seatgate, organizationId.value)
  if (!examined.ok) return examined
  const repaired = await repair(seatgate, scope, examined.value, { renew: true })
  if (!repaired.ok) return repaired
  const count = await seats.usage(seatContext, organizationId.value)
  if (!count.ok) return count
  const { differences } = examined.value
  return ok({ ...usageView(count.value), repaired: repaired.value ? differences : [] })
}
