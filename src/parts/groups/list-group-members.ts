import { and, asc, eq, gt, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, refused, type PageRefusal, type Result } from '../../base/result.ts'
import type { UserContext } from '../../database/database.ts'
import { groupMembers } from '../../database/schema/group-tables.ts'
import { authorize, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { namedUsers, usersNamedIn, type NamedUser } from '../../engine/model/named-users.ts'
import { groupOf, groupView, type Group } from './group.ts'
import type { GroupsContext } from './groups.ts'

/** A member of a group. The timestamp is ISO 8601 UTC. */
export interface GroupMember {
  readonly userId: string
  readonly addedAt: string
}

/** Why {@link listGroupMembers} refuses. */
export type ListGroupMembersRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | 'not_found'
  | PageRefusal

const Position = v.strictTuple([v.string(), v.literal('group_members')])

/**
 * Lists the members of a group in the order of their user ids, for the members of the organization.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `PageRefusal` (on `limit`), `not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listGroupMembers(seatgate, { caller, organization: 'acme' }, group.id)
 * ```
 */
export async function listGroupMembers(
  context: Pick<GroupsContext, 'db' | 'roles'>,
  scope: OrganizationScope,
  id: string,
  input: PageInput = {}
): Promise<Result<Page<GroupMember>, ListGroupMembersRefusal>> {
  const listed = await listGroupAndMembers({ ...context, users: null }, scope, id, input)
  if (!listed.ok) return listed
  const { data, nextCursor } = listed.value
  return ok({ data, nextCursor })
}

/** A group with a page of its members, and the users of the host that the page names by id. */
export interface GroupAndMembers extends Page<GroupMember> {
  readonly group: Group
  readonly users: readonly NamedUser[]
}

/** Lists members as `listGroupMembers` does, with their group, and with their names. */
export function listGroupAndMembers(
  context: Pick<GroupsContext, 'db' | 'roles'> & UserContext,
  scope: OrganizationScope,
  id: string,
  input: PageInput = {}
): Promise<Result<GroupAndMembers, ListGroupMembersRefusal>> {
  return observed(context, 'organization.group.member_list', async (context) => {
    const { db, roles } = context
    const { caller, organization } = scope
    const request = parsePage(input, Position)
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const members = db
      .select()
      .from(groupMembers)
      .where(
        and(
          eq(groupMembers.organizationId, organizationIdOf(organization)),
          eq(groupMembers.groupId, id),
          readable(caller, organization),
          after ? gt(groupMembers.userId, after[0]) : undefined
        )
      )
      .orderBy(asc(groupMembers.userId))
      .limit(limit + 1)
    const found = await find(db, scope, {
      group: groupOf(db, scope, id),
      members,
      users: usersNamedIn(context, sql`select user_id from (${members})`),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    if (!request.ok) return request
    const [group] = found.rows.group
    if (group === undefined) return refused({ code: 'not_found' })
    const page = toPage(found.rows.members, limit, memberView, ({ userId }) => [
      userId,
      'group_members',
    ])
    return ok({ ...page, group: groupView(group), users: namedUsers(found.rows.users) })
  })
}

function memberView({ userId, createdAt }: typeof groupMembers.$inferSelect): GroupMember {
  return { userId, addedAt: createdAt.toISOString() }
}
