import { and, desc, eq, sql } from 'drizzle-orm'
import type { Database } from '../database/database.ts'
import { memberships } from '../database/schema.ts'
import { find, standingOf } from '../organizations/standing.ts'
import { organizationIdOf, readable } from '../organizations/reference.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../page.ts'
import { ok, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'

/** A member: the membership, the person where the host tells its users, and when they were last seen. */
export interface Member {
  readonly id: string
  readonly userId: string
  readonly role: string
  readonly user: {
    readonly id: string
    readonly email: string
    readonly name: string | null
  } | null
  readonly lastActiveAt: string | null
  readonly createdAt: string
}

/** Selects one person's membership in the scope's organization, whatever its status. */
export function membershipOf(db: Database, { organization }: OrganizationScope, userId: string) {
  return db
    .select()
    .from(memberships)
    .where(
      and(
        eq(memberships.organizationId, organizationIdOf(organization)),
        eq(memberships.userId, userId)
      )
    )
}

/** Selects a user of the host; nobody if the host has not told its users. */
export function existingUser({ db, users }: Seatgate, userId: string) {
  return users
    ? db
        .select({ id: sql`${users.id}` })
        .from(users)
        .where(eq(users.id, userId))
    : db.select({ id: sql`1` }).from(sql`(select 1) where false`)
}

/**
 * Lists the members of an organization, newest first, for its members.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `validation_error` on `limit`,
 * `invalid_cursor`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listMembers(seatgate, { caller, organization: 'acme' }, { limit: 100 })
 * ```
 */
export async function listMembers(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<Result<Page<Member>>> {
  const { db } = seatgate
  const { caller, organization } = scope
  const request = parsePage(input, newestFirst('members'))
  const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
  const found = await find(db, scope, {
    members: membersWithActivity(seatgate)
      .where(
        and(
          eq(memberships.organizationId, organizationIdOf(organization)),
          readable(caller, organization),
          after
            ? sql`(${memberships.createdAt}, ${memberships.id}) < (${after[0]}, ${after[1]})`
            : undefined
        )
      )
      .orderBy(desc(memberships.createdAt), desc(memberships.id))
      .limit(limit + 1),
  })
  const standing = standingOf(found)
  if (!standing.ok) return standing
  if (!request.ok) return request
  return ok(
    toPage(found.rows.members, limit, memberView, ({ createdAt, id }) => [
      createdAt.getTime(),
      id,
      'members',
    ])
  )
}

// Scalar subqueries instead of joins: D1 answers a batch with objects, in which columns of the same
// name from two tables would become one. The outer columns are spelled out, because Drizzle names the
// columns of a single table without it, and the subquery's own would be meant.
function membersWithActivity({ db, users }: Seatgate) {
  const person = users
    ? sql<
        string | null
      >`(select json_object('id', ${users.id}, 'email', ${users.email}, 'name', ${users.name})
        from ${users} where ${users.id} = memberships.user_id)`
    : sql<null>`null`
  const lastActive = sql<number | null>`(select max(sessions.last_active_at) from sessions
    where sessions.active_organization_id = memberships.organization_id
    and sessions.user_id = memberships.user_id)`
  return db
    .select({
      id: memberships.id,
      userId: memberships.userId,
      role: memberships.role,
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
  createdAt: Date
  person: string | null
  lastActive: number | null
}): Member {
  const { id, userId, role, createdAt, person, lastActive } = row
  return {
    id,
    userId,
    role,
    user: person === null ? null : (JSON.parse(person) as NonNullable<Member['user']>),
    lastActiveAt: lastActive === null ? null : new Date(lastActive).toISOString(),
    createdAt: createdAt.toISOString(),
  }
}
