import { observed } from '../../engine/access/observed.ts'
import { find, platformOnly } from '../../engine/access/authorize.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { planEntitlement, type EntitleContext } from '../../engine/model/entitle.ts'
import { entitlementQueries } from '../../engine/seats/entitlement-rows.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { entitlementView, type EntitlementView } from './entitlement-view.ts'

/** Why {@link getEntitlement} refuses. */
export type GetEntitlementRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Returns the numbers that an organization's seat limit is made of, its version, and what an operator has
 * set; for operators and the host itself. Others get `organization_not_found`.
 *
 * Refusals: `unauthenticated`, `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const found = await getEntitlement(seatgate, { caller: operator, organization: 'acme' })
 * if (found.ok) console.log(found.value.included, found.value.limit)
 * ```
 */
export function getEntitlement(
  context: EntitleContext & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<EntitlementView, GetEntitlementRefusal>> {
  return observed(context, 'seat.entitlement_get', async (context) => {
    const { db, now } = context
    const allowed = await platformOnly(context, scope.caller)
    if (!allowed.ok) {
      const { code } = allowed.error
      return refused({ code: code === 'insufficient_role' ? 'organization_not_found' : code })
    }
    const queries = entitlementQueries(db, organizationIdOf(scope.organization))
    const { organization, rows } = await find(db, scope, queries)
    if (organization === null) return refused({ code: 'organization_not_found' })
    return ok(entitlementView(planEntitlement(context, organization.id, rows, {}, now())))
  })
}
