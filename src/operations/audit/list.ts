import { checkOptionNames } from '../../base/names.ts'
import { and, sql } from 'drizzle-orm'
import { auditEvents } from '../../database/schema.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import type { Page } from '../../base/page.ts'
import { missedSince, NOTHING } from '../../engine/audit/trail-horizon.ts'
import type { AccessRefusal, InputRefusal, PageRefusal } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { eventsIn, readEvent } from '../../engine/audit/read-events.ts'
import type { ReadEventRow } from '../../engine/audit/event.ts'
import { extentIn, findAllowed, within } from '../../engine/model/trail-access.ts'
import { matching, parseFilters, type AuditFilters } from '../../engine/audit/filters.ts'
import { placeAfter } from './trail-cursor.ts'
import { readRequest, type AuditListInput, type ListContext } from './list-request.ts'

const LARGEST_PAGE = 500

/** Why {@link listAuditEvents} refuses. */
export type ListAuditEventsRefusal = AccessRefusal | PageRefusal | 'before_horizon'

/**
 * Lists an organization's audit events for those who administer its members: newest first for a screen,
 * or `order: 'oldest'` for an exporter, which gets every event exactly once while new ones arrive, or
 * `before_horizon` if retention was faster. `limit` is 1 to 500. A cursor is valid for the same order and
 * filters.
 *
 * Refusals: `AccessRefusal`, `PageRefusal`, `before_horizon`.
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
): Promise<Result<Page<AuditEvent>, ListAuditEventsRefusal>> {
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

/** Why {@link countAuditEvents} refuses. */
export type CountAuditEventsRefusal = AccessRefusal | InputRefusal | 'before_horizon'

/**
 * Counts an organization's audit events, all of them or those that match.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `before_horizon`.
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
): Promise<Result<{ readonly count: number }, CountAuditEventsRefusal>> {
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
