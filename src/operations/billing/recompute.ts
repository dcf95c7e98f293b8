import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { isSystem } from '../../engine/access/principal.ts'
import { applyLimit, type LimitContext } from '../../engine/changes/apply-limit.ts'
import { perform } from '../../engine/changes/operation.ts'
import { planEntitlement } from '../../engine/model/entitle.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import type { Entitlement } from '../../engine/seats/provider.ts'
import { ok, refused, type Result } from '../../base/result.ts'

/**
 * Computes an organization's limit again at this instant: after an end, a grace or a trial that the clock
 * has passed, and after a change of the configured plans. The caller is the host itself.
 */
export async function recomputeEntitlement(
  seatgate: LimitContext,
  organizationId: string
): Promise<Result<Entitlement>> {
  const { db } = seatgate
  const written = await perform(
    seatgate,
    { caller: { type: 'system' }, organization: organizationId },
    {
      name: 'seat.entitlement_recompute',
      input: null,
      grows: false,
      queries: entitlementQueries(db, organizationIdOf(organizationId)),
      plan({ organization, rows }, caller, now) {
        if (organization === null || !isSystem(caller)) {
          return refused({ code: 'organization_not_found' })
        }
        const planned = planEntitlement(seatgate, organization.id, rows, { swept: true }, now)
        const { entitlement, statements, events } = planned
        return ok({ value: entitlement, statements, events, noticesDue: [organization.id] })
      },
    }
  )
  if (!written.ok) return written
  const applied = await applyLimit(seatgate, written.value)
  return applied.ok ? written : applied
}
