import { eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { groupMembers, groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  isConfigured,
  mayChangeRole,
  unknownRole,
  type HasRoles,
} from '../../engine/access/roles.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import type { EndedWith } from '../../engine/model/membership.ts'
import { unchanged, type Plan } from '../../engine/model/plan.ts'
import {
  GroupName,
  groupOf,
  groupRole,
  groupView,
  groupsOf,
  guardGroup,
  isGroup,
  isIn,
  nameKeyOf,
  nameTaken,
  type Group,
} from './group.ts'
import { planLostRights, rightsQueries, writeGroupRoles } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'

/** The input of {@link updateGroup}: at least one of them; what is absent stays. */
export interface UpdateGroupInput<Role extends string = string> {
  /** Its new name. */
  readonly name?: string | undefined
  /** The role that it carries from now on, not the owner's; null: no role. */
  readonly role?: Role | null | undefined
}

/** A changed group. */
export interface ChangedGroup extends Group, EndedWith {}

/** Why {@link updateGroup} refuses. */
export type UpdateGroupRefusal = AccessRefusal | InputRefusal | StoreRefusal | 'not_found'

/**
 * Changes the name or the role of a group `{ name?, role? }`. The caller needs `members:manage`. The same
 * name and role change no row. With `roles.permissions` a caller gives the group no role with permissions
 * that they do not have. Open invitations of members that depend on the former role end with it; the result
 * has their number.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (on `name` and `role`), `StoreRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await updateGroup(seatgate, { caller, organization: 'acme' }, group.id, { name: 'Product design' })
 * ```
 */
export async function updateGroup<Role extends string = string>(
  context: GroupsContext & HasRoles<Role>,
  scope: OrganizationScope,
  id: string,
  input: UpdateGroupInput<NoInfer<Role>>,
  options: OperationOptions = {}
): Promise<Result<ChangedGroup, UpdateGroupRefusal>> {
  const { db, roles } = context
  const around = { groupId: id }
  const schema = v.pipe(
    v.object(
      { name: v.optional(GroupName), role: v.optional(groupRole(roles)) },
      'Must be an object.'
    ),
    v.forward(
      v.check(({ name, role }) => name !== undefined || role !== undefined, 'Is required.'),
      ['name']
    )
  )
  const parsed = parseInput(schema, input)
  const key = parsed.ok ? nameKeyOf(parsed.value.name ?? '') : ''
  return perform(
    context,
    scope,
    {
      name: 'organization.group.update',
      input: [id, input],
      grows: false,
      refusals: [],
      queries: {
        target: groupOf(db, scope, id),
        named: groupsOf(db, scope, eq(groups.nameKey, key)),
        ...rightsQueries(context, scope, around),
      },
      plan(found, _caller, now): Result<Plan<ChangedGroup>, UpdateGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { roles: own } = access.value
        const { role: given = null } = parsed.value
        if (given !== null && !isConfigured(own, given)) return unknownRole(own)
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        const { name = group.name, role = group.role } = parsed.value
        if (found.rows.named.some((each) => each.id !== id)) return nameTaken()
        if (group.name === name && group.role === role) {
          return ok(unchanged({ ...groupView(group), endedInvitations: 0 }))
        }
        const isRoleNew = group.role !== role
        if (isRoleNew && !mayChangeRole(own, access.value, group.role, role)) {
          return refused({ code: 'insufficient_role' })
        }
        const roleChange = { from: group.role, to: role }
        const lost = planLostRights(context, access.value, around, found.rows, roleChange, now)
        const changed = { name, nameKey: nameKeyOf(name), role, updatedAt: now }
        const members = sql`select user_id from ${groupMembers} where ${isIn(group)}`
        return ok({
          value: { ...groupView({ ...group, ...changed }), endedInvitations: lost.ended },
          statements: [
            guardAccess(context, access.value),
            guardGroup(context, group),
            ...lost.statements,
            db
              .update(groups)
              .set({ ...changed, version: sql`${groups.version} + 1` })
              .where(isGroup(group)),
            ...(isRoleNew ? [writeGroupRoles(db, group, members)] : []),
          ],
          losses: lost.losses,
          freedSeats: lost.freedSeats,
          events: [
            groupEvent(group, 'organization.group.updated', {
              ...(group.name !== name && { old_name: group.name, new_name: name }),
              ...(isRoleNew && { old_role: group.role, new_role: role }),
              ...endedInvitations(lost.ended),
            }),
            ...lost.events,
          ],
        })
      },
    },
    options
  )
}
