import { eq, max } from 'drizzle-orm'
import { auditEvents } from '../database/schema.ts'
import { organizationIdOf } from '../organizations/reference.ts'
import { ok, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { eventView, type AuditEvent, type ReadEventRow } from './event.ts'
import { parseFilters, type AuditFilters, type ReadFilters } from './filters.ts'
import { eventsIn, findAllowed } from './queries.ts'

/** Events that are read as they are asked for, oldest first. */
export interface EventStream {
  /** The last sequence that can be among them. What is written later is not. */
  readonly throughSequence: number
  readonly events: AsyncIterable<AuditEvent>
}

const EVENTS_PER_READ = 500

/**
 * Reads all of an organization's events that match, oldest first, a page at a time: memory does not
 * grow with their number. It ends at what was there when it began.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `validation_error`.
 *
 * @throws {StoreUnavailable} if D1 does not answer, in the iteration too.
 *
 * @example
 * ```ts
 * const stream = await streamAuditEvents(seatgate, scope, { from: '2026-01-01' })
 * if (stream.ok) for await (const event of stream.value.events) console.log(event.sequence)
 * ```
 */
export async function streamAuditEvents(
  seatgate: Seatgate,
  scope: OrganizationScope,
  input: AuditFilters = {}
): Promise<Result<EventStream>> {
  const filters = parseFilters(input, [])
  const found = await findAllowed(seatgate, scope, { head: headOf(seatgate, scope) })
  if (!found.ok) return found
  if (!filters.ok) return filters
  const throughSequence = found.value.rows.head[0]?.sequence ?? 0
  return ok({
    throughSequence,
    events: pages(seatgate, scope, filters.value, throughSequence),
  })
}

/** The last sequence of the scope's organization. */
export function headOf({ db }: Seatgate, { organization }: OrganizationScope) {
  return db
    .select({ sequence: max(auditEvents.sequence) })
    .from(auditEvents)
    .where(eq(auditEvents.organizationId, organizationIdOf(organization)))
}

// Whoever loses the right to read while they read, reads no further.
async function* pages(
  seatgate: Seatgate,
  scope: OrganizationScope,
  filters: ReadFilters,
  through: number
): AsyncGenerator<AuditEvent> {
  let after = 0
  for (;;) {
    const page = { order: 'oldest', after, through, limit: EVENTS_PER_READ, sealed: true } as const
    const found = await findAllowed(seatgate, scope, {
      events: eventsIn(seatgate, scope, filters, page),
    })
    if (!found.ok) throw new StreamEnded(found.error.code)
    const rows = found.value.rows.events as readonly ReadEventRow[]
    for (const row of rows) yield eventView(row)
    const last = rows.at(-1)
    if (last === undefined || rows.length < EVENTS_PER_READ) return
    after = last.sequence
  }
}

/** A stream that broke off: what came of it is not all. */
export class StreamEnded extends Error {
  override readonly name = 'StreamEnded'
}
