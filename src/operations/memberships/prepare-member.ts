import { observed } from '../../engine/access/observed.ts'
import { prepare, type Prepared } from '../../engine/changes/prepare-change.ts'
import { sql, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, UserContext } from '../../database/database.ts'
import { onlyOnce } from '../../engine/audit/only-once.ts'
import { confinedTo, isIdentifier } from '../../engine/access/organization-ref.ts'
import { hasAllOf, type HolderIn } from '../../engine/access/role-conditions.ts'
import {
  refused,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type JoinRefusal,
} from '../../base/result.ts'
import {
  checkCaller,
  isUser,
  requestInfoOf,
  type OrganizationScope,
  type Principal,
} from '../../engine/access/principal.ts'
import {
  parseMember,
  planJoin,
  type AddedMember,
  type AddMemberInput,
} from '../../engine/model/join.ts'
import type { Newcomer } from '../../engine/model/membership.ts'
import { guardUserExists } from '../../engine/access/access-guards.ts'
import type { MembershipContext } from '../../engine/changes/change-context.ts'
import {
  mayChangeRole,
  type AccessContext,
  type HasRoles,
  rightsOf,
  isConfigured,
  neededToGive,
  OWN_ROLE_NAME,
  unknownRole,
  type Roles,
} from '../../engine/access/roles.ts'

/** Why {@link prepareMember} refuses. */
export type PrepareMemberRefusal =
  | 'insufficient_role'
  | InputRefusal
  | JoinRefusal
  | HookRefusal
  | 'already_member'
  | 'operation_in_progress'

/**
 * Prepares a membership for a batch of the host, for example to register a user together with a
 * membership. Identify the organization by its id. Sends no query to D1: the batch checks the caller's
 * role, and that the user is not a member yet. The seat is claimed now; without a commit it is free again
 * within a minute.
 *
 * Refusals: `insufficient_role`, `InputRefusal`, `JoinRefusal`, `HookRefusal`, `already_member`,
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
export function prepareMember<Role extends string = string>(
  context: MembershipContext & HasRoles<Role>,
  scope: OrganizationScope & { readonly caller: Principal },
  input: AddMemberInput<NoInfer<Role>>
): Promise<Result<Prepared<AddedMember>, PrepareMemberRefusal>> {
  return observed(context, 'organization.member_add.prepare', async (context) => {
    const { caller, organization: organizationId } = scope
    checkCaller(caller)
    if (!isIdentifier(organizationId)) {
      throw new TypeError('prepareMember: the organization must be named by its id.')
    }
    if (!mayBeAllowed(context, caller, organizationId))
      return refused({ code: 'insufficient_role' })
    const parsed = parseMember(context, input)
    if (!parsed.ok) return parsed
    const { userId, role } = parsed.value
    if (!isConfigured(context.roles, role)) return unknownRole(context.roles)
    if (!mayBeAllowed(context, caller, organizationId, role)) {
      return refused({ code: 'insufficient_role' })
    }
    const now = context.now()
    const guards = [
      ...guardUnseen(context, caller, { organizationId, userId, role }),
      ...(context.joining
        ? [context.joining.members.readmitUsers(context, organizationId, [userId])]
        : []),
    ]
    const plan = planJoin(context, { organizationId, userId, role }, caller, now, guards)
    const events = onlyOnce(plan.events)
    return prepare(context, { caller, ...requestInfoOf(scope), now }, { ...plan, events })
  })
}

// Other callers bring their role with them, unless the organization has made it; the roles of a user are in
// their membership.
function mayBeAllowed(
  { roles }: Pick<AccessContext, 'roles'>,
  caller: Principal,
  organizationId: string,
  role: string | null = null
): boolean {
  if (isUser(caller) || caller.type === 'system') return true
  if (caller.type === 'anonymous') return false
  return (
    caller.organizationId === organizationId &&
    (hasOwnRole(roles, caller) || mayChangeRole(roles, rightsOf(roles, caller), null, role))
  )
}

function hasOwnRole({ all, extend }: Roles, { role }: { readonly role: string }): boolean {
  return extend !== null && !all.includes(role) && OWN_ROLE_NAME.test(role)
}

// The reads that a plan is otherwise based on, as conditions of the batch with their own codes.
function guardUnseen(
  context: AccessContext & UserContext,
  caller: Principal,
  { organizationId, userId, role }: Newcomer
): Statement[] {
  const { db } = context
  const live = sql`exists (select 1 from seatgate_organizations
    where id = ${organizationId} and deleted_at is null)`
  const confined = confinedTo(caller, sql`organization_id`) ?? sql`true`
  const actor = (condition = confined) => sql`exists (select 1 from seatgate_memberships
    where organization_id = ${organizationId} and user_id = ${isUser(caller) ? caller.userId : null}
    and status = 'active' and ${condition})`
  return [
    guard(db, 'organization_not_found', isUser(caller) ? sql`${live} and ${actor()}` : live),
    ...guardGiver(context, caller, { organizationId, role }, actor),
    ...guardUserExists(context, userId, 'user_unknown'),
    guard(
      db,
      'already_member',
      sql`not exists (select 1 from seatgate_memberships
        where organization_id = ${organizationId} and user_id = ${userId})`
    ),
  ]
}

function guardGiver(
  { db, roles }: AccessContext,
  caller: Principal,
  { organizationId, role }: Pick<Newcomer, 'organizationId' | 'role'>,
  actor: (condition: SQL) => SQL
): Statement[] {
  const needed = neededToGive(roles, role)
  const mayGive = (holder: Omit<HolderIn, 'organizationId'>) =>
    needed === null
      ? sql`${holder.role} = ${roles.owner}`
      : hasAllOf(roles, needed, { organizationId, ...holder })
  if (isUser(caller)) {
    const column = (name: string) => sql.raw(`seatgate_memberships.${name}`)
    const columns = { role: column('role'), groupRoles: column('group_roles') }
    return [guard(db, 'insufficient_role', actor(mayGive(columns)))]
  }
  if (caller.type !== 'service_account' || !hasOwnRole(roles, caller)) return []
  return [guard(db, 'insufficient_role', mayGive({ role: caller.role, groupRoles: '[]' }))]
}
