import { and, desc, eq, isNull, sql } from 'drizzle-orm'
import { memberships, organizations } from '../database/schema.ts'
import { newestFirst, parsePage, toPage, type Page, type PageInput } from '../page.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope, Scope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { organizationView, type Organization } from './organization.ts'
import { find, standingOf } from './standing.ts'

/** An organization of somebody's, and their role in it. */
export interface OwnOrganization {
  readonly organization: Organization
  readonly role: string
}

/**
 * Fetches an organization by id or slug, for its members.
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
export async function getOrganization(
  { db }: Seatgate,
  scope: OrganizationScope
): Promise<Result<Organization>> {
  const standing = standingOf(await find(db, scope, {}))
  return standing.ok ? ok(organizationView(standing.value.organization)) : standing
}

/**
 * Lists the caller's organizations with their roles, newest membership first.
 *
 * Refusals: `unauthenticated`, `validation_error` on `limit`, `invalid_cursor`.
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
  { db }: Seatgate,
  scope: Scope,
  input: PageInput = {}
): Promise<Result<Page<OwnOrganization>>> {
  const { caller } = scope
  const request = parsePage(input, newestFirst('organizations'))
  const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
  const found = await find(
    db,
    { caller },
    {
      // Each field has a name of its own: D1 answers a batch with objects, so that two columns of
      // one name would become one.
      own: db
        .select({
          id: sql<string>`${organizations.id}`.as('organization_id'),
          name: organizations.name,
          slug: organizations.slug,
          createdAt: sql`${organizations.createdAt}`
            .mapWith(organizations.createdAt)
            .as('organization_created_at'),
          updatedAt: sql`${organizations.updatedAt}`
            .mapWith(organizations.updatedAt)
            .as('organization_updated_at'),
          role: memberships.role,
          membershipId: sql<string>`${memberships.id}`.as('membership_id'),
          joinedAt: sql<number>`${memberships.createdAt}`.as('joined_at'),
        })
        .from(memberships)
        .innerJoin(organizations, eq(organizations.id, memberships.organizationId))
        .where(
          and(
            eq(memberships.userId, caller.userId),
            eq(memberships.status, 'active'),
            isNull(organizations.deletedAt),
            after
              ? sql`(${memberships.createdAt}, ${memberships.id}) < (${after[0]}, ${after[1]})`
              : undefined
          )
        )
        .orderBy(desc(memberships.createdAt), desc(memberships.id))
        .limit(limit + 1),
    }
  )
  if (found.caller === null) return refused({ code: 'unauthenticated' })
  if (!request.ok) return request
  return ok(
    toPage(
      found.rows.own,
      limit,
      ({ role, ...organization }) => ({ organization: organizationView(organization), role }),
      ({ joinedAt, membershipId }) => [joinedAt, membershipId, 'organizations']
    )
  )
}
