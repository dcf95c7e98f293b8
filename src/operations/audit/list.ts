import { observed } from '../../engine/access/observed.ts'
import { sql } from 'drizzle-orm'
import { checkOptionNames } from '../../base/names.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { parseLimit, type Page, type PageInput } from '../../base/page.ts'
import { missedSince } from '../../engine/audit/trail-extent.ts'
import { countIn, eventsIn, newestForm } from '../../engine/audit/read-events.ts'
import {
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type PageRefusal,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import {
  archiveOf,
  type ArchiveContext,
  type ArchivedRequest,
  type Segment,
} from '../../engine/audit/archived-events.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { eventView, type ReadEventRow } from '../../engine/audit/event-view.ts'
import {
  archivedIn,
  findAllowed,
  readableExtentIn,
  trailOf,
} from '../../engine/model/trail-access.ts'
import { parseFilters, type AuditFilters, type ReadFilters } from '../../engine/audit/filters.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { DatabaseContext, UserContext } from '../../database/database.ts'
import { namedUsers, usersNamedIn, type NamedUser } from '../../engine/model/named-users.ts'
import { base64url, canonicalJson, fromBase64url } from '../../proof/encoding.ts'

const LARGEST_PAGE = 500
const NONE = { after_sequence: Number.MAX_SAFE_INTEGER }

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
  context: ListContext & AccessContext & ArchiveContext,
  scope: OrganizationScope,
  input: AuditListInput = {},
  options: { readonly largestPage?: number } = {}
): Promise<Result<Page<AuditEvent>, ListAuditEventsRefusal>> {
  checkOptionNames('listAuditEvents', options, ['largestPage'])
  const listed = await listEventsAndUsers({ ...context, users: null }, scope, input, options)
  if (!listed.ok) return listed
  const { data, nextCursor } = listed.value
  return ok({ data, nextCursor })
}

/** Lists events as `listAuditEvents` does, and the users of the host that they name by id. */
export function listEventsAndUsers(
  context: ListContext & AccessContext & ArchiveContext & UserContext,
  scope: OrganizationScope,
  input: AuditListInput = {},
  { largestPage = LARGEST_PAGE }: { readonly largestPage?: number } = {}
): Promise<
  Result<Page<AuditEvent> & { readonly users: readonly NamedUser[] }, ListAuditEventsRefusal>
> {
  return observed(context, 'audit.list', async (context) => {
    const request = await readRequest(context, scope.organization, input, largestPage)
    const page = request.ok ? request.value : null
    const place: ArchivedRequest = {
      filters: page?.filters ?? {},
      order: page?.trail.order ?? 'newest',
      after: page?.places[0] ?? null,
      limit: page === null ? 0 : page.limit + 1,
    }
    const stored = eventsIn(context, trailOf(context, scope), place.filters, place)
    const found = await findAllowed(context, scope, {
      events: stored,
      extent: readableExtentIn(context, scope),
      ...archivedIn(context, scope, place),
      // Of archived events the ids alone are known.
      users: usersNamedIn(
        context,
        sql`select actor_id from (${stored}) union select target_id from (${stored})`
      ),
    })
    if (!found.ok) return found
    if (!request.ok) return request
    const { limit, trail, filters } = request.value
    const { extent, segments = [], events } = found.value.rows
    const behind = trail.order === 'oldest' ? place.after : null
    const missed = missedSince(behind ?? filters.after_sequence, extent[0]?.horizon ?? 0)
    if (missed) return refused(missed)
    const views = (events as readonly ReadEventRow[]).map(eventView)
    const { data, next } = await withArchived(context, views, segments, place)
    return ok({
      data: data.slice(0, limit).map((event) => newestForm(context, event)),
      nextCursor: next === null ? null : await placeAfter(context.cursorSecret, trail, [next]),
      users: namedUsers(found.value.rows.users),
    })
  })
}

/** Returns the events of a page, one more than it shows if there are more, and where the next one begins. */
async function withArchived(
  context: ArchiveContext,
  stored: readonly AuditEvent[],
  segments: readonly Segment[],
  place: ArchivedRequest
): Promise<{ readonly data: readonly AuditEvent[]; readonly next: number | null }> {
  const newest = place.order === 'newest'
  const archive = archiveOf(context)
  const filled = newest && stored.length >= place.limit
  if (archive === null || segments.length === 0 || filled) return pageOf(stored, place, null)
  const limit = place.limit - (newest ? stored.length : 0)
  const read = await archive.read(segments, { ...place, limit })
  const older = read.events.map(({ leafHash: _sealed, ...event }) => event)
  // Without a full page there may be events in the segments that this request does not read.
  const unread = read.more ? read.end : null
  if (newest) return pageOf([...stored, ...older], place, unread)
  return pageOf(read.more ? older : [...older, ...stored], place, unread)
}

function pageOf(data: readonly AuditEvent[], { limit }: ArchivedRequest, unread: number | null) {
  const last = data.at(limit - 2)
  return { data, next: data.length >= limit && last !== undefined ? last.sequence : unread }
}

/** Why {@link countAuditEvents} refuses. */
export type CountAuditEventsRefusal = AccessRefusal | InputRefusal | 'before_horizon'

/**
 * Counts an organization's audit events, all of them or those that match. Of archived events it reads every
 * segment that the filters allow: 1,000 events each.
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
export function countAuditEvents(
  context: AccessContext & ArchiveContext,
  scope: OrganizationScope,
  input: AuditFilters = {}
): Promise<Result<{ readonly count: number }, CountAuditEventsRefusal>> {
  return observed(context, 'audit.count', async (context) => {
    const parsed = parseFilters(input, [])
    const given = parsed.ok ? parsed.value : NONE
    let filters: ReadFilters = given
    let archived = 0
    for (;;) {
      const found = await findAllowed(context, scope, {
        counted: countIn(context, trailOf(context, scope), filters),
        extent: readableExtentIn(context, scope),
        ...archivedIn(context, scope, { filters, order: 'oldest', after: null }),
      })
      if (!found.ok) return found
      if (!parsed.ok) return parsed
      const { counted, extent, segments = [] } = found.value.rows
      const missed = missedSince(given.after_sequence, extent[0]?.horizon ?? 0)
      if (missed) return refused(missed)
      const archive = archiveOf(context)
      if (archive === null || segments.length === 0) {
        return ok({ count: archived + (counted[0]?.count ?? 0) })
      }
      const place = { filters, order: 'oldest', after: null, limit: Infinity } as const
      const { events, end } = await archive.read(segments, place)
      archived += events.length
      filters = { ...given, after_sequence: end }
    }
  })
}

/** The request of a list: filters, the order (default `newest` first) and a page. */
export type AuditListInput = AuditFilters & PageInput & { readonly order?: 'newest' | 'oldest' }

/** The context of a function that lists events. */
export interface ListContext extends DatabaseContext, Pick<Runtime, 'measure'> {
  /** Signs cursors; null: they can be forged. */
  readonly cursorSecret: string | null
}

/** A parsed request of a list. */
export interface ListRequest {
  readonly filters: ReadFilters
  readonly trail: Trail
  readonly limit: number
  readonly places: Places
}

const BESIDE_FILTERS = ['limit', 'cursor', 'order']

/** Parses the request of a list; `name` distinguishes its cursors from those of others. */
export async function readRequest(
  { cursorSecret }: Pick<ListContext, 'cursorSecret'>,
  name: string,
  input: AuditListInput,
  largest: number
): Promise<Result<ListRequest, PageRefusal>> {
  const filters = parseFilters(input, BESIDE_FILTERS)
  if (!filters.ok) return filters
  const { order = 'newest', cursor } = input
  if (order !== 'newest' && order !== 'oldest') {
    return refused(invalid({ order: ['Must be "newest" or "oldest".'] }))
  }
  const limit = parseLimit(input.limit, largest)
  if (!limit.ok) return limit
  const trail = { organization: name, order, filters: filters.value }
  const places = cursor === undefined ? [] : await placesAt(cursorSecret, trail, cursor)
  if (places === null) return refused({ code: 'invalid_cursor' })
  return ok({ filters: filters.value, trail, limit: limit.value, places })
}

/** The list that a cursor belongs to. */
export interface Trail {
  readonly organization: string
  readonly order: 'newest' | 'oldest'
  readonly filters: object
}

const encoder = new TextEncoder()
const MAC_BYTES = 16
// Without a secret of the host a cursor can be forged. It is only a position in a list, and grants no
// access.
const NO_SECRET = 'seatgate'

/** The position of a list in each of its trails: after a sequence, or (null) before the beginning. */
export type Places = readonly (number | null)[]

/** Returns the cursor of the page after these positions. */
export async function placeAfter(
  secret: string | null,
  trail: Trail,
  places: Places
): Promise<string> {
  const place = encoder.encode(places.map((sequence) => sequence ?? '').join(' '))
  return `${base64url(place)}.${base64url(await seal(secret, trail, place))}`
}

/** Returns the positions of a cursor; null if it does not belong to this list. */
async function placesAt(
  secret: string | null,
  trail: Trail,
  cursor: unknown
): Promise<Places | null> {
  if (typeof cursor !== 'string' || cursor.length > 100) return null
  const [left = '', right = '', ...rest] = cursor.split('.')
  const place = fromBase64url(left)
  if (place === null || rest.length > 0) return null
  if (right !== base64url(await seal(secret, trail, place))) return null
  const texts = new TextDecoder().decode(place).split(' ')
  return texts.map((text) => (text === '' ? null : Number(text)))
}

async function seal(secret: string | null, trail: Trail, place: Uint8Array): Promise<Uint8Array> {
  const key = await crypto.subtle.importKey(
    'raw',
    encoder.encode(`seatgate-cursor/v1\n${secret ?? NO_SECRET}`),
    { name: 'HMAC', hash: 'SHA-256' },
    false,
    ['sign']
  )
  const said = encoder.encode(`${canonicalJson(trail)}\n`)
  const mac = await crypto.subtle.sign('HMAC', key, new Uint8Array([...said, ...place]))
  return new Uint8Array(mac).slice(0, MAC_BYTES)
}
