import { observed } from '../../engine/access/observed.ts'
import { asc, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { find, authorizeRole } from '../../engine/access/authorize.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { Database } from '../../database/database.ts'
import { scimUsers } from '../../database/schema/scim-tables.ts'
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import { readFilter } from './filter.ts'
import { conditionOf } from './filter-query.ts'
import { scimInvalid } from './scim-invalid.ts'
import { placeOf } from './scim-token.ts'
import type { ScimContext } from './scim.ts'
import { isIn, usersWhere, type Place } from './user-rows.ts'
import { scimUserView, type ScimUser } from './user-view.ts'

/** A page of {@link listScimUsers}. */
export interface ListScimUsersInput {
  /** A filter of SCIM, such as `userName eq "ann@acme.example"`. */
  readonly filter?: string | undefined
  /** The first user of the page, from 1. Default 1. */
  readonly startIndex?: number | string | undefined
  /** At most so many users, up to 200. Default 100. */
  readonly count?: number | string | undefined
}

/** A page of users, and the number of all that the filter chooses. */
export interface ScimUserPage {
  readonly totalResults: number
  readonly startIndex: number
  readonly users: readonly ScimUser[]
}

/** Why {@link listScimUsers} refuses. */
export type ListScimUsersRefusal = AccessRefusal | 'scim_invalid'

/** The largest page. */
export const MOST_USERS = 200
const DEFAULT_COUNT = 100

/**
 * Lists pushed users, in the order in which they came. A page without a filter, and a filter by a key,
 * cost the same at any number of users; a filter by `active` alone reads all of them. Filters: `eq` of
 * `userName`, `externalId`, `id`, `active` and `emails.value` (the primary address), `and`, `or`; others
 * are refused with `invalidFilter`.
 *
 * Refusals: `AccessRefusal`, `scim_invalid`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listScimUsers(seatgate, scope, { filter: 'externalId eq "00u1"' })
 * ```
 */
export function listScimUsers(
  context: ScimContext,
  scope: OrganizationScope,
  input: ListScimUsersInput = {}
): Promise<Result<ScimUserPage, ListScimUsersRefusal>> {
  return observed(context, 'scim.user_list', async (context) => {
    const { db, roles } = context
    const place = placeOf(scope)
    const own = isIn(place)
    // Without the check of the token, which `filtered` has once: D1 allows 100 parameters.
    const request = readRequest(input, organizationIdOf(scope.organization))
    const { condition, startIndex, count } = request.ok
      ? request.value
      : { condition: sql`false`, startIndex: 1, count: 0 }
    const found = await find(db, scope, {
      users:
        condition === null
          ? usersWhere(
              context,
              sql`${own} and ${scimUsers.position} >= ${startIndex}
              and ${scimUsers.position} < ${startIndex + count}`
            ).orderBy(asc(scimUsers.position))
          : usersWhere(context, filtered(place, condition))
              .orderBy(asc(sql`+${scimUsers.position}`))
              .limit(count)
              .offset(startIndex - 1),
      total: totalOf(db, condition === null ? own : filtered(place, condition), condition !== null),
    })
    const access = authorizeRole(roles, found, [roles.owner])
    if (!access.ok) return access
    if (!request.ok) return request
    return ok({
      totalResults: found.rows.total[0]?.total ?? 0,
      startIndex,
      users: found.rows.users.map((row) => scimUserView(row, row.status === 'active')),
    })
  })
}

// Without an index for the organization and the order, which SQLite would take instead of that of the filter.
function filtered(place: Place, condition: SQL): SQL {
  return sql`+${scimUsers.organizationId} = ${place} and ${condition}`
}

// Positions have no gap: the last one is the number of all.
function totalOf(db: Database, which: SQL, isFiltered: boolean) {
  const total = isFiltered ? sql<number>`count(*)` : sql<number>`max(position)`
  return db
    .select({ total: sql<number>`coalesce(${total}, 0)`.as('total') })
    .from(scimUsers)
    .where(which)
}

/** A whole number of a query, in digits; one below the range is not refused. */
export const Whole = v.pipe(
  v.union([v.number(), v.pipe(v.string(), v.regex(/^[+-]?\d{1,9}$/), v.transform(Number))]),
  v.safeInteger()
)

interface Request {
  /** Null: all users. */
  readonly condition: SQL | null
  readonly startIndex: number
  readonly count: number
}

// A start below 1 is 1, and a count below 0 is 0 (RFC 7644, section 3.4.2.4).
function readRequest(input: ListScimUsersInput, place: Place): Result<Request, 'scim_invalid'> {
  const startIndex = v.safeParse(Whole, input.startIndex ?? 1)
  if (!startIndex.success) return scimInvalid('invalidValue', 'startIndex: Must be a whole number.')
  const count = v.safeParse(Whole, input.count ?? DEFAULT_COUNT)
  if (!count.success) return scimInvalid('invalidValue', 'count: Must be a whole number.')
  const page = {
    startIndex: Math.max(1, startIndex.output),
    count: Math.min(MOST_USERS, Math.max(0, count.output)),
  }
  if (input.filter === undefined) return ok({ ...page, condition: null })
  const filter = readFilter(input.filter)
  const condition = filter.ok ? conditionOf(filter.value, place) : filter
  return condition.ok ? ok({ ...page, condition: condition.value }) : condition
}
