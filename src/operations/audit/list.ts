import { checkOptionNames } from '../../base/names.ts'
import { and, asc, desc, eq, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import type { Queries } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { organizationIdOf, readable } from '../../engine/access/organization-ref.ts'
import { find, standingWith, type Standing } from '../../engine/access/authorize.ts'
import type { Page } from '../../base/page.ts'
import { extentOf, missedSince, NOTHING } from '../../engine/audit/trail-horizon.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  eventColumns,
  eventView,
  sealedColumns,
  type AuditEvent,
  type ReadEventRow,
} from '../../engine/audit/event.ts'
import {
  matching,
  parseFilters,
  type AuditFilters,
  type ReadFilters,
} from '../../engine/audit/filters.ts'
import { placeAfter } from './trail-cursor.ts'
import { readRequest, type AuditListInput, type ListContext } from './list-request.ts'
import { upcast, UnknownSchemaVersion } from '../../engine/audit/versions.ts'

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
 * @throws {UnknownSchemaVersion} if one is in a form that a later version has written.
 *
 * @example
 * ```ts
 * const scope = { caller: { userId }, organization: 'acme' }
 * const page = await listAuditEvents(seatgate, scope, { action_prefix: 'organization.member_' })
 * ```
 */
export async function listAuditEvents(
  seatgate: ListContext & AccessContext,
  scope: OrganizationScope,
  input: AuditListInput = {},
  options: { readonly largestPage?: number } = {}
): Promise<Result<Page<AuditEvent>>> {
  checkOptionNames('listAuditEvents', options, ['largestPage'])
  const { largestPage = LARGEST_PAGE } = options
  const request = readRequest(seatgate, scope.organization, input, largestPage)
  const page = request.ok ? request.value : null
  const found = await findAllowed(seatgate, scope, {
    events: eventsIn(seatgate, within(seatgate, scope), page?.filters ?? {}, {
      order: page?.trail.order ?? 'newest',
      after: page?.places[0] ?? null,
      limit: page === null ? 0 : page.limit + 1,
    }),
    extent: extentIn(seatgate, scope),
  })
  if (!found.ok) return found
  if (!request.ok) return request
  const { limit, trail, filters, places } = request.value
  const [after = null] = places
  const { horizon } = found.value.rows.extent[0] ?? NOTHING
  const behind = trail.order === 'oldest' ? after : null
  const missed = missedSince(behind ?? filters.after_sequence, horizon)
  if (missed) return refused(missed)
  const rows = found.value.rows.events as readonly ReadEventRow[]
  const last = rows.at(limit - 1)
  const more = rows.length > limit && last !== undefined
  return ok({
    data: rows.slice(0, limit).map((row) => readEvent(seatgate, row)),
    nextCursor: more ? placeAfter(seatgate.cursorKey, trail, [last.sequence]) : null,
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
  seatgate: AccessContext,
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

/**
 * The event as readers see it: in its newest form. One that cannot be read is not left out.
 *
 * @throws {UnknownSchemaVersion} if it is in a form that is not known here; it is measured too.
 */
export function readEvent({ measure }: Pick<Runtime, 'measure'>, row: ReadEventRow): AuditEvent {
  try {
    return upcast(eventView(row))
  } catch (error) {
    if (error instanceof UnknownSchemaVersion) {
      measure({ name: 'audit.unknown_version', version: error.version })
    }
    throw error
  }
}

/** The events of a trail that match. */
export function eventsIn(
  { db }: DatabaseContext,
  trail: SQL | undefined,
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
  return db
    .select(sealed ? sealedColumns : eventColumns)
    .from(auditEvents)
    .where(
      and(
        trail,
        matching(filters),
        after === null ? undefined : behind(sequence, after),
        through === undefined ? undefined : lte(sequence, through)
      )
    )
    .orderBy(order === 'newest' ? desc(sequence) : asc(sequence))
    .limit(limit)
}

/** Where the trail of the scope's organization begins and ends. */
export function extentIn({ db }: DatabaseContext, { organization }: OrganizationScope) {
  return extentOf(db, organizationIdOf(organization))
}

/** Who is asking may read the trail, and what else was asked for in the same trip. */
export async function findAllowed<Q extends Queries>(
  { db, roles }: AccessContext,
  scope: OrganizationScope,
  queries: Q
): Promise<Result<Standing & { readonly rows: Awaited<ReturnType<typeof find<Q>>>['rows'] }>> {
  const found = await find(db, scope, queries)
  const standing = standingWith(roles, found, roles.memberAdmins)
  return standing.ok ? ok({ ...standing.value, rows: found.rows }) : standing
}

/** The trail of the scope's organization, for those who may read it: a stranger's question reads nothing. */
export function within(
  { roles }: Pick<AccessContext, 'roles'>,
  { caller, organization }: OrganizationScope
) {
  return and(
    eq(auditEvents.organizationId, organizationIdOf(organization)),
    readable(caller, organization, roles.memberAdmins)
  )
}
