import { eq, sql } from 'drizzle-orm'
import { ok, refused, type Result, type StoreRefusal } from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import { impersonations } from '../../database/schema/impersonation-tables.ts'
import { guardLive } from '../../engine/access/access-guards.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  isOperator,
  isSystem,
  isUser,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import { impersonationEvent } from '../../engine/audit/impersonation-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import type { Plan } from '../../engine/model/plan.ts'
import type { ImpersonationContext } from './impersonation.ts'
import { runningOf } from './running.ts'

/** Why {@link endImpersonation} refuses. */
export type EndImpersonationRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | 'not_found'
  | StoreRefusal

/**
 * Ends an impersonation before it expires, for any operator, the host itself, and the caller who acts by
 * it. The next request with its token is refused, and a change in progress is rolled back.
 *
 * Refusals: `unauthenticated`, `organization_not_found` (also for other callers), `not_found` (also after
 * its end), `StoreRefusal`.
 *
 * @example
 * ```ts
 * await endImpersonation(seatgate, scope, started.value.id)
 * ```
 */
export async function endImpersonation(
  context: ImpersonationContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<null, EndImpersonationRefusal>> {
  const { db } = context
  const there = eq(impersonations.organizationId, organizationIdOf(scope.organization))
  return perform(
    context,
    scope,
    {
      name: 'organization.impersonation.end',
      input: id,
      grows: false,
      refusals: [],
      queries: { target: runningOf(db, context.now(), there, eq(impersonations.id, id)) },
      plan({ organization, rows }, caller): Result<Plan<null>, EndImpersonationRefusal> {
        if (organization === null || !mayEnd(caller, id)) {
          return refused({ code: 'organization_not_found' })
        }
        const [target] = rows.target
        if (!target) return refused({ code: 'not_found' })
        const ended = impersonationEvent(target, 'organization.impersonation.ended')
        return ok({
          value: null,
          statements: [
            guardLive(context, organization.id),
            guard(
              db,
              'stale',
              sql`exists (select 1 from seatgate_impersonations where id = ${target.id})`
            ),
            db.delete(impersonations).where(eq(impersonations.id, target.id)),
          ],
          events: [{ ...ended, causeEventId: target.id }],
        })
      },
    },
    options
  )
}

function mayEnd(caller: Principal, id: string): boolean {
  if (isUser(caller) && caller.impersonation?.id === id) return true
  return isOperator(caller) || isSystem(caller)
}
