/**
 * Lookups for the host itself, without a scope and without a check of access. Deleted organizations are
 * not found.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { checkOptionNames } from '../../base/names.ts'
import { and, desc, eq, gt, isNull } from 'drizzle-orm'
import { batch, renamedColumns } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { DatabaseContext } from '../../database/database.ts'
import {
  memberships,
  organizations,
  slugAliases,
} from '../../database/schema/organizations-tables.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { lowerCase } from '../../base/input.ts'
import {
  organizationView,
  ownOrganizations,
  type Organization,
} from '../../engine/model/organization.ts'
import { organizationNamed } from '../../engine/access/organization-ref.ts'

/** A former slug, and the organization that it still redirects to. Timestamps are ISO 8601 UTC. */
export interface SlugAlias {
  readonly oldSlug: string
  readonly organizationId: string
  readonly expiresAt: string
}

/** Why {@link fetchOrganization} refuses. */
export type FetchOrganizationRefusal = 'organization_not_found'

/**
 * Returns a live organization by its id or slug; an organization that is deleted or does not exist is
 * `organization_not_found`. Unlike `getOrganization` it checks no membership.
 *
 * Refusals: `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const found = await fetchOrganization(seatgate, organizationId)
 * ```
 */
export function fetchOrganization(
  context: DatabaseContext,
  name: string
): Promise<Result<Organization, FetchOrganizationRefusal>> {
  return observed(context, 'organization.fetch', async (context) => {
    const { db } = context
    const { rows } = await batch(db, {
      rows: rowsWhere(db, organizations, organizationNamed(name)),
    })
    const [row] = rows
    return row ? ok(organizationView(row)) : refused({ code: 'organization_not_found' })
  })
}

/**
 * Returns a live organization by its slug, in upper or lower case, or null.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const organization = await getOrganizationBySlug(seatgate, 'acme')
 * ```
 */
export function getOrganizationBySlug(
  context: DatabaseContext,
  slug: string
): Promise<Organization | null> {
  return observed(context, 'organization.get_by_slug', async (context) => {
    const { db } = context
    const { rows } = await batch(db, {
      rows: rowsWhere(
        db,
        organizations,
        and(eq(organizations.slug, lowerCase(slug)), isNull(organizations.deletedAt))
      ),
    })
    return rows[0] ? organizationView(rows[0]) : null
  })
}

/**
 * Returns a user's membership in an organization, active or suspended, or null. For a
 * deleted organization it is null too, unless `includeDeleted` is set.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const membership = await getMembership(seatgate, userId, organizationId)
 * ```
 */
export function getMembership(
  context: DatabaseContext,
  userId: string,
  organizationId: string,
  options: { readonly includeDeleted?: boolean } = {}
): Promise<Membership | null> {
  return observed(context, 'organization.membership_get', async (context) => {
    const { db } = context
    checkOptionNames('getMembership', options, ['includeDeleted'])
    const { includeDeleted = false } = options
    const { rows } = await batch(db, {
      rows: db
        .select(renamedColumns(memberships, 'membership'))
        .from(memberships)
        .innerJoin(organizations, eq(organizations.id, memberships.organizationId))
        .where(
          and(
            eq(memberships.organizationId, organizationId),
            eq(memberships.userId, userId),
            includeDeleted ? undefined : isNull(organizations.deletedAt)
          )
        ),
    })
    return rows[0] ? membershipView(rows[0]) : null
  })
}

/**
 * Lists all live organizations of a user, the newest first.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * for (const { name } of await listOrganizationsForUser(seatgate, userId)) console.log(name)
 * ```
 */
export function listOrganizationsForUser(
  context: DatabaseContext,
  userId: string
): Promise<readonly Organization[]> {
  return observed(context, 'organization.list_of_user', async (context) => {
    const { db } = context
    const { rows } = await batch(db, {
      rows: ownOrganizations(db, userId).orderBy(
        desc(organizations.createdAt),
        desc(organizations.id)
      ),
    })
    return rows.map(({ organization }) => organizationView(organization))
  })
}

/**
 * Returns the organization that a former slug redirects to; null if the alias has expired.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const alias = await getActiveSlugAlias(seatgate, 'acme-old')
 * ```
 */
export function getActiveSlugAlias(
  context: DatabaseContext & Pick<Runtime, 'now'>,
  slug: string
): Promise<SlugAlias | null> {
  return observed(context, 'organization.slug_alias_get', async (context) => {
    const { db, now } = context
    const { rows } = await batch(db, {
      rows: db
        .select(renamedColumns(slugAliases, 'alias'))
        .from(slugAliases)
        .innerJoin(organizations, eq(organizations.id, slugAliases.organizationId))
        .where(
          and(
            eq(slugAliases.oldSlug, lowerCase(slug)),
            gt(slugAliases.expiresAt, now()),
            isNull(organizations.deletedAt)
          )
        ),
    })
    const [row] = rows
    if (row === undefined) return null
    const { oldSlug, organizationId, expiresAt } = row
    return { oldSlug, organizationId, expiresAt: expiresAt.toISOString() }
  })
}
