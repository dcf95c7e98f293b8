/**
 * Adds and removes members of a group.
 *
 * @module
 */
import { and, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { DatabaseContext, Statement } from '../../database/database.ts'
import { groupMembers, groups, type GroupRow } from '../../database/schema/group-tables.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import { groupMemberEvent } from '../../engine/audit/group-actions.ts'
import { endedInvitations } from '../../engine/model/leave.ts'
import { writeGroupRoles } from './group-rights.ts'
import type { GroupsContext } from './groups.ts'
import { isGroup, isIn } from './group.ts'

/** The user ids of those that come into a group, and of those that leave it. */
export interface MemberChange {
  readonly added: readonly string[]
  readonly removed: readonly string[]
}

/** The parts of a batch that changes who is in a group. */
export interface ChangedMembers {
  readonly group: GroupRow
  readonly statements: readonly Statement[]
  readonly events: readonly EventDraft[]
}

/** Whether a group would have more members than it may. */
export function isOverfull(
  { groups: { memberLimit } }: Pick<GroupsContext, 'groups'>,
  { members }: Pick<GroupRow, 'members'>,
  { added, removed }: MemberChange
): boolean {
  return added.length > 0 && members + added.length - removed.length > memberLimit
}

/**
 * Builds the change of a group's members. The batch guards that added users are active members outside of
 * the group, that removed users are in it, that the group does not exceed its limit, and that its role is
 * as it was read. `ended` is the number of open invitations that end with the rights of each removed user.
 */
export function changeMembers(
  context: Pick<GroupsContext, 'db' | 'groups'>,
  group: GroupRow,
  { added, removed }: MemberChange,
  now: Date,
  ended: ReadonlyMap<string, number> = new Map()
): ChangedMembers {
  const { db } = context
  const members = group.members + added.length - removed.length
  return {
    group: { ...group, members, version: group.version + 1, updatedAt: now },
    statements: [
      guardRoom(context, group, added.length - removed.length),
      ...(added.length > 0 ? add(context, group, added, now) : []),
      ...(removed.length > 0 ? remove(context, group, removed) : []),
      ...(group.role === null
        ? []
        : [
            writeGroupRoles(
              db,
              group,
              sql`select value from json_each(${JSON.stringify([...added, ...removed])})`
            ),
          ]),
      db
        .update(groups)
        .set({
          members: sql`${groups.members} + ${added.length - removed.length}`,
          version: sql`${groups.version} + 1`,
          updatedAt: now,
        })
        .where(isGroup(group)),
    ],
    events: [
      ...removed.map((id) =>
        groupMemberEvent(
          group,
          'organization.group.member_removed',
          id,
          endedInvitations(ended.get(id))
        )
      ),
      ...added.map((id) => groupMemberEvent(group, 'organization.group.member_added', id)),
    ],
  }
}

function guardRoom(
  { db, groups: { memberLimit } }: Pick<GroupsContext, 'db' | 'groups'>,
  { organizationId, id, role }: GroupRow,
  more: number
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_groups where organization_id = ${organizationId} and id = ${id}
      and role is ${role} ${more > 0 ? sql`and members + ${more} <= ${memberLimit}` : sql``})`
  )
}

const idsIn = (userIds: readonly string[]) =>
  sql`(select value from json_each(${JSON.stringify(userIds)}))`

function add(
  { db }: DatabaseContext,
  { organizationId, id }: GroupRow,
  userIds: readonly string[],
  now: Date
): readonly Statement[] {
  const active = sql`(select count(*) from seatgate_memberships
    where organization_id = ${organizationId} and status = 'active'
    and user_id in ${idsIn(userIds)}) = ${userIds.length}`
  const absent = sql`not exists (select 1 from seatgate_group_members
    where organization_id = ${organizationId} and group_id = ${id} and user_id in ${idsIn(userIds)})`
  return [
    guard(db, 'stale', sql`${active} and ${absent}`),
    db.insert(groupMembers).select(
      sql`select ${organizationId}, ${id}, value, ${now.getTime()}
          from json_each(${JSON.stringify(userIds)})`
    ),
  ]
}

function remove(
  { db }: DatabaseContext,
  group: GroupRow,
  userIds: readonly string[]
): readonly Statement[] {
  const theirs = and(isIn(group), sql`${groupMembers.userId} in ${idsIn(userIds)}`)
  return [
    guard(
      db,
      'stale',
      sql`(select count(*) from ${groupMembers} where ${theirs}) = ${userIds.length}`
    ),
    db.delete(groupMembers).where(theirs),
  ]
}
