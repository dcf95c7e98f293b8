import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import {
  HOOK_REFUSALS,
  JOIN_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type JoinRefusal,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  parseMember,
  planJoin,
  type AddedMember,
  type AddMemberInput,
} from '../../engine/model/join.ts'
import { guardAccess, guardUserExists } from '../../engine/access/access-guards.ts'
import { knownId, membershipView, personOf } from '../../engine/model/membership.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import {
  mayChangeRole,
  type HasRoles,
  isConfigured,
  unknownRole,
} from '../../engine/access/roles.ts'

/** Why {@link addMember} refuses. */
export type AddMemberRefusal =
  | AccessRefusal
  | InputRefusal
  | JoinRefusal
  | HookRefusal
  | StoreRefusal
  | 'already_member'

/**
 * Adds a member `{ userId, role }`: claims a seat, then writes the membership and its audit events in one
 * batch. An existing member is returned or refused before seats are counted.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `userId` and `role`), `JoinRefusal`, `HookRefusal`,
 * `StoreRefusal`, `already_member` (with another role, or suspended).
 *
 * @example
 * ```ts
 * const scope = { caller: { userId: ownerId }, organization: 'acme' }
 * const added = await addMember(seatgate, scope, { userId, role: 'member' })
 * if (!added.ok && added.error.code === 'seat_limit_reached') console.log(added.error.limit)
 * ```
 */
export async function addMember<Role extends string = string>(
  context: MembershipContext & HasRoles<Role>,
  scope: OrganizationScope,
  input: AddMemberInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<AddedMember, AddMemberRefusal>> {
  const { users, roles } = context
  const parsed = parseMember(context, input)
  const userId = parsed.ok ? parsed.value.userId : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.member_add',
      input,
      grows: true,
      refusals: [...HOOK_REFUSALS, ...JOIN_REFUSALS],
      target: { userId, ...(users && { person: knownId(users, userId) }) },
      queries: {
        invited:
          context.invitations?.members.toUser(
            context,
            organizationIdOf(scope.organization),
            userId
          ) ?? null,
        excluded:
          context.joining?.members.exclusionsOf(
            context,
            organizationIdOf(scope.organization),
            personOf(context, userId)
          ) ?? null,
      },
      plan(found, caller, now) {
        const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { role } = parsed.value
        if (!isConfigured(access.value.roles, role)) return unknownRole(access.value.roles)
        const { organization } = access.value
        if (!mayChangeRole(access.value.roles, access.value, null, role)) {
          return refused({ code: 'insufficient_role' })
        }
        if (users && found.person === null) {
          return refused(invalid({ userId: ['This user does not exist.'] }))
        }
        const { target: existing } = found
        if (existing) {
          if (existing.role !== role || existing.status !== 'active') {
            return refused({ code: 'already_member' })
          }
          return ok(unchanged({ membership: membershipView(existing), created: false }))
        }
        const guards = [guardAccess(context, access.value), ...guardUserExists(context, userId)]
        const newcomer = { organizationId: organization.id, userId, role }
        const { invited } = found.rows
        const excluded = context.joining?.members.excluding(found.rows.excluded, userId) ?? []
        return ok(planJoin(context, newcomer, caller, now, guards, { invited, excluded }))
      },
    },
    options
  )
}
