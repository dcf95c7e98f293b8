import { and, asc, eq, isNotNull, lte, sql } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import type { Database, Statement } from '../../database/database.ts'
import { entitlementStates } from '../../database/schema/billing-tables.ts'
import { budgeted } from '../../database/statement-budget.ts'
import { recomputeEntitlement } from './recompute.ts'
import { restoreInTurn } from './restore-in-turn.ts'
import { suspendExcess, type ExcessContext } from './suspend-excess.ts'

const ORGANIZATIONS_PER_SWEEP = 20
const STATEMENTS_TO_RECOMPUTE = 20
const STATEMENTS_TO_SUSPEND = 160

/**
 * Does what the clock makes due for limits: the end of a trial, a subscription, a grace or an override
 * changes the limit, and members without a seat are suspended where the plan says so. The longest due
 * come first, as many as there are statements for. Then suspended members are restored where there are seats.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function sweepEntitlements(unbudgeted: ExcessContext): Promise<void> {
  const seatgate = budgeted(unbudgeted)
  const { db, now, report, budget } = seatgate
  const most = budget.rows(ORGANIZATIONS_PER_SWEEP, STATEMENTS_TO_RECOMPUTE, 1)
  const { due } = await batch(db, {
    due: db
      .select({ organizationId: entitlementStates.organizationId })
      .from(entitlementStates)
      .where(and(isNotNull(entitlementStates.dueAt), lte(entitlementStates.dueAt, now())))
      .orderBy(asc(entitlementStates.dueAt))
      .limit(most),
  })
  if (due.length === most) budget.leave()
  for (const { organizationId } of due) {
    const failed = (error: unknown) =>
      report({ event: 'entitlement_sweep_failed', organizationId, error })
    try {
      const recomputed = await recomputeEntitlement(seatgate, organizationId)
      if (!recomputed.ok && recomputed.error.code === 'organization_not_found') {
        await batch(db, { ended: endTurn(db, organizationId) })
        continue
      }
      if (!recomputed.ok) failed(recomputed.error)
      for (let more = true; more;) {
        more = false
        await budget.spend(STATEMENTS_TO_SUSPEND, async () => {
          const suspended = await suspendExcess(seatgate, organizationId)
          if (!suspended.ok) failed(suspended.error)
          else more = suspended.value > 0
        })
      }
    } catch (error) {
      failed(error)
    }
  }
  await restoreInTurn(seatgate)
}

// The limit of a deleted organization does not change. Its restoration makes it due again.
function endTurn(db: Database, organizationId: string): Statement {
  return db
    .update(entitlementStates)
    .set({ dueAt: null })
    .where(
      and(
        eq(entitlementStates.organizationId, organizationId),
        sql`exists (select 1 from seatgate_organizations
          where id = ${organizationId} and deleted_at is not null)`
      )
    )
}
