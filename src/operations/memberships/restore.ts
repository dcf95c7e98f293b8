import { membershipsOf } from '../../engine/model/removals.ts'
import * as v from 'valibot'
import { memberEvent } from '../../engine/audit/event.ts'
import type { MembershipRow } from '../../database/schema/organizations-tables.ts'
import { unchanged, withHook, type Plan } from '../../engine/model/plan.ts'
import { parseInput, shortText } from '../../base/input.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  SEAT_REFUSALS,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type RefusalCode,
  type Result,
  type SeatRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { guardAccess, guardUnchanged } from '../../engine/access/access-guards.ts'
import { claimAgain, membershipView, type Membership } from '../../engine/model/membership.ts'
import type { JoiningMembersContext } from '../../engine/model/joining-members.ts'
import { isConfigured, mayChangeRole } from '../../engine/access/roles.ts'

const MOST_AT_ONCE = 100

/** The context of a restoration. */
export type RestoringContext = ChangeContext & JoiningMembersContext

/** Why {@link restoreMember} refuses. */
export type RestoreMemberRefusal =
  | AccessRefusal
  | SeatRefusal
  | HookRefusal
  | StoreRefusal
  | 'not_found'
  | 'role_not_configured'

/**
 * Restores a suspended member, who claims a new seat. An active member is returned unchanged.
 *
 * Refusals: `AccessRefusal`, `SeatRefusal`, `HookRefusal`, `StoreRefusal`, `not_found`,
 * `role_not_configured`.
 *
 * @example
 * ```ts
 * const restored = await restoreMember(seatgate, { caller, organization: 'acme' }, userId)
 * ```
 */
export async function restoreMember(
  context: RestoringContext,
  scope: OrganizationScope,
  userId: string,
  options: OperationOptions = {}
): Promise<Result<Membership, RestoreMemberRefusal>> {
  const restored = await restore<never>(context, scope, ok([userId]), userId, options)
  if (!restored.ok) return restored
  const [membership] = restored.value
  return membership ? ok(membership) : refused({ code: 'not_found' })
}

/** The input of {@link restoreMembers}: 1 to 100 user ids. */
export interface RestoreMembersInput {
  readonly userIds: readonly string[]
}

/** Why {@link restoreMembers} refuses. */
export type RestoreMembersRefusal = RestoreMemberRefusal | InputRefusal

/**
 * Restores up to 100 members `{ userIds }`: all of them, or no member if there are not enough seats.
 *
 * Refusals: `RestoreMemberRefusal`, `InputRefusal`.
 *
 * @example
 * ```ts
 * await restoreMembers(seatgate, { caller, organization: 'acme' }, { userIds: [ann, ben] })
 * ```
 */
export async function restoreMembers(
  context: RestoringContext,
  scope: OrganizationScope,
  input: RestoreMembersInput,
  options: OperationOptions = {}
): Promise<Result<readonly Membership[], RestoreMembersRefusal>> {
  const parsed = parseInput(Input, input)
  const userIds = parsed.ok ? ok([...new Set(parsed.value.userIds)]) : parsed
  return restore(context, scope, userIds, input, options)
}

const Input = /* @__PURE__ */ (() =>
  v.object(
    {
      userIds: v.pipe(
        v.array(shortText(), 'Must be a list.'),
        v.minLength(1, 'Must not be empty.'),
        v.maxLength(MOST_AT_ONCE, `Must be at most ${MOST_AT_ONCE}.`)
      ),
    },
    'Must be an object.'
  ))()

async function restore<Code extends RefusalCode>(
  context: RestoringContext,
  scope: OrganizationScope,
  userIds: Result<readonly string[], Code>,
  input: unknown,
  options: OperationOptions
): Promise<Result<readonly Membership[], RestoreMemberRefusal | Code>> {
  const { db, roles } = context
  return perform(
    context,
    scope,
    {
      name: 'organization.member_restore',
      input,
      grows: true,
      refusals: [...HOOK_REFUSALS, ...SEAT_REFUSALS],
      queries: { targets: membershipsOf(db, scope, userIds.ok ? userIds.value : []) },
      plan(
        found,
        caller,
        now
      ): Result<
        Plan<readonly Membership[]>,
        Code | AccessRefusal | 'not_found' | 'role_not_configured'
      > {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        if (!userIds.ok) return userIds
        const { targets } = found.rows
        const mayAll = targets.every(({ role }) =>
          mayChangeRole(access.value.roles, access.value, null, role)
        )
        if (!mayAll) return refused({ code: 'insufficient_role' })
        if (targets.length < userIds.value.length) return refused({ code: 'not_found' })
        const suspended = targets.filter(({ status }) => status === 'suspended')
        if (suspended.some(({ role }) => !isConfigured(access.value.roles, role))) {
          return refused({ code: 'role_not_configured' })
        }
        if (suspended.length === 0) return ok(unchanged(targets.map(membershipView)))
        const back = (row: MembershipRow): MembershipRow =>
          row.status === 'active'
            ? row
            : { ...row, status: 'active', suspendedBy: null, updatedAt: now }
        return ok({
          value: targets.map((row) => membershipView(back(row))),
          before: suspended.map(({ organizationId, userId, role }) => ({
            hook: 'beforeAddMember',
            state: { organizationId, userId, role, path: 'restore', caller },
          })),
          statements: [
            guardAccess(context, access.value),
            ...suspended.map((row) => guardUnchanged(context, row)),
            ...(context.joining
              ? [
                  context.joining.members.readmitUsers(
                    context,
                    access.value.organization.id,
                    suspended.map(({ userId }) => userId)
                  ),
                ]
              : []),
          ],
          claims: suspended.map((row) => claimAgain(db, back(row))),
          events: suspended.map((row) =>
            withHook(
              memberEvent(row, 'organization.member_restore', { by: row.suspendedBy }),
              'afterAddMember',
              { membership: membershipView(back(row)), path: 'restore', requestId: null }
            )
          ),
        })
      },
    },
    options
  )
}
