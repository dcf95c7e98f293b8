import { observed } from '../../engine/access/observed.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { archiveOf, type ArchiveContext } from '../../engine/audit/archived-events.ts'
import { NOTHING, missedSince, type Extent } from '../../engine/audit/trail-extent.ts'
import { eventsIn, newestForm } from '../../engine/audit/read-events.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { eventView, type ReadEventRow } from '../../engine/audit/event-view.ts'
import { parseFilters, type AuditFilters, type ReadFilters } from '../../engine/audit/filters.ts'
import {
  archivedIn,
  findAllowed,
  readableExtentIn,
  trailOf,
} from '../../engine/model/trail-access.ts'

/** Events that are read on demand, oldest first. */
export interface EventStream {
  /** The last sequence of the stream. Later events are not part of it. */
  readonly throughSequence: number
  /** The sequence up to which retention has purged events. */
  readonly horizon: number
  readonly events: AsyncIterable<AuditEvent>
}

const EVENTS_PER_READ = 500

/** The context of a function that streams events. */
export interface StreamContext extends AccessContext, ArchiveContext {}

/** Why {@link streamAuditEvents} refuses. */
export type StreamAuditEventsRefusal = AccessRefusal | InputRefusal | 'before_horizon'

/**
 * Reads all of an organization's events that match, oldest first, a page at a time: memory does not grow
 * with their number. It ends at the last event of its start, and breaks off if retention overtakes it.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `before_horizon` (what comes behind `after_sequence` is gone).
 *
 * @throws {StoreUnavailable} if D1 does not answer, in the iteration too.
 * @throws {UnknownSchemaVersion} in the iteration, if one is in a form that a later version has written.
 *
 * @example
 * ```ts
 * const stream = await streamAuditEvents(seatgate, scope, { from: '2026-01-01' })
 * if (stream.ok) for await (const event of stream.value.events) console.log(event.sequence)
 * ```
 */
export function streamAuditEvents(
  context: StreamContext & Pick<Runtime, 'measure'>,
  scope: OrganizationScope,
  input: AuditFilters = {}
): Promise<Result<EventStream, StreamAuditEventsRefusal>> {
  return observed(context, 'audit.stream', async (context) => {
    return streamEvents(context, scope, input, ({ leafHash: _sealed, ...event }) =>
      newestForm(context, event)
    )
  })
}

/** Streams the events as they were written, each with the hash that it was sealed with, for an export. */
export function streamWritten(
  context: StreamContext,
  scope: OrganizationScope,
  input: AuditFilters
): Promise<Result<EventStream, StreamAuditEventsRefusal>> {
  return streamEvents(context, scope, input, (event) => event)
}

async function streamEvents(
  context: StreamContext,
  scope: OrganizationScope,
  input: AuditFilters,
  view: (event: AuditEvent) => AuditEvent
): Promise<Result<EventStream, StreamAuditEventsRefusal>> {
  const filters = parseFilters(input, [])
  const found = await findAllowed(context, scope, { extent: readableExtentIn(context, scope) })
  if (!found.ok) return found
  if (!filters.ok) return filters
  const there = found.value.rows.extent[0] ?? NOTHING
  const missed = missedSince(filters.value.after_sequence, there.horizon)
  if (missed) return refused(missed)
  return ok({
    throughSequence: there.head,
    horizon: there.horizon,
    events: pages(context, scope, filters.value, there, view),
  })
}

// A reader that loses the right to read stops here, and so does one that retention overtakes, because it
// cannot know which events it has missed.
async function* pages(
  context: StreamContext,
  scope: OrganizationScope,
  filters: ReadFilters,
  { head: through, horizon: begunAt }: Extent,
  view: (event: AuditEvent) => AuditEvent
): AsyncGenerator<AuditEvent> {
  const archive = archiveOf(context)
  let after = 0
  for (;;) {
    const place = { filters, order: 'oldest', after } as const
    const page = { ...place, through, limit: EVENTS_PER_READ, sealed: true }
    const found = await findAllowed(context, scope, {
      events: eventsIn(context, trailOf(context, scope), filters, page),
      extent: readableExtentIn(context, scope),
      ...archivedIn(context, scope, place),
    })
    if (!found.ok) throw new StreamEnded(found.error.code)
    const { extent, segments = [] } = found.value.rows
    if ((extent[0]?.horizon ?? 0) > Math.max(after, begunAt))
      throw new StreamEnded('before_horizon')
    if (archive !== null && segments.length > 0) {
      const { events, end } = await archive.read(segments, { ...place, limit: Infinity })
      for (const event of events) if (event.sequence <= through) yield view(event)
      if (end >= through) return
      after = end
      continue
    }
    const rows = found.value.rows.events as readonly ReadEventRow[]
    for (const row of rows) yield view(eventView(row))
    const last = rows.at(-1)
    if (last === undefined || rows.length < EVENTS_PER_READ) return
    after = last.sequence
  }
}

/** A stream broke off, so its events are not complete. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded'
}
