/**
 * Reads of operators: any organization's trail, and the platform's own, which is the one under `system`.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import * as v from 'valibot'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { bothOf, parseInput, shortText } from '../../base/input.ts'
import { platformOnly } from '../../engine/access/authorize.ts'
import type { Page } from '../../base/page.ts'
import { countIn, eventsIn, readEvent } from '../../engine/audit/read-events.ts'
import { extentOf, missedSince } from '../../engine/audit/trail-extent.ts'
import { ok, refused, type InputRefusal, type PageRefusal, type Result } from '../../base/result.ts'
import type { Scope } from '../../engine/access/principal.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import type { ReadEventRow } from '../../engine/audit/event-view.ts'
import { parseFilters, type AuditFilters } from '../../engine/audit/filters.ts'
import { SYSTEM } from '../../engine/audit/event.ts'
import { placeAfter, readRequest, type AuditListInput, type ListContext } from './list.ts'

const Trails = v.object({
  organization_id: v.nullable(shortText(), undefined),
  organization_scope: v.optional(
    v.picklist(['only', 'including_system'], 'Must be only or including_system.'),
    'only'
  ),
})

/** The trail of an organization by its id (null: the platform's own), alone or with the platform's. */
export type PlatformFilters = AuditFilters & v.InferInput<typeof Trails>

/** The request of a list of them. */
export type PlatformListInput = AuditListInput & v.InferInput<typeof Trails>

const LARGEST_PAGE = 500

/** Why {@link listPlatformEvents} refuses. */
export type ListPlatformEventsRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | PageRefusal
  | 'before_horizon'

/**
 * Lists the audit events of any organization `{ organization_id }`, also a deleted one, or with null
 * those of the platform; `organization_scope: 'including_system'` merges both, by the time of recording.
 * Otherwise it works as `listAuditEvents`. For the host itself and its operators.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `PageRefusal`, `before_horizon`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {UnknownSchemaVersion} if one is in a form that a later version has written.
 *
 * @example
 * ```ts
 * const page = await listPlatformEvents(seatgate, { caller: { userId, operator: true } }, {
 *   organization_id: null,
 *   action_prefix: 'billing.',
 * })
 * ```
 */
export function listPlatformEvents(
  context: ListContext,
  { caller }: Scope,
  input: PlatformListInput,
  { largestPage = LARGEST_PAGE }: { readonly largestPage?: number } = {}
): Promise<Result<Page<AuditEvent>, ListPlatformEventsRefusal>> {
  return observed(context, 'platform.audit_list', async (context) => {
    const { db, cursorSecret } = context
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) return allowed
    const { organization_id: _id, organization_scope: _scope, ...given } = input
    const trails = parseTrails(input)
    const name = trails.ok ? `platform ${trails.value.ids.join(' ')}` : ''
    const request = bothOf(await readRequest(context, name, given, largestPage), trails)
    if (!request.ok) return request
    const { ids, filters, trail, limit, places } = request.value
    // Without a second trail its query returns no rows.
    const [first = SYSTEM, second = ''] = ids
    const page = (index: number) => ({
      order: trail.order,
      after: places[index] ?? null,
      limit: limit + 1,
    })
    const found = await batch(db, {
      first: eventsIn(context, { organizationId: first }, filters, page(0)),
      second: eventsIn(context, { organizationId: second }, filters, page(1)),
      firstExtent: extentOf(db, first),
      secondExtent: extentOf(db, second),
    })
    for (const [index, [extent]] of [found.firstExtent, found.secondExtent].entries()) {
      const behind = trail.order === 'oldest' ? places[index] : null
      const missed = missedSince(behind ?? filters.after_sequence, extent?.horizon ?? 0)
      if (missed) return refused(missed)
    }
    const merged = merge(found.first, found.second, trail.order)
    const shown = merged.slice(0, limit)
    const next = ids.map(
      (id, index) =>
        shown.findLast(({ organizationId }) => organizationId === id)?.sequence ??
        places[index] ??
        null
    )
    return ok({
      data: shown.map((row) => readEvent(context, row)),
      nextCursor: merged.length > limit ? await placeAfter(cursorSecret, trail, next) : null,
    })
  })
}

/** Why {@link countPlatformEvents} refuses. */
export type CountPlatformEventsRefusal = 'unauthenticated' | 'insufficient_role' | InputRefusal

/**
 * Counts the events that {@link listPlatformEvents} would list.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `InputRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await countPlatformEvents(seatgate, { caller: { type: 'system' } }, { organization_id: null })
 * ```
 */
export function countPlatformEvents(
  context: DatabaseContext,
  { caller }: Scope,
  input: PlatformFilters
): Promise<Result<{ readonly count: number }, CountPlatformEventsRefusal>> {
  return observed(context, 'platform.audit_count', async (context) => {
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) return allowed
    const { organization_id: _id, organization_scope: _scope, ...given } = input
    const asked = bothOf(parseFilters(given, Object.keys(Trails.entries)), parseTrails(input))
    if (!asked.ok) return asked
    const { ids, ...filters } = asked.value
    const [first = SYSTEM, second = ''] = ids
    const counted = await batch(context.db, {
      first: countIn(context, { organizationId: first }, filters),
      second: countIn(context, { organizationId: second }, filters),
    })
    const counts = [...counted.first, ...counted.second]
    return ok({ count: counts.reduce((sum, { count }) => sum + count, 0) })
  })
}

function parseTrails(input: unknown): Result<{ readonly ids: readonly string[] }, InputRefusal> {
  const parsed = parseInput(Trails, input)
  if (!parsed.ok) return parsed
  const { organization_id: id, organization_scope: scope } = parsed.value
  if (id === null) return ok({ ids: [SYSTEM] })
  return ok({ ids: scope === 'only' ? [id] : [id, SYSTEM] })
}

// By time, but each trail in its own sequence, so that a clock that was set back does not reorder it.
function merge(
  left: readonly ReadEventRow[],
  right: readonly ReadEventRow[],
  order: 'newest' | 'oldest'
): ReadEventRow[] {
  const merged: ReadEventRow[] = []
  let [l, r] = [0, 0]
  for (;;) {
    const [a, b] = [left[l], right[r]]
    if (a === undefined) return [...merged, ...right.slice(r)]
    if (b === undefined) return [...merged, ...left.slice(l)]
    const earlier = a.insertedAt.getTime() - b.insertedAt.getTime() || (a.id < b.id ? -1 : 1)
    const first = earlier < 0 === (order === 'oldest')
    merged.push(first ? a : b)
    if (first) l += 1
    else r += 1
  }
}
