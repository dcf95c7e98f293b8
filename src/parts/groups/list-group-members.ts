import { and, asc, eq, gt } from 'drizzle-orm'
import * as v from 'valibot'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, refused, type PageRefusal, type Result } from '../../base/result.ts'
import { groupMembers } from '../../database/schema/group-tables.ts'
import { authorize, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupOf } from './group.ts'
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
export function listGroupMembers(
  context: Pick<GroupsContext, 'db' | 'roles'>,
  scope: OrganizationScope,
  id: string,
  input: PageInput = {}
): Promise<Result<Page<GroupMember>, ListGroupMembersRefusal>> {
  return observed(context, 'organization.group.member_list', async ({ db, roles }) => {
    const { caller, organization } = scope
    const request = parsePage(input, Position)
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const found = await find(db, scope, {
      group: groupOf(db, scope, id),
      members: db
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
        .limit(limit + 1),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    if (!request.ok) return request
    if (found.rows.group.length === 0) return refused({ code: 'not_found' })
    return ok(
      toPage(found.rows.members, limit, memberView, ({ userId }) => [userId, 'group_members'])
    )
  })
}

function memberView({ userId, createdAt }: typeof groupMembers.$inferSelect): GroupMember {
  return { userId, addedAt: createdAt.toISOString() }
}
