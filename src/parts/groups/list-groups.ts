import { and, desc, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { parseInput, shortText } from '../../base/input.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, type PageRefusal, type Result } from '../../base/result.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { authorize, find } from '../../engine/access/authorize.ts'
import { observed } from '../../engine/access/observed.ts'
import { readable } from '../../engine/access/readable.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { groupView, groupsOf, type Group } from './group.ts'
import type { GroupsContext } from './groups.ts'

/** A request for groups: a page, and `userId`, whose groups they are. */
export interface GroupsInput extends PageInput {
  readonly userId?: string | undefined
}

/** Why {@link listGroups} refuses. */
export type ListGroupsRefusal = 'unauthenticated' | 'organization_not_found' | PageRefusal

const Filter = v.object({ userId: v.optional(shortText()) })

/**
 * Lists the groups of an organization, newest first, for its members. With `userId`, lists only the groups
 * of this user.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `PageRefusal` (on `limit` and `userId`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listGroups(seatgate, { caller, organization: 'acme' }, { userId })
 * ```
 */
export function listGroups(
  context: Pick<GroupsContext, 'db' | 'roles'>,
  scope: OrganizationScope,
  input: GroupsInput = {}
): Promise<Result<Page<Group>, ListGroupsRefusal>> {
  return observed(context, 'organization.group.list', async ({ db, roles }) => {
    const { caller, organization } = scope
    const filtered = parseInput(Filter, input)
    const userId = filtered.ok ? filtered.value.userId : undefined
    const request = parsePage(input, newestFirst('groups'), Object.keys(Filter.entries))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const conditions = and(
      readable(caller, organization),
      userId === undefined
        ? undefined
        : sql`exists (select 1 from seatgate_group_members m
            where m.organization_id = seatgate_groups.organization_id
            and m.group_id = seatgate_groups.id and m.user_id = ${userId})`,
      after ? sql`(${groups.createdAt}, ${groups.id}) < (${after[0]}, ${after[1]})` : undefined
    )
    const found = await find(db, scope, {
      groups: groupsOf(db, scope, conditions ?? sql`true`)
        .orderBy(desc(groups.createdAt), desc(groups.id))
        .limit(limit + 1),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    if (!filtered.ok) return filtered
    if (!request.ok) return request
    return ok(
      toPage(found.rows.groups, limit, groupView, ({ createdAt, id }) => [
        createdAt.getTime(),
        id,
        'groups',
      ])
    )
  })
}
