import { eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { joinRequestEvent } from '../../engine/audit/part-actions.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { joinRequests, type JoinRequestRow } from '../../database/schema/joining-tables.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import type { Question } from '../../engine/model/hooks.ts'
import { nextPlace, waitsForSeat } from '../../engine/model/waitlist-place.ts'
import { parseInput } from '../../base/input.ts'
import { planJoin, type JoinDetails } from '../../engine/model/join.ts'
import { excluding, exclusionsOf, readmit } from '../../engine/model/exclusions.ts'
import { guardAccess, guardUnchanged, guardUserExists } from '../../engine/access/access-guards.ts'
import { membershipView, personOf } from '../../engine/model/membership.ts'
import {
  isConfigured,
  mayChangeRole,
  roleInput,
  type HasRoles,
  unknownRole,
} from '../../engine/access/roles.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  JOIN_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type JoinRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type OrganizationScope, type Principal } from '../../engine/access/principal.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import {
  guardRequest,
  joinRequestOf,
  membershipOfRequester,
  outcomeOnWaitlist,
} from './joining-lookup.ts'
import {
  joinRequestView,
  pendingOutcome,
  type JoinOutcome,
} from '../../engine/model/join-request.ts'

/** The input of {@link approveJoinRequest}. */
export interface ApprovalInput<Role extends string = string> {
  /** The role of the new member. Default: the role of the request. */
  readonly role?: Role | undefined
}

/** Why {@link approveJoinRequest} refuses. */
export type ApproveJoinRequestRefusal =
  | AccessRefusal
  | InputRefusal
  | JoinRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'not_pending'
  | 'role_not_configured'
  | 'already_member'

/**
 * Approves a request to join, with its role or another one `{ role? }`. Without a free seat it is refused
 * and the request stays open, or the user joins the waitlist, as `joinRules` configures. On the waitlist
 * the approval is valid only while the caller could give it: if they lose the right before there is a
 * seat, the request is open again.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `JoinRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`,
 * `not_pending`, `role_not_configured`, `already_member` (suspended).
 *
 * @throws {TypeError} if the host has configured no `joining`.
 *
 * @example
 * ```ts
 * const approved = await approveJoinRequest(seatgate, scope, request.id, {})
 * if (approved.ok && approved.value.status === 'joined') welcome(approved.value.membership.userId)
 * ```
 */
export async function approveJoinRequest<Role extends string = string>(
  context: JoiningContext & HasRoles<Role>,
  scope: OrganizationScope,
  id: string,
  input: ApprovalInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<JoinOutcome, ApproveJoinRequestRefusal>> {
  const { db, roles } = context
  configured(context)
  const parsed = parseInput(
    v.object({ role: v.optional(roleInput(roles)) }, 'Must be an object.'),
    input
  )
  return perform(
    context,
    scope,
    {
      name: 'organization.join_request.approve',
      input: [id, input],
      grows: true,
      refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS],
      finish: (outcome) => outcomeOnWaitlist(context, outcome),
      queries: {
        targets: joinRequestOf(db, scope, id),
        existing: membershipOfRequester(db, id),
        excluded: exclusionsOf(
          context,
          organizationIdOf(scope.organization),
          personOf(context, sql`(select user_id from seatgate_join_requests where id = ${id})`)
        ),
        invited:
          context.invitations?.members.toUser(
            context,
            organizationIdOf(scope.organization),
            sql`(select user_id from seatgate_join_requests where id = ${id})`
          ) ?? null,
      },
      plan(found, caller, now): Result<Plan<JoinOutcome>, ApproveJoinRequestRefusal> {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { role: given } = parsed.value
        if (given !== undefined && !isConfigured(access.value.roles, given)) {
          return unknownRole(access.value.roles)
        }
        const [target] = found.rows.targets
        if (target === undefined) return refused({ code: 'not_found' })
        const role = given ?? target.role
        if (!mayChangeRole(access.value.roles, access.value, null, role)) {
          return refused({ code: 'insufficient_role' })
        }
        if (target.state === 'waiting') return ok(unchanged(pendingOutcome(target)))
        if (target.state !== 'open') return refused({ code: 'not_pending' })
        if (!isConfigured(access.value.roles, role)) return refused({ code: 'role_not_configured' })
        const guards = [guardAccess(context, access.value), guardRequest(context, target)]
        const [existing] = found.rows.existing
        if (existing?.status === 'suspended') return refused({ code: 'already_member' })
        const request = joinRequestView(target)
        const before: Question[] = [
          { hook: 'beforeJoinRequestApprove', state: { request, role, caller } },
        ]
        if (existing) {
          return ok({
            value: { status: 'joined', membership: membershipView(existing) },
            before,
            statements: [
              ...guards,
              guardUnchanged(context, existing),
              decide(context, target, 'closed', caller, now),
            ],
            events: [
              withHook(
                joinRequestEvent(target, 'organization.join_request.closed'),
                'afterJoinRequestClose',
                {
                  request: { ...request, state: 'closed', updatedAt: now.toISOString() },
                  path: 'already_member',
                }
              ),
            ],
          })
        }
        const { invited } = found.rows
        const excluded = excluding(found.rows.excluded, target.userId)
        const comer = { invited, excluded }
        const plan = planApproval(context, { ...target, role }, caller, now, guards, comer)
        return ok({ ...plan, before: [...before, ...(plan.before ?? [])] })
      },
    },
    options
  )
}

function planApproval(
  context: JoiningContext,
  target: JoinRequestRow,
  caller: Principal,
  now: Date,
  guards: Plan<unknown>['statements'],
  { invited, excluded }: Required<Pick<JoinDetails, 'excluded' | 'invited'>>
): Plan<JoinOutcome> {
  const { organizationId, userId, role } = target
  const approved = (state: 'waiting' | 'joined') =>
    withHook(
      joinRequestEvent(target, 'organization.join_request.approved', { role }),
      'afterJoinRequestApprove',
      { request: joinRequestView({ ...target, state, updatedAt: now }) }
    )
  if (waitsForSeat(context, configured(context).whenFull.request, role)) {
    const waiting = { ...target, state: 'waiting', updatedAt: now } as const
    return {
      value: pendingOutcome(waiting),
      before: [{ hook: 'beforeJoinRequestQueue', state: { organizationId, userId, role, caller } }],
      statements: [
        ...guards,
        ...readmit(context, excluded),
        decide(context, target, 'waiting', caller, now),
      ],
      events: [
        approved('waiting'),
        withHook(
          joinRequestEvent(target, 'organization.join_request.queued'),
          'afterJoinRequestQueue',
          { request: joinRequestView(waiting) }
        ),
      ],
    }
  }
  const plan = planJoin(
    context,
    { organizationId, userId, role },
    caller,
    now,
    [
      ...guards,
      ...guardUserExists(context, userId, 'user_unknown'),
      decide(context, target, 'joined', caller, now),
    ],
    { path: 'request', requestId: target.id, invited, excluded }
  )
  return {
    ...plan,
    value: { status: 'joined', membership: plan.value.membership },
    events: [approved('joined'), ...plan.events],
  }
}

function decide(
  { db }: DatabaseContext,
  { id, organizationId, role }: JoinRequestRow,
  state: 'waiting' | 'joined' | 'closed',
  caller: Principal,
  now: Date
) {
  return db
    .update(joinRequests)
    .set({
      state,
      role,
      ...(state === 'waiting' && { place: nextPlace(organizationId) }),
      decidedById: userIdOf(caller),
      updatedAt: now,
    })
    .where(eq(joinRequests.id, id))
}
