import { eq, sql } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { ok, refused, type AccessRefusal, type Result } from '../../base/result.ts'
import type { DatabaseContext, UserContext } from '../../database/database.ts'
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
import { namedUsers, usersNamedIn, type NamedUser } from '../../engine/model/named-users.ts'
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
export async function listImpersonations(
  context: AccessContext & Pick<Runtime, 'now'>,
  scope: OrganizationScope
): Promise<Result<RunningImpersonations, AccessRefusal>> {
  const listed = await listImpersonationsAndUsers({ ...context, users: null }, scope)
  return listed.ok ? ok({ data: listed.value.data }) : listed
}

/** Lists as `listImpersonations` does, with the users of the host whom the list names by id. */
export function listImpersonationsAndUsers(
  context: AccessContext & Pick<Runtime, 'now'> & UserContext,
  scope: OrganizationScope
): Promise<
  Result<RunningImpersonations & { readonly users: readonly NamedUser[] }, AccessRefusal>
> {
  return observed(context, 'organization.impersonation.list', async (context) => {
    const { db, roles, now } = context
    const { caller, organization } = scope
    const there = eq(impersonations.organizationId, organizationIdOf(organization))
    const allowed = readable(caller, organization, { roles, permission: 'audit:read' })
    const running = runningOf(db, now(), there, allowed)
    const found = await find(db, scope, {
      running,
      users: usersNamedIn(
        context,
        sql`select user_id from (${running}) union select operator_id from (${running})`
      ),
    })
    const access = authorizeFor(roles, found, 'audit:read')
    if (!access.ok) return access
    const { rows } = found
    return ok({ data: rows.running.map(impersonationView), users: namedUsers(rows.users) })
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
