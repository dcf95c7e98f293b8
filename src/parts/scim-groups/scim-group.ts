import { and, asc, sql, type SQL } from 'drizzle-orm'
import type { DatabaseContext } from '../../database/database.ts'
import { groups, type GroupRow } from '../../database/schema/group-tables.ts'
import type { GroupsContext } from '../groups/groups.ts'
import type { ScimContext } from '../scim/scim.ts'
import type { Place } from '../scim/user-rows.ts'
import { isNamedBy } from '../scim/user-view.ts'

export const GROUP_SCHEMA = 'urn:ietf:params:scim:schemas:core:2.0:Group'

/** The context of an operation of SCIM on groups. */
export type ScimGroupsContext = ScimContext & GroupsContext

/** A member of a group as identity providers read it: a pushed user. */
export interface ScimGroupMember {
  /** The id of the user's resource. */
  readonly value: string
  readonly type: 'User'
  readonly display: string
}

/** A group as identity providers read it (RFC 7643, section 4.2). The routes add `meta.location`. */
export interface ScimGroup {
  readonly schemas: readonly string[]
  readonly id: string
  readonly externalId?: string
  readonly displayName: string
  /** The pushed users in it; undefined if they were not asked for. */
  readonly members?: readonly ScimGroupMember[]
  readonly meta: {
    readonly resourceType: 'Group'
    readonly created: string
    readonly lastModified: string
    /** The entity tag, for `If-Match`. */
    readonly version: string
  }
}

/** A pushed user and a group: whether they are in it, and whether they are an active member. */
export interface Candidate {
  readonly groupId: string
  readonly id: string
  readonly userId: string
  readonly userName: string
  readonly isActive: number
  readonly isIn: number
}

/** Returns a group as identity providers read it. */
export function scimGroupView(
  row: GroupRow,
  members?: readonly Pick<Candidate, 'id' | 'userName'>[]
): ScimGroup {
  const { id, externalId, name, createdAt, updatedAt } = row
  return {
    schemas: [GROUP_SCHEMA],
    id,
    ...(externalId !== null && { externalId }),
    displayName: name,
    ...(members && {
      members: members.map((each) => ({ value: each.id, type: 'User', display: each.userName })),
    }),
    meta: {
      resourceType: 'Group',
      created: createdAt.toISOString(),
      lastModified: updatedAt.toISOString(),
      version: versionOf(row),
    },
  }
}

function versionOf({ version }: Pick<GroupRow, 'version'>): string {
  return `W/"${version}"`
}

/** Whether a list of entity tags names the group as it is; `*` names every one. */
export function namesGroup(header: string, row: Pick<GroupRow, 'version'>): boolean {
  return isNamedBy(header, { meta: { version: versionOf(row) } })
}

/** Selects groups of an organization, in the order in which they were made. */
export function groupsIn({ db }: DatabaseContext, place: Place, condition: SQL) {
  return db
    .select()
    .from(groups)
    .where(and(sql`${groups.organizationId} = ${place}`, condition))
    .orderBy(asc(groups.createdAt), asc(groups.id))
}

/** Selects the ids of groups with this name, by its key, or this external id. Null is that of no group. */
export function groupsNamed(
  { db }: DatabaseContext,
  place: Place,
  key: string | null,
  externalId: string | null
) {
  // An index for each: a condition with `or`, or with an order, reads all groups.
  const withThe = (condition: SQL) =>
    sql`select id from seatgate_groups where organization_id = ${place} and ${condition}`
  return db.select({ id: COLUMNS.id }).from(
    sql`(${withThe(sql`name_key = ${key}`)}
      union all ${withThe(sql`external_id = ${externalId}`)})`
  )
}

/** Selects the pushed users that are in groups (a subquery of ids). */
export function membersOf({ db }: DatabaseContext, place: Place, groupIds: SQL) {
  return db.select(COLUMNS).from(
    sql`(select m.group_id, u.id, u.user_id, u.user_name, 1 as is_active, 1 as is_in
      from seatgate_group_members m
      join seatgate_scim_users u on u.organization_id = m.organization_id and u.user_id = m.user_id
      where m.organization_id = ${place} and m.group_id in (${groupIds}))`
  )
}

/** Selects the pushed users with these ids, and whether they are in a group. */
export function candidatesFor(
  { db }: DatabaseContext,
  place: Place,
  groupId: string,
  ids: readonly string[]
) {
  return db.select(COLUMNS).from(
    sql`(select ${groupId} as group_id, u.id, u.user_id, u.user_name,
        exists (select 1 from seatgate_memberships s where s.organization_id = u.organization_id
          and s.user_id = u.user_id and s.status = 'active') as is_active,
        exists (select 1 from seatgate_group_members m where m.organization_id = u.organization_id
          and m.group_id = ${groupId} and m.user_id = u.user_id) as is_in
      from seatgate_scim_users u where u.organization_id = ${place}
      and u.id in (select value from json_each(${JSON.stringify(ids)})))`
  )
}

/** Selects the user ids of the pushed users with these ids. */
export function usersWithIds(place: Place, ids: readonly string[]): SQL {
  return sql`select user_id from seatgate_scim_users where organization_id = ${place}
    and id in (select value from json_each(${JSON.stringify(ids)}))`
}

const COLUMNS = {
  groupId: sql<string>`group_id`.as('group_id'),
  id: sql<string>`id`.as('id'),
  userId: sql<string>`user_id`.as('user_id'),
  userName: sql<string>`user_name`.as('user_name'),
  isActive: sql<number>`is_active`.as('is_active'),
  isIn: sql<number>`is_in`.as('is_in'),
}
