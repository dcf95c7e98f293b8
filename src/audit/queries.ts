import { and, asc, desc, eq, gt, lt, lte, sql } from 'drizzle-orm'
import type { Queries } from '../database/batch.ts'
import { auditEvents } from '../database/schema.ts'
import { organizationIdOf, readable } from '../organizations/reference.ts'
import { find, standingWith, type Standing } from '../organizations/standing.ts'
import { parseLimit, type Page, type PageInput } from '../page.ts'
import { invalid } from '../refusal.ts'
import { extentOf, missedSince, NOTHING } from '../retention/horizon.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import {
  eventColumns,
  eventView,
  sealedColumns,
  type AuditEvent,
  type ReadEventRow,
} from './event.ts'
import { matching, parseFilters, type AuditFilters, type ReadFilters } from './filters.ts'
import { placeAfter, sequenceAt, type Trail } from './place.ts'

/** What to list: filters, the order (`newest` first unless `oldest` is said) and a page. */
export type AuditListInput = AuditFilters & PageInput & { readonly order?: 'newest' | 'oldest' }

const BESIDE_FILTERS = ['limit', 'cursor', 'order']
const LARGEST_PAGE = 500

/**
 * Lists an organization's audit events for those who administer its members: newest first for a
 * screen, or `order: 'oldest'` for an exporter, who misses nothing and has nothing twice however many
 * events arrive meanwhile; if retention was faster, they are told (`before_horizon`). `limit` is 1 to 500.
 * A cursor holds for the same order and filters.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`,
 * `invalid_cursor`, `before_horizon`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const scope = { caller: { userId }, organization: 'acme' }
 * const page = await listAuditEvents(seatgate, scope, { action_prefix: 'organization.member_' })
 * ```
 */
export async function listAuditEvents(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: AuditListInput = {},
  { largestPage = LARGEST_PAGE }: { readonly largestPage?: number } = {}
): Promise<Result<Page<AuditEvent>>> {
  const request = readRequest(seatgate, scope, input, largestPage)
  const page = request.ok ? request.value : null
  const found = await findAllowed(seatgate, scope, {
    events: eventsIn(seatgate, scope, page?.filters ?? {}, {
      order: page?.trail.order ?? 'newest',
      after: page?.after ?? null,
      limit: page === null ? 0 : page.limit + 1,
    }),
    extent: extentIn(seatgate, scope),
  })
  if (!found.ok) return found
  if (!request.ok) return request
  const { limit, trail, after, filters } = request.value
  const { horizon } = found.value.rows.extent[0] ?? NOTHING
  const behind = trail.order === 'oldest' ? after : null
  const missed = missedSince(behind ?? filters.after_sequence, horizon)
  if (missed) return refused(missed)
  const rows = found.value.rows.events as readonly ReadEventRow[]
  const last = rows.at(limit - 1)
  const more = rows.length > limit && last !== undefined
  return ok({
    data: rows.slice(0, limit).map(eventView),
    nextCursor: more ? placeAfter(seatgate.cursorKey, trail, last.sequence) : null,
  })
}

/**
 * Counts an organization's audit events, all that are there or those that match.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`,
 * `before_horizon`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const failures = await countAuditEvents(seatgate, scope, { outcome: 'failure' })
 * ```
 */
export async function countAuditEvents(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: AuditFilters = {}
): Promise<Result<{ readonly count: number }>> {
  const filters = parseFilters(input, [])
  const found = await findAllowed(seatgate, scope, {
    counted: seatgate.db
      .select({ count: sql<number>`count(*)`.as('count') })
      .from(auditEvents)
      .where(filters.ok ? and(within(seatgate, scope), matching(filters.value)) : sql`false`),
    extent: extentIn(seatgate, scope),
  })
  if (!found.ok) return found
  if (!filters.ok) return filters
  const { counted, extent } = found.value.rows
  const missed = missedSince(filters.value.after_sequence, extent[0]?.horizon ?? 0)
  if (missed) return refused(missed)
  return ok({ count: counted[0]?.count ?? 0 })
}

/** The events of the scope's organization that match, for those who may read them. */
export function eventsIn(
  seatgate: Seatgate,
  scope: OrganizationScope,
  filters: ReadFilters,
  page: {
    readonly order: 'newest' | 'oldest'
    readonly after: number | null
    readonly through?: number
    readonly limit: number
    /** Whether the hashes that they were sealed with are wanted. */
    readonly sealed?: boolean
  }
) {
  const { order, after, through, limit, sealed = false } = page
  const { sequence } = auditEvents
  const behind = order === 'newest' ? lt : gt
  return seatgate.db
    .select(sealed ? sealedColumns : eventColumns)
    .from(auditEvents)
    .where(
      and(
        within(seatgate, scope),
        matching(filters),
        after === null ? undefined : behind(sequence, after),
        through === undefined ? undefined : lte(sequence, through)
      )
    )
    .orderBy(order === 'newest' ? desc(sequence) : asc(sequence))
    .limit(limit)
}

/** Where the trail of the scope's organization begins and ends. */
export function extentIn({ db }: Seatgate, { organization }: OrganizationScope) {
  return extentOf(db, organizationIdOf(organization))
}

/** Who is asking may read the trail, and what else was asked for in the same trip. */
export async function findAllowed<Q extends Queries>(
  { db, roles }: Seatgate,
  scope: OrganizationScope,
  queries: Q
): Promise<Result<Standing & { readonly rows: Awaited<ReturnType<typeof find<Q>>>['rows'] }>> {
  const found = await find(db, scope, queries)
  const standing = standingWith(roles, found, roles.memberAdmins)
  return standing.ok ? ok({ ...standing.value, rows: found.rows }) : standing
}

// A stranger's question reads nothing.
function within({ roles }: Seatgate, { caller, organization }: OrganizationScope) {
  return and(
    eq(auditEvents.organizationId, organizationIdOf(organization)),
    readable(caller, organization, roles.memberAdmins)
  )
}

function readRequest(
  { cursorKey }: Seatgate,
  { organization }: OrganizationScope,
  input: AuditListInput,
  largest: number
): Result<{
  readonly filters: ReadFilters
  readonly trail: Trail
  readonly limit: number
  readonly after: number | null
}> {
  const filters = parseFilters(input, BESIDE_FILTERS)
  if (!filters.ok) return filters
  const { order = 'newest', cursor } = input
  if (order !== 'newest' && order !== 'oldest') {
    return refused(invalid({ order: ['Must be "newest" or "oldest".'] }))
  }
  const limit = parseLimit(input.limit, largest)
  if (!limit.ok) return limit
  const trail = { organization, order, filters: filters.value }
  const after = cursor === undefined ? null : sequenceAt(cursorKey, trail, cursor)
  if (cursor !== undefined && after === null) return refused({ code: 'invalid_cursor' })
  return ok({ filters: filters.value, trail, limit: limit.value, after })
}
