import { eq, sql } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { impersonations } from '../../database/schema/impersonation-tables.ts'
import { authorizeFor, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import {
  isOperator,
  isSystem,
  userIdOf,
  type OrganizationScope,
  type Scope,
} from '../../engine/access/principal.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { impersonationView, runningOf, type RunningImpersonations } from './running.ts'

/**
 * Lists the running impersonations of an organization, oldest first, for readers of its audit trail. The
 * trail has the earlier ones.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const running = await listImpersonations(seatgate, scope)
 * ```
 */
export function listImpersonations(
  context: AccessContext & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<RunningImpersonations, AccessRefusal>> {
  return observed(context, 'organization.impersonation.list', async ({ db, roles, now }) => {
    const { caller, organization } = scope
    const there = eq(impersonations.organizationId, organizationIdOf(organization))
    const allowed = readable(caller, organization, { roles, permission: 'audit:read' })
    const found = await find(db, scope, { running: runningOf(db, now(), there, allowed) })
    const access = authorizeFor(roles, found, 'audit:read')
    return access.ok ? ok({ data: found.rows.running.map(impersonationView) }) : access
  })
}

/** Why {@link listOwnImpersonations} refuses. */
export type ListOwnImpersonationsRefusal = 'unauthenticated' | 'insufficient_role'

/**
 * Lists the operator's own running impersonations, oldest first. For the host itself the list is empty.
 *
 * Refusals: `unauthenticated`, `insufficient_role`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const own = await listOwnImpersonations(seatgate, { caller: { userId, operator: true } })
 * ```
 */
export function listOwnImpersonations(
  context: DatabaseContext & Pick<Runtime, 'now'>,
  { caller }: Scope
): Promise<Result<RunningImpersonations, ListOwnImpersonationsRefusal>> {
  return observed(context, 'impersonation.list', async ({ db, now }) => {
    const isOwn = sql`${impersonations.operatorId} = ${userIdOf(caller)}`
    const found = await find(db, { caller }, { own: runningOf(db, now(), isOwn) })
    const { caller: by, rows } = found
    if (by === null) return refused({ code: 'unauthenticated' })
    if (!isOperator(by) && !isSystem(by)) return refused({ code: 'insufficient_role' })
    return ok({ data: rows.own.map(impersonationView) })
  })
}
