import { sql } from 'drizzle-orm'
import {
  ok,
  refused,
  type AccessRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { groupMembers, groups } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import type { EndedWith } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { groupOf, guardGroup, isGroup, isIn } from './group.ts'
import { planLostRights, rightsQueries, writeGroupRoles } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'

/** Why {@link deleteGroup} refuses. */
export type DeleteGroupRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Deletes a group, for those with `members:manage`. Its members stay members of the organization. Open
 * invitations that they have sent, and could not send without the role of the group, end with it; the result
 * has their number.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found`.
 *
 * @example
 * ```ts
 * await deleteGroup(seatgate, { caller, organization: 'acme' }, group.id)
 * ```
 */
export async function deleteGroup(
  context: GroupsContext,
  scope: OrganizationScope,
  id: string,
  options: OperationOptions = {}
): Promise<Result<EndedWith, DeleteGroupRefusal>> {
  const { db, roles } = context
  const around = { groupId: id }
  return perform(
    context,
    scope,
    {
      name: 'organization.group.delete',
      input: id,
      grows: false,
      refusals: [],
      queries: { target: groupOf(db, scope, id), ...rightsQueries(context, scope, around) },
      plan(found, _caller, now): Result<Plan<EndedWith>, DeleteGroupRefusal> {
        const access = authorizeFor(roles, found, 'members:manage')
        if (!access.ok) return access
        const [group] = found.rows.target
        if (!group) return refused({ code: 'not_found' })
        const { name, members } = group
        const roleChange = { from: group.role, to: null }
        const lost = planLostRights(context, access.value, around, found.rows, roleChange, now)
        const userIds = JSON.stringify(found.rows.affected.map(({ userId }) => userId))
        return ok({
          value: { endedInvitations: lost.ended },
          statements: [
            guardAccess(context, access.value),
            guardGroup(context, group),
            ...lost.statements,
            db.delete(groupMembers).where(isIn(group)),
            ...(group.role === null
              ? []
              : [writeGroupRoles(db, group, sql`select value from json_each(${userIds})`)]),
            db.delete(groups).where(isGroup(group)),
          ],
          losses: lost.losses,
          freedSeats: lost.freedSeats,
          events: [
            groupEvent(group, 'organization.group.deleted', {
              name,
              members,
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
