import { observed } from '../../engine/access/observed.ts'
import { and, desc, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as v from 'valibot'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { parseInput, shortText } from '../../base/input.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorize } from '../../engine/access/authorize.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, type PageRefusal, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { hasUserId, userIdText, type UserContext } from '../../database/database.ts'
import { inScope } from '../../engine/model/membership.ts'
import type { AccessContext } from '../../engine/access/roles.ts'

/**
 * A member: the membership, the user if the host has configured its table, and when they were last
 * active.
 */
export interface Member {
  readonly id: string
  readonly userId: string
  readonly role: string
  readonly status: 'active' | 'suspended'
  readonly user: {
    readonly id: string
    readonly email: string
    readonly name: string | null
  } | null
  readonly lastActiveAt: string | null
  readonly createdAt: string
}

/** A request for members: a page, and `search`, the beginning of a name or an address. */
export interface MembersInput extends PageInput {
  readonly search?: string | undefined
}

/** Why {@link listMembers} refuses. */
export type ListMembersRefusal = 'unauthenticated' | 'organization_not_found' | PageRefusal

/**
 * Lists the members of an organization, newest first, for its members; suspended ones too. With `search`
 * only those whose name or address begins with it, ignoring the case of A to Z. A page reads as many rows
 * as it has; a search reads members from the newest on until the page is full.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `PageRefusal` (on `limit` and `search`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listMembers(seatgate, { caller, organization: 'acme' }, { limit: 100 })
 * ```
 */
export function listMembers(
  context: AccessContext & UserContext,
  scope: OrganizationScope,
  input: MembersInput = {}
): Promise<Result<Page<Member>, ListMembersRefusal>> {
  return observed(context, 'organization.member_list', async (context) => {
    const { db, roles, users } = context
    const { caller, organization } = scope
    const searched = parseInput(Search, input)
    const search = searched.ok ? searched.value.search : undefined
    const request = parsePage(input, newestFirst('members'), Object.keys(Search.entries))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const found = await find(db, scope, {
      members: membersWithActivity(context)
        .where(
          and(
            inScope(scope),
            readable(caller, organization),
            search === undefined ? undefined : beginsWith(users, search),
            after
              ? sql`(${memberships.createdAt}, ${memberships.id}) < (${after[0]}, ${after[1]})`
              : undefined
          )
        )
        .orderBy(desc(memberships.createdAt), desc(memberships.id))
        .limit(limit + 1),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    if (!searched.ok) return searched
    if (!request.ok) return request
    return ok(
      toPage(found.rows.members, limit, memberView, ({ createdAt, id }) => [
        createdAt.getTime(),
        id,
        'members',
      ])
    )
  })
}

const Search = v.object({
  search: v.optional(shortText()),
})

// Compared letter by letter: no character is special, as `%` would be in LIKE.
function beginsWith(users: UserContext['users'], search: string): SQL {
  if (users === null) return sql`false`
  const begins = (column: SQLiteColumn) =>
    sql`lower(substr(${column}, 1, length(${search}))) = lower(${search})`
  return sql`exists (select 1 from ${users} where ${hasUserId(users, sql`seatgate_memberships.user_id`)}
    and (${begins(users.email)} or ${begins(users.name)}))`
}

// Scalar subqueries instead of joins: D1 returns rows as objects, in which columns of the same name in
// two tables would overwrite each other. The outer columns are written out, because Drizzle omits the
// table's name in a query of a single table, which would then mean the subquery's own column.
function membersWithActivity({ db, users }: UserContext) {
  const person = users
    ? sql<
        string | null
      >`(select json_object('id', ${userIdText(users)}, 'email', ${users.email}, 'name', ${users.name})
        from ${users} where ${hasUserId(users, sql`seatgate_memberships.user_id`)})`
    : sql<null>`null`
  const lastActive = sql<
    number | null
  >`(select max(seatgate_sessions.last_active_at) from seatgate_sessions
    where seatgate_sessions.active_organization_id = seatgate_memberships.organization_id
    and seatgate_sessions.user_id = seatgate_memberships.user_id)`
  return db
    .select({
      id: memberships.id,
      userId: memberships.userId,
      role: memberships.role,
      status: memberships.status,
      createdAt: memberships.createdAt,
      person: person.as('person'),
      lastActive: lastActive.as('last_active'),
    })
    .from(memberships)
}

function memberView(row: {
  id: string
  userId: string
  role: string
  status: 'active' | 'suspended'
  createdAt: Date
  person: string | null
  lastActive: number | null
}): Member {
  const { id, userId, role, status, createdAt, person, lastActive } = row
  return {
    id,
    userId,
    role,
    status,
    user: person === null ? null : (JSON.parse(person) as NonNullable<Member['user']>),
    lastActiveAt: lastActive === null ? null : new Date(lastActive).toISOString(),
    createdAt: createdAt.toISOString(),
  }
}
