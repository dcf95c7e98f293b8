import { observed } from '../../engine/access/observed.ts'
import { personOf } from '../../engine/model/membership.ts'
import { and, desc, eq, getTableColumns, sql, type SQL } from 'drizzle-orm'
import { joinRequests } from '../../database/schema/joining-tables.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { excluding, exclusionsOf } from '../../engine/model/exclusions.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorizeFor } from '../../engine/access/authorize.ts'
import { knownParameters } from '../../base/parameters.ts'
import {
  newestFirst,
  parsePage,
  toPage,
  type NoParameters,
  type Page,
  type PageInput,
} from '../../base/page.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type PageRefusal,
  type Result,
} from '../../base/result.ts'
import {
  userIdOf,
  type OrganizationScope,
  type Principal,
  type Scope,
} from '../../engine/access/principal.ts'
import type { RowsOf } from '../../database/batch.ts'
import { hasUserId } from '../../database/database.ts'
import { shownName, shownOrganization } from '../../base/shown-text.ts'
import { configured, type JoiningContext } from './join-rules.ts'
import {
  domainView,
  joinRequestView,
  type Domain,
  type DomainMode,
  type JoinRequest,
} from '../../engine/model/join-request.ts'
import { domainsOf, openDomain } from './joining-lookup.ts'

/** A request with its user, and how many are ahead on the waitlist; null if it is not on the waitlist. */
export interface ListedJoinRequest extends JoinRequest {
  readonly user: { readonly email: string; readonly name: string | null }
  readonly ahead: number | null
}

/**
 * An organization that the user may join, at once (`auto`) or on request, and whether they are a member.
 */
export interface JoinableOrganization {
  readonly organization: { readonly id: string; readonly name: string; readonly slug: string }
  readonly mode: Exclude<DomainMode, 'off'>
}

/** Why {@link listDomains} refuses. */
export type ListDomainsRefusal = AccessRefusal | InputRefusal

/**
 * Lists the domains of an organization, verified or not, for those who administer it.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (there are no parameters).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const domains = await listDomains(seatgate, { caller, organization: 'acme' })
 * ```
 */
export function listDomains(
  context: Pick<JoiningContext, 'db' | 'joining' | 'roles'>,
  scope: OrganizationScope,
  input: NoParameters = {}
): Promise<Result<{ readonly data: readonly Domain[] }, ListDomainsRefusal>> {
  return observed(context, 'organization.domain.list', async (context) => {
    const { db, roles } = context
    configured(context)
    const found = await find(db, scope, { domains: domainsOf(db, scope) })
    const access = authorizeFor(roles, found, 'organization:update')
    if (!access.ok) return access
    const known = knownParameters(input, [])
    if (!known.ok) return known
    return ok({ data: found.rows.domains.map(domainView) })
  })
}

/** Why {@link listJoinRequests} refuses. */
export type ListJoinRequestsRefusal = AccessRefusal | PageRefusal

/**
 * Lists the open requests and the waitlist, newest first, for those who administer members.
 *
 * Refusals: `AccessRefusal`, `PageRefusal` (on `limit`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listJoinRequests(seatgate, { caller, organization: 'acme' })
 * ```
 */
export function listJoinRequests(
  context: Pick<JoiningContext, 'db' | 'joining' | 'roles' | 'users'>,
  scope: OrganizationScope,
  input: PageInput = {}
): Promise<Result<Page<ListedJoinRequest>, ListJoinRequestsRefusal>> {
  return observed(context, 'organization.join_request.list', async (context) => {
    const { db, roles, users } = context
    configured(context)
    const { caller, organization } = scope
    const request = parsePage(input, newestFirst('join_requests'))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const needed = { roles, permission: 'members:manage', orOwner: true } as const
    const found = await find(db, scope, {
      requests: db
        .select({
          ...getTableColumns(joinRequests),
          ahead: aheadOnWaitlist().as('ahead'),
          user: users
            ? sql<string | null>`(select json_object('email', ${users.email}, 'name', ${users.name})
              from ${users} where ${hasUserId(users, sql`seatgate_join_requests.user_id`)})`.as(
                'user'
              )
            : sql<string | null>`null`.as('user'),
        })
        .from(joinRequests)
        .where(
          and(
            eq(joinRequests.organizationId, organizationIdOf(organization)),
            sql`${joinRequests.state} in ('open', 'waiting')`,
            readable(caller, organization, needed),
            olderThan(after)
          )
        )
        .orderBy(desc(joinRequests.createdAt), desc(joinRequests.id))
        .limit(limit + 1),
    })
    const access = authorizeFor(roles, found, 'members:manage', { orOwner: true })
    if (!access.ok) return access
    if (!request.ok) return request
    return ok(
      toPage(
        found.rows.requests,
        limit,
        ({ user, ahead, ...row }) => ({
          ...joinRequestView(row),
          user: requesterView(user),
          ahead: row.state === 'waiting' ? ahead : null,
        }),
        ({ createdAt, id }) => [createdAt.getTime(), id, 'join_requests']
      )
    )
  })
}

const MOST_OWN_REQUESTS = 50

/** Why {@link listJoinableOrganizations} refuses. */
export type ListJoinableOrganizationsRefusal = 'unauthenticated' | InputRefusal

/**
 * Lists the organizations that the caller may join by the domain of their verified address, or request to
 * join, without those that they are in. Other organizations are not revealed. `mode` is the caller's own:
 * `request` for a user who was removed or suspended there, in any mode of the domain.
 *
 * Refusals: `unauthenticated`, `InputRefusal` (there are no parameters).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const joinable = await listJoinableOrganizations(seatgate, { caller: session })
 * ```
 */
export function listJoinableOrganizations(
  context: Pick<JoiningContext, 'db' | 'emailVerification' | 'joining' | 'users'>,
  { caller }: Scope,
  input: NoParameters = {}
): Promise<
  Result<{ readonly data: readonly JoinableOrganization[] }, ListJoinableOrganizationsRefusal>
> {
  return observed(context, 'organization.joinable_list', async (context) => {
    configured(context)
    const found = await find(context.db, { caller }, joinableQueries(context, caller))
    if (found.caller === null) return refused({ code: 'unauthenticated' })
    const known = knownParameters(input, [])
    if (!known.ok) return known
    return ok({ data: joinableIn(context, found.rows, found.caller) })
  })
}

type JoinableContext = Pick<JoiningContext, 'db' | 'emailVerification' | 'joining' | 'users'>

/** Builds the queries of the organizations that a caller may join. */
export function joinableQueries(context: JoinableContext, caller: Scope['caller']) {
  const userId = userIdOf(caller)
  const doors = openDomain(context, null, userId)
  return {
    doors,
    excluded: exclusionsOf(
      context,
      sql`select organization_id from (${doors})`,
      personOf(context, userId)
    ),
    places: context.db
      .select({
        placeId: sql<string>`${organizations.id}`.as('place_id'),
        name: sql<string>`${organizations.name}`.as('place_name'),
        slug: sql<string>`${organizations.slug}`.as('place_slug'),
      })
      .from(organizations)
      .where(
        sql`${organizations.id} in (select organization_id from (${doors}))
          and ${organizations.deletedAt} is null
          and not exists (select 1 from seatgate_memberships
            where organization_id = ${organizations.id} and user_id = ${userId})`
      ),
  }
}

/** Returns the organizations that the rows of {@link joinableQueries} let a caller join. */
export function joinableIn(
  context: Pick<JoiningContext, 'joining'>,
  rows: RowsOf<ReturnType<typeof joinableQueries>>,
  caller: Principal
): readonly JoinableOrganization[] {
  const { publicDomains } = configured(context)
  const excluded = new Set(
    excluding(rows.excluded, userIdOf(caller)).map(({ organizationId }) => organizationId)
  )
  return rows.places.flatMap(({ placeId, name, slug }) => {
    const door = rows.doors.find(({ organizationId }) => organizationId === placeId)
    if (!door || door.mode === 'off' || publicDomains.has(door.domain)) return []
    const mode = excluded.has(placeId) ? 'request' : door.mode
    return [{ organization: shownOrganization({ id: placeId, name, slug }), mode }]
  })
}

/** Selects the caller's own requests to join. The deletion of an organization closes its requests. */
export function ownRequests({ db }: Pick<JoiningContext, 'db'>, caller: Scope['caller']) {
  return db
    .select({
      id: sql<string>`${joinRequests.id}`.as('request_id'),
      state: sql<string>`${joinRequests.state}`.as('request_state'),
      name: sql<string>`${organizations.name}`.as('request_name'),
    })
    .from(joinRequests)
    .innerJoin(organizations, eq(organizations.id, joinRequests.organizationId))
    .where(
      sql`${joinRequests.userId} = ${userIdOf(caller)} and ${joinRequests.state} in ('open', 'waiting')`
    )
    .limit(MOST_OWN_REQUESTS)
}

function requesterView(user: string | null): ListedJoinRequest['user'] {
  if (user === null) return { email: '', name: null }
  const { email, name } = JSON.parse(user) as ListedJoinRequest['user']
  return { email, name: shownName(name) }
}

/** Builds a scalar subquery of how many users wait ahead of a row of `seatgate_join_requests`. */
function aheadOnWaitlist(): SQL<number> {
  return sql<number>`(select count(*) from seatgate_join_requests ahead
    where ahead.organization_id = seatgate_join_requests.organization_id
    and ahead.state = 'waiting' and ahead.place < seatgate_join_requests.place)`
}

function olderThan(after: readonly [number, string, string] | null): SQL | undefined {
  return after
    ? sql`(${joinRequests.createdAt}, ${joinRequests.id}) < (${after[0]}, ${after[1]})`
    : undefined
}
