import { and, eq, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { lowerCase, visibleText } from '../../base/input.ts'
import { invalid, refused, type InputRefusal, type Result } from '../../base/result.ts'
import { guard } from '../../database/commit.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { groupMembers, groups, type GroupRow } from '../../database/schema/group-tables.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { roleInput, type Roles } from '../../engine/access/roles.ts'

/** A group of members of an organization. Timestamps are ISO 8601 UTC. */
export interface Group {
  readonly id: string
  readonly organizationId: string
  /** Its name for people, unique in the organization but for the case of its letters. */
  readonly name: string
  /** The role whose permissions its members have besides their own; null: no role. */
  readonly role: string | null
  /** The number of its members. */
  readonly members: number
  readonly createdAt: string
  /** When it, or who is in it, last changed. */
  readonly updatedAt: string
}

export function groupView(row: GroupRow): Group {
  return {
    id: row.id,
    organizationId: row.organizationId,
    name: row.name,
    role: row.role,
    members: row.members,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** The schema of a group's name. */
export const GroupName = visibleText(100)

/** Creates the schema of the role that a group carries; null: no role. The plan checks an own role, see {@link roleInput}. */
export function groupRole(roles: Roles) {
  return v.nullable(
    v.pipe(
      roleInput(roles),
      v.check((role) => role !== roles.owner, 'Must not be the owner’s role.')
    )
  )
}

const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu

/**
 * Returns the key by which the names of an organization's groups are unique. It ignores case, the
 * composition of characters, and invisible characters.
 */
export function nameKeyOf(name: string): string {
  return lowerCase(name.trim().normalize().replaceAll(UNSEEN, ''))
}

/** Refuses a name that another group of the organization has. */
export function nameTaken(): Result<never, InputRefusal> {
  return refused(invalid({ name: ['Another group has this name.'] }))
}

/** Selects groups of the scope's organization. */
export function groupsOf(db: Database, { organization }: OrganizationScope, condition: SQL) {
  return db
    .select()
    .from(groups)
    .where(and(eq(groups.organizationId, organizationIdOf(organization)), condition))
}

/** Selects the group of the scope's organization with this id. */
export function groupOf(db: Database, scope: OrganizationScope, id: string) {
  return groupsOf(db, scope, eq(groups.id, id))
}

/** Selects the members of a group with these ids. */
export function membersAmong(
  db: Database,
  { organization }: OrganizationScope,
  groupId: string,
  userIds: readonly string[]
) {
  return db
    .select({ userId: groupMembers.userId })
    .from(groupMembers)
    .where(
      and(
        eq(groupMembers.organizationId, organizationIdOf(organization)),
        eq(groupMembers.groupId, groupId),
        sql`${groupMembers.userId} in (select value from json_each(${JSON.stringify(userIds)}))`
      )
    )
}

/** Builds the condition on groups for this one. */
export function isGroup({ organizationId, id }: Pick<GroupRow, 'organizationId' | 'id'>) {
  return and(eq(groups.organizationId, organizationId), eq(groups.id, id))
}

/** Builds the condition on members of groups for those of this group. */
export function isIn({ organizationId, id }: Pick<GroupRow, 'organizationId' | 'id'>) {
  return and(eq(groupMembers.organizationId, organizationId), eq(groupMembers.groupId, id))
}

/** Guards that a group is unchanged since it was read, its members included. */
export function guardGroup({ db }: DatabaseContext, group: GroupRow): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_groups where organization_id = ${group.organizationId}
      and id = ${group.id} and version = ${group.version})`
  )
}
