import { and, eq, sql } from 'drizzle-orm'
import { joinRequestEvent } from '../../engine/audit/part-actions.ts'
import { joinRequests } from '../../database/schema/joining-tables.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { withHook } from '../../engine/model/plan.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type CommitRefusal,
  type HookRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import {
  requestInfoOf,
  userIdOf,
  type OrganizationScope,
  type Scope,
} from '../../engine/access/principal.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import { guardRequest, joinRequestOf } from './joining-lookup.ts'
import {
  isPendingRequest,
  joinRequestView,
  type JoinRequest,
} from '../../engine/model/join-request.ts'

/** Why {@link declineJoinRequest} refuses. */
export type DeclineJoinRequestRefusal =
  | AccessRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'not_pending'

/**
 * Declines a request to join, also of a user on the waitlist. They may request again after a day.
 *
 * Refusals: `AccessRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`, `not_pending`.
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * await declineJoinRequest(seatgate, scope, request.id)
 * ```
 */
export async function declineJoinRequest(
  context: JoiningContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<JoinRequest, DeclineJoinRequestRefusal>> {
  const { db, roles } = context
  configured(context)
  return perform(
    context,
    scope,
    {
      name: 'organization.join_request.decline',
      input: id,
      grows: false,
      refusals: [...HOOK_REFUSALS],
      queries: { targets: joinRequestOf(db, scope, id) },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        const [target] = found.rows.targets
        if (target === undefined) return refused({ code: 'not_found' })
        if (!isPendingRequest(target)) return refused({ code: 'not_pending' })
        const ended = {
          state: 'declined',
          decidedById: userIdOf(caller),
          updatedAt: now,
        } as const
        const request = joinRequestView({ ...target, ...ended })
        return ok({
          value: request,
          before: [
            {
              hook: 'beforeJoinRequestDecline',
              state: { request: joinRequestView(target), caller },
            },
          ],
          statements: [
            guardAccess(context, access.value),
            guardRequest(context, target),
            db.update(joinRequests).set(ended).where(eq(joinRequests.id, id)),
          ],
          events: [
            withHook(
              joinRequestEvent(target, 'organization.join_request.declined'),
              'afterJoinRequestDecline',
              { request, path: 'declined' }
            ),
          ],
        })
      },
    },
    options
  )
}

/** Why {@link withdrawJoinRequest} refuses. */
export type WithdrawJoinRequestRefusal =
  | 'unauthenticated'
  | HookRefusal
  | CommitRefusal
  | 'not_found'
  | 'not_pending'

/**
 * Withdraws the caller's own request to join, and leaves the waitlist.
 *
 * Refusals: `unauthenticated`, `HookRefusal`, `CommitRefusal`, `not_found`, `not_pending`.
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * await withdrawJoinRequest(seatgate, { caller: session }, request.id)
 * ```
 */
export async function withdrawJoinRequest(
  context: JoiningContext,
  scope: Scope,
  id: string
): Promise<Result<JoinRequest, WithdrawJoinRequestRefusal>> {
  const { db } = context
  const { caller } = scope
  configured(context)
  return perform(
    context,
    { caller, ...requestInfoOf(scope) },
    {
      name: 'organization.join_request.withdraw',
      input: id,
      grows: false,
      refusals: [...HOOK_REFUSALS],
      queries: {
        targets: rowsWhere(
          db,
          joinRequests,
          and(eq(joinRequests.id, id), sql`${joinRequests.userId} = ${userIdOf(caller)}`)
        ),
      },
      plan({ rows }, by, now) {
        const [target] = rows.targets
        if (target === undefined) return refused({ code: 'not_found' })
        if (!isPendingRequest(target)) return refused({ code: 'not_pending' })
        const ended = { state: 'withdrawn', updatedAt: now } as const
        const request = joinRequestView({ ...target, ...ended })
        return ok({
          value: request,
          before: [
            {
              hook: 'beforeJoinRequestWithdraw',
              state: { request: joinRequestView(target), caller: by },
            },
          ],
          statements: [
            guardRequest(context, target),
            db.update(joinRequests).set(ended).where(eq(joinRequests.id, id)),
          ],
          events: [
            withHook(
              joinRequestEvent(target, 'organization.join_request.withdrawn'),
              'afterJoinRequestWithdraw',
              { request }
            ),
          ],
        })
      },
    }
  )
}
