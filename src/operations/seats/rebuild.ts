import type { Queries } from '../../database/batch.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import type { AccessRefusal, InputRefusal, StoreRefusal } from '../../base/refusal.ts'
import { ok, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { SeatDifference } from './differences.ts'
import { examine } from './examine.ts'
import { repair } from './repair.ts'
import { usageView, type SeatUsage } from '../../engine/seats/seat-count.ts'
import { verifiable } from './verify.ts'

/** The repaired differences, and the seats afterwards. */
export interface SeatRebuild extends SeatUsage {
  readonly repaired: readonly SeatDifference[]
}

/** Why {@link rebuildSeats} refuses. */
export type RebuildSeatsRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'seats_unavailable'

/**
 * Counts an organization's seats again from D1, for operators and the host itself: the counter of
 * members, and the ledger, which starts again under a new epoch. Claims in progress are repeated
 * automatically. No member is removed: with more members than seats the organization is over its limit.
 * Records `seat.drift_repaired` with the differences.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `seats_unavailable` (what D1 could not be told
 * now the ledger hears within a minute).
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
  options: OperationOptions = {}
): Promise<Result<SeatRebuild, RebuildSeatsRefusal>> {
  const rebuilt = await perform<Queries, string | SeatRebuild, RebuildSeatsRefusal, never>(
    seatgate,
    scope,
    {
      name: 'seat.rebuild',
      input: null,
      grows: false,
      refusals: [],
      queries: {},
      plan(found) {
        const organizationId = verifiable(found)
        return organizationId.ok ? ok(unchanged(organizationId.value)) : organizationId
      },
      settle: (organizationId) => rebuild(seatgate, scope, organizationId as string),
    },
    options
  )
  return rebuilt as Result<SeatRebuild, RebuildSeatsRefusal>
}

async function rebuild(
  seatgate: ChangeContext,
  scope: OrganizationScope,
  organizationId: string
): Promise<Result<SeatRebuild, RebuildSeatsRefusal>> {
  const { seats, seatContext } = seatgate
  const examined = await examine(seatgate, organizationId)
  if (!examined.ok) return examined
  const repaired = await repair(seatgate, scope, examined.value, { renew: true })
  if (!repaired.ok) return repaired
  const count = await seats.usage(seatContext, organizationId)
  if (!count.ok) return count
  const { differences } = examined.value
  return ok({ ...usageView(count.value), repaired: repaired.value ? differences : [] })
}
