import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement } from '../../database/database.ts'
import { prepare, type Prepared } from '../../engine/changes/change-batch.ts'
import { isIdentifier } from '../../engine/access/organization-ref.ts'
import type { HookRefusal, InputRefusal, SeatRefusal } from '../../base/refusal.ts'
import { refused, type Result } from '../../base/result.ts'
import {
  checkCaller,
  isUser,
  marksOf,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import type { UserContext } from '../../database/user-table.ts'
import {
  parseMember,
  planAddition,
  type AddedMember,
  type AddMemberInput,
} from '../../engine/model/join.ts'
import { readmitUsers } from '../../engine/model/exclusions.ts'
import type { Newcomer } from '../../engine/model/membership.ts'
import { guardUserExists } from '../../engine/access/access-guards.ts'
import type { MembershipContext } from './membership-context.ts'
import { mayChangeRole, type AccessContext, type HasRoles } from '../../engine/access/roles.ts'

/** Why {@link prepareMember} refuses. */
export type PrepareMemberRefusal =
  | 'insufficient_role'
  | InputRefusal
  | SeatRefusal
  | HookRefusal
  | 'already_member'
  | 'operation_in_progress'

/**
 * Prepares a membership for a batch of the host's own: registering a user straight into an
 * organization, say. The organization is named by its id. No database call is made: whether the
 * caller may, and whether the person is not a member yet, is decided in the batch. The seat is taken
 * now; unless the batch is committed it is free again within a minute.
 *
 * Refusals: `insufficient_role`, `InputRefusal`, `SeatRefusal`, `HookRefusal`, `already_member`,
 * `operation_in_progress`; `commitTogether` answers `organization_not_found` and the rest.
 *
 * @throws {TypeError} if the scope does not name the organization by its id.
 *
 * @example
 * ```ts
 * const joining = await prepareMember(seatgate, { caller: { type: 'system' }, organization: id }, { userId, role: 'member' })
 * if (joining.ok) await commitTogether(seatgate, joining.value, { before: [insertUser] })
 * ```
 */
export async function prepareMember<Role extends string = string>(
  seatgate: MembershipContext & HasRoles<Role>,
  scope: OrganizationScope & { readonly caller: Principal },
  input: AddMemberInput<NoInfer<Role>>
): Promise<Result<Prepared<AddedMember>, PrepareMemberRefusal>> {
  const { caller, organization: organizationId } = scope
  checkCaller(caller)
  if (!isIdentifier(organizationId)) {
    throw new TypeError('prepareMember: the organization must be named by its id.')
  }
  if (!mayBeAllowed(seatgate, caller, organizationId)) return refused({ code: 'insufficient_role' })
  const parsed = parseMember(seatgate, input)
  if (!parsed.ok) return parsed
  const { userId, role } = parsed.value
  if (!mayBeAllowed(seatgate, caller, organizationId, role)) {
    return refused({ code: 'insufficient_role' })
  }
  const now = seatgate.now()
  const guards = [
    ...guardUnseen(seatgate, caller, { organizationId, userId, role }),
    readmitUsers(seatgate, organizationId, [userId]),
  ]
  const plan = planAddition(seatgate, { organizationId, userId, role }, caller, now, guards)
  return prepare(seatgate, { caller, ...marksOf(scope), now }, plan)
}

// Those who are no people bring their role with them; what a person may, their membership says.
function mayBeAllowed(
  { roles }: Pick<AccessContext, 'roles'>,
  caller: Principal,
  organizationId: string,
  role: string | null = null
): boolean {
  if (isUser(caller) || caller.type === 'system') return true
  if (caller.type === 'anonymous') return false
  return caller.organizationId === organizationId && mayChangeRole(roles, caller.role, null, role)
}

// What a plan is otherwise made on, decided in the batch: each condition with the code of its own.
function guardUnseen(
  seatgate: AccessContext & UserContext,
  caller: Principal,
  { organizationId, userId, role }: Newcomer
): Statement[] {
  const { db, roles } = seatgate
  const live = sql`exists (select 1 from seatgate_organizations
    where id = ${organizationId} and deleted_at is null)`
  const allowed = roles.all.filter((actorRole) => mayChangeRole(roles, actorRole, null, role))
  const actor = (condition = sql`true`) => sql`exists (select 1 from seatgate_memberships
    where organization_id = ${organizationId} and user_id = ${isUser(caller) ? caller.userId : null}
    and status = 'active' and ${condition})`
  const byUser = isUser(caller)
  return [
    guard(db, 'organization_not_found', byUser ? sql`${live} and ${actor()}` : live),
    ...(byUser
      ? [
          guard(
            db,
            'insufficient_role',
            actor(sql`role in (select value from json_each(${JSON.stringify(allowed)}))`)
          ),
        ]
      : []),
    ...guardUserExists(seatgate, userId, 'user_unknown'),
    guard(
      db,
      'already_member',
      sql`not exists (select 1 from seatgate_memberships
        where organization_id = ${organizationId} and user_id = ${userId})`
    ),
  ]
}
