import { observed } from '../../engine/access/observed.ts'
import { and, desc, sql } from 'drizzle-orm'
import type { Queries, RowsOf } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, refused, type PageRefusal, type Result } from '../../base/result.ts'
import {
  userIdOf,
  type OrganizationScope,
  type Principal,
  type Scope,
} from '../../engine/access/principal.ts'
import {
  organizationView,
  ownOrganizations,
  type Organization,
} from '../../engine/model/organization.ts'
import { authorize, find, findOwn } from '../../engine/access/authorize.ts'
import { confinedTo } from '../../engine/access/organization-ref.ts'
import { limitNow, seatsUsed } from '../../engine/seats/counts.ts'
import type { SeatLimitView } from '../../engine/seats/limit.ts'
import type { ProviderContext } from '../../engine/seats/provider.ts'
import type { Runtime } from '../../base/runtime.ts'

/** An organization of the caller, and their role in it. */
export interface OwnOrganization {
  readonly organization: Organization
  readonly role: string
}

/** Why {@link getOrganization} refuses. */
export type GetOrganizationRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Returns an organization by id or slug, for its members.
 *
 * Refusals: `unauthenticated`, `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const found = await getOrganization(seatgate, { caller: { userId }, organization: 'acme' })
 * ```
 */
export function getOrganization(
  context: AccessContext,
  scope: OrganizationScope
): Promise<Result<Organization, GetOrganizationRefusal>> {
  return observed(context, 'organization.get', async ({ db, roles }) => {
    const access = authorize(roles, await find(db, scope, {}))
    return access.ok ? ok(organizationView(access.value.organization)) : access
  })
}

/** Why {@link listOrganizations} refuses. */
export type ListOrganizationsRefusal = 'unauthenticated' | PageRefusal

/**
 * Lists the caller's organizations with their roles, newest membership first.
 *
 * Refusals: `unauthenticated`, `PageRefusal` (on `limit`).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listOrganizations(seatgate, { caller: { userId } })
 * if (page.ok) for (const { organization, role } of page.value.data) console.log(role, organization.name)
 * ```
 */
export async function listOrganizations(
  context: DatabaseContext,
  scope: Scope,
  input: PageInput = {}
): Promise<Result<Page<OwnOrganization>, ListOrganizationsRefusal>> {
  const listed = await listOrganizationsAnd(context, scope, input, {})
  return listed.ok ? ok(listed.value.page) : listed
}

/** Lists organizations as `listOrganizations` does, and reads other queries in the same round trip. */
export function listOrganizationsAnd<Q extends Queries>(
  context: DatabaseContext,
  { caller }: Scope,
  input: PageInput,
  others: Q
): Promise<
  Result<
    { readonly page: Page<OwnOrganization>; readonly rows: RowsOf<Q>; readonly caller: Principal },
    ListOrganizationsRefusal
  >
> {
  return observed(context, 'organization.list', async ({ db }) => {
    const request = parsePage(input, newestFirst('organizations'))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const own = ownOrganizations(
      db,
      userIdOf(caller),
      and(
        confinedTo(caller, memberships.organizationId),
        after
          ? sql`(${memberships.createdAt}, ${memberships.id}) < (${after[0]}, ${after[1]})`
          : undefined
      )
    )
      .orderBy(desc(memberships.createdAt), desc(memberships.id))
      .limit(limit + 1)
    const found = await findOwn(db, caller, { ...others, own })
    if (found.caller === null) return refused({ code: 'unauthenticated' })
    if (!request.ok) return request
    const page = toPage(
      found.rows.own as RowsOf<{ own: typeof own }>['own'],
      limit,
      ({ organization, membership }) => ({
        organization: organizationView(organization),
        role: membership.role,
      }),
      ({ membership }) => [membership.createdAt.getTime(), membership.id, 'organizations']
    )
    return ok({ page, rows: found.rows, caller: found.caller })
  })
}

const MOST_COUNTED = 100

/** Selects the seats in use of the caller's organizations, of 100 at most. */
export function ownSeats(
  {
    db,
    seatContext,
    now,
  }: DatabaseContext & Pick<ProviderContext, 'seatContext'> & Pick<Runtime, 'now'>,
  caller: Scope['caller']
) {
  // With its table: the subqueries have a column of this name.
  const place = sql<string>`seatgate_memberships.organization_id`
  return db
    .select({
      place: place.as('place'),
      used: seatsUsed(place, now()).as('used'),
      limit: sql<SeatLimitView>`${limitNow(seatContext, place)}`.as('seat_limit'),
    })
    .from(memberships)
    .where(
      and(
        sql`${memberships.userId} = ${userIdOf(caller)}`,
        confinedTo(caller, memberships.organizationId)
      )
    )
    .limit(MOST_COUNTED)
}
