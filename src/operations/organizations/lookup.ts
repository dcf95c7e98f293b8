/**
 * What the host itself may ask, without a scope: nobody is checked. What is deleted is not there.
 *
 * @module
 */
import { checkOptionNames } from '../../base/names.ts'
import { and, desc, eq, gt, isNull } from 'drizzle-orm'
import { batch } from '../../database/batch.ts'
import { renamedColumns } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { memberships, organizations, slugAliases } from '../../database/schema.ts'
import { membershipView, type Membership } from '../../engine/model/membership.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { lowerCase } from '../../base/text-input.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { ownOrganizations } from '../../engine/model/organization.ts'
import { organizationNamed } from '../../engine/access/organization-ref.ts'

/** A slug that was given up, and the organization it still leads to. Timestamps are ISO 8601 UTC. */
export interface SlugAlias {
  readonly oldSlug: string
  readonly organizationId: string
  readonly expiresAt: string
}

/** Why {@link fetchOrganization} refuses. */
export type FetchOrganizationRefusal = 'organization_not_found'

/**
 * Fetches a live organization by its id or slug; one that is deleted or was never there is
 * `organization_not_found`. Unlike `getOrganization` it asks for nobody's membership.
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
export async function fetchOrganization(
  { db }: DatabaseContext,
  name: string
): Promise<Result<Organization, FetchOrganizationRefusal>> {
  const { rows } = await batch(db, {
    rows: db.select().from(organizations).where(organizationNamed(name)),
  })
  const [row] = rows
  return row ? ok(organizationView(row)) : refused({ code: 'organization_not_found' })
}

/**
 * Looks a live organization up by its slug, capital or small; null if there is none.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const organization = await getOrganizationBySlug(seatgate, 'acme')
 * ```
 */
export async function getOrganizationBySlug(
  { db }: DatabaseContext,
  slug: string
): Promise<Organization | null> {
  const { rows } = await batch(db, {
    rows: db
      .select()
      .from(organizations)
      .where(and(eq(organizations.slug, lowerCase(slug)), isNull(organizations.deletedAt))),
  })
  return rows[0] ? organizationView(rows[0]) : null
}

/**
 * Looks up somebody's membership in an organization, whatever its status; null if there is none, and
 * for an organization that is deleted unless `includeDeleted` says otherwise.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const membership = await getMembership(seatgate, userId, organizationId)
 * ```
 */
export async function getMembership(
  { db }: DatabaseContext,
  userId: string,
  organizationId: string,
  options: { readonly includeDeleted?: boolean } = {}
): Promise<Membership | null> {
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
}

/**
 * Lists all live organizations of somebody, the newest first.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * for (const { name } of await listOrganizationsForUser(seatgate, userId)) console.log(name)
 * ```
 */
export async function listOrganizationsForUser(
  { db }: DatabaseContext,
  userId: string
): Promise<readonly Organization[]> {
  const { rows } = await batch(db, {
    rows: ownOrganizations(db, userId).orderBy(
      desc(organizations.createdAt),
      desc(organizations.id)
    ),
  })
  return rows.map(({ organization }) => organizationView(organization))
}

/**
 * Looks up where a slug that was given up still leads; null once it has expired.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const alias = await getActiveSlugAlias(seatgate, 'acme-old')
 * ```
 */
export async function getActiveSlugAlias(
  { db, now }: DatabaseContext & Pick<Runtime, 'now'>,
  slug: string
): Promise<SlugAlias | null> {
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
}
