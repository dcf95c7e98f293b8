/**
 * Reads of any organization, including deleted ones, for operators.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { and, asc, gt, isNotNull, isNull, or, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { batch } from '../../database/batch.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { organizations, type OrganizationRow } from '../../database/schema/organizations-tables.ts'
import { bothOf, lowerCase, parseInput, shortText } from '../../base/input.ts'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, refused, type PageRefusal, type RefusalCode, type Result } from '../../base/result.ts'
import type { OrganizationScope, Scope } from '../../engine/access/principal.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { isIdentifier, organizationNamed } from '../../engine/access/organization-ref.ts'
import { platformOnly } from '../../engine/access/authorize.ts'

/** An organization in responses to operators. */
export interface PlatformOrganization extends Organization {
  /** When it was deleted; null while it is live. */
  readonly deletedAt: string | null
}

const Filters = v.object({
  search: v.optional(shortText()),
  status: v.optional(
    v.picklist(['live', 'deleted', 'all'], 'Must be "live", "deleted" or "all".'),
    'all'
  ),
})

/** A request for organizations: a page, a search and a status. */
export type PlatformOrganizationsInput = PageInput & v.InferInput<typeof Filters>

const LIST = 'platform_organizations'
const AfterId = v.strictTuple([v.string(), v.literal(LIST)])

/** Why {@link listPlatformOrganizations} refuses. */
export type ListPlatformOrganizationsRefusal = 'unauthenticated' | 'insufficient_role' | PageRefusal

/**
 * Lists organizations in the order of their ids, deleted ones too; for operators and the host itself.
 * `search` is an id, or the beginning of a slug or a name, ignoring the case of A to Z; `status` is
 * `live`, `deleted` or `all` (default). A search reads organizations until the page is full.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `PageRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const page = await listPlatformOrganizations(seatgate, { caller: operator }, { search: 'acme' })
 * ```
 */
export function listPlatformOrganizations(
  context: DatabaseContext,
  { caller }: Scope,
  input: PlatformOrganizationsInput = {}
): Promise<Result<Page<PlatformOrganization>, ListPlatformOrganizationsRefusal>> {
  return observed(context, 'platform.organization_list', async (context) => {
    const { db } = context
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) return allowed
    const page = parsePage(input, AfterId, Object.keys(Filters.entries))
    const request = bothOf(page, parseInput(Filters, input))
    if (!request.ok) return request
    const { limit, after, ...filters } = request.value
    const { rows } = await batch(db, {
      rows: db
        .select()
        .from(organizations)
        .where(and(matching(filters), after ? gt(organizations.id, after[0]) : undefined))
        .orderBy(asc(organizations.id))
        .limit(limit + 1),
    })
    return ok(toPage(rows, limit, platformView, ({ id }) => [id, LIST]))
  })
}

/** Why {@link getPlatformOrganization} refuses. */
export type GetPlatformOrganizationRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Returns any organization by its id, also a deleted one, or a live one by its slug; for operators and
 * the host itself. Others get `organization_not_found`.
 *
 * Refusals: `unauthenticated`, `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const operator = { userId, operator: true }
 * const found = await getPlatformOrganization(seatgate, { caller: operator, organization: id })
 * if (found.ok) console.log(found.value.deletedAt)
 * ```
 */
export function getPlatformOrganization(
  context: DatabaseContext,
  { caller, organization }: OrganizationScope
): Promise<Result<PlatformOrganization, GetPlatformOrganizationRefusal>> {
  return observed(context, 'platform.organization_get', async (context) => {
    const { db } = context
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) {
      const { code } = allowed.error
      return refused({ code: code === 'insufficient_role' ? 'organization_not_found' : code })
    }
    const { rows } = await batch(db, {
      rows: rowsWhere(db, organizations, named(organization)),
    })
    const [row] = rows
    return row ? ok(platformView(row)) : refused({ code: 'organization_not_found' })
  })
}

/**
 * Turns `insufficient_role` into `organization_not_found`, for reads of one organization by strangers.
 */
export function hidden<T, Code extends RefusalCode>(
  result: Result<T, Code>
): Result<T, Exclude<Code, 'insufficient_role'> | 'organization_not_found'>
export function hidden<T>(result: Result<T>): Result<T> {
  return !result.ok && result.error.code === 'insufficient_role'
    ? refused({ code: 'organization_not_found' })
    : result
}

function named(name: string): SQL {
  const lower = lowerCase(name)
  return isIdentifier(lower) ? sql`${organizations.id} = ${lower}` : organizationNamed(name)
}

// Compared letter by letter: no character is special, as `%` would be in LIKE.
function matching({ search, status }: v.InferOutput<typeof Filters>): SQL | undefined {
  const begins = (column: SQL | typeof organizations.slug) =>
    sql`lower(substr(${column}, 1, length(${search}))) = lower(${search})`
  return and(
    status === 'live' ? isNull(organizations.deletedAt) : undefined,
    status === 'deleted' ? isNotNull(organizations.deletedAt) : undefined,
    search === undefined
      ? undefined
      : or(
          sql`${organizations.id} = lower(${search})`,
          begins(organizations.slug),
          begins(sql`${organizations.name}`)
        )
  )
}

function platformView({ deletedAt, ...row }: OrganizationRow): PlatformOrganization {
  return { ...organizationView(row), deletedAt: deletedAt?.toISOString() ?? null }
}
