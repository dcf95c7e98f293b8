import { sql } from 'drizzle-orm'
import { groupMembers, groups, type GroupRow } from '../../database/schema/group-tables.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { Access } from '../../engine/access/authorize.ts'
import { groupEvent } from '../../engine/audit/group-actions.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import type { EndedWith } from '../../engine/model/membership.ts'
import type { Plan } from '../../engine/model/plan.ts'
import { guardGroup, isGroup, isIn } from './group.ts'
import { planLostRights, writeGroupRoles, type RightsRows } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'

/** Plans the deletion of a group, with the end of the rights that its members have by it. */
export function planGroupDeletion(
  context: GroupsContext,
  access: Access,
  group: GroupRow,
  rows: RightsRows,
  now: Date
): Plan<EndedWith> {
  const { db } = context
  const { name, members, role } = group
  const around = { groupId: group.id }
  const lost = planLostRights(context, access, around, rows, { from: role, to: null }, now)
  const userIds = JSON.stringify(rows.affected.map(({ userId }) => userId))
  return {
    value: { endedInvitations: lost.ended },
    statements: [
      guardAccess(context, access),
      guardGroup(context, group),
      ...lost.statements,
      db.delete(groupMembers).where(isIn(group)),
      ...(role === null
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
  }
}
