/**
 * The events of one user in all trails, for operators.
 *
 * @module
 */
import { observed } from '../../engine/access/observed.ts'
import { and, desc, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { batch } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { bothOf } from '../../base/input.ts'
import { platformOnly } from '../../engine/access/authorize.ts'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, type PageRefusal, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { Scope } from '../../engine/access/principal.ts'
import { SYSTEM } from '../../engine/audit/event.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import { eventColumns, type ReadEventRow } from '../../engine/audit/event-view.ts'
import {
  FILTER_NAMES,
  matching,
  parseFilters,
  type AuditFilters,
  type ReadFilters,
} from '../../engine/audit/filters.ts'
import { hashOf, lastBlockEnd, notedUnder } from '../../engine/audit/event-lookups.ts'
import { readEvent } from '../../engine/audit/read-events.ts'

/** The request of a user's events: the filters of a list, and a page. */
export type PersonEventsInput = Omit<AuditFilters, 'after_sequence'> & PageInput

const whole = v.pipe(v.number(), v.safeInteger())
const LIST = 'person_events'
const Place = v.strictTuple([whole, v.string(), whole, v.literal(LIST)])

/** Why {@link listPersonEvents} refuses. */
export type ListPersonEventsRefusal = 'unauthenticated' | 'insufficient_role' | PageRefusal

/**
 * Lists the events of a user in all organizations and in the platform's own trail, newest first: those
 * whose actor or target they are. For operators and the host itself. Searches the trail of each
 * organization once, and reads all events of this user.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `PageRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 * @throws {UnknownSchemaVersion} if one is in a form that a later version has written.
 *
 * @example
 * ```ts
 * const operator = { userId: 'ops', operator: true }
 * const page = await listPersonEvents(seatgate, { caller: operator }, userId, { limit: 100 })
 * ```
 */
export function listPersonEvents(
  context: DatabaseContext & Pick<Runtime, 'measure'>,
  { caller }: Scope,
  userId: string,
  input: PersonEventsInput = {}
): Promise<Result<Page<AuditEvent>, ListPersonEventsRefusal>> {
  return observed(context, 'platform.person_audit_list', async (context) => {
    const allowed = await platformOnly(context, caller)
    if (!allowed.ok) return allowed
    const { limit: _limit, cursor: _cursor, ...given } = input
    const page = parsePage(input, Place, NARROWED_BY)
    const request = bothOf(page, parseFilters(given, ['limit', 'cursor']))
    if (!request.ok) return request
    const { limit, after, ...filters } = request.value
    const { rows } = await batch(context.db, {
      rows: eventsOf(context, userId, filters, after).limit(limit + 1),
    })
    return ok(toPage(rows, limit, (row) => readEvent(context, row), placeOf))
  })
}

const NARROWED_BY = FILTER_NAMES.filter((name) => name !== 'after_sequence')

function eventsOf(
  { db }: DatabaseContext,
  userId: string,
  filters: ReadFilters,
  after: v.InferOutput<typeof Place> | null
) {
  const { organizationId, sequence, insertedAt } = auditEvents
  return db
    .select(eventColumns)
    .from(auditEvents)
    .where(
      and(
        // As one list, or SQLite walks through all trails and looks each event up in it.
        sql`(${organizationId}, ${sequence}) in (select id, sequence from (${placesOf(userId)}))`,
        isAbout(userId),
        matching(filters),
        after
          ? sql`(${insertedAt}, ${organizationId}, ${sequence}) < (${after[0]}, ${after[1]}, ${after[2]})`
          : undefined
      )
    )
    .orderBy(desc(insertedAt), desc(organizationId), desc(sequence))
}

// Each trail has its own lookups, so each is searched separately. They compare hashes, so the condition on
// events stays.
function placesOf(userId: string): SQL {
  const trails = sql`(select id from seatgate_organizations union all select ${SYSTEM}) as trail`
  const noted = (level: 0 | 1) => sql`
    select trail.id as id, place.value as sequence from ${trails}
      cross join seatgate_audit_lookups as noted on noted.organization_id = trail.id
        and ${notedUnder(userId, level)}
      cross join json_each(noted.entries, '$.' || ${hashOf(userId)}) as place`
  return sql`
    select trail.id as id, told.sequence as sequence from ${trails}
      cross join seatgate_audit_events as told on told.organization_id = trail.id
      and told.sequence > ${lastBlockEnd(sql`trail.id`)}
      and ${userId} in (told.actor_id, told.target_id)
    union all ${noted(0)} union all ${noted(1)}`
}

function isAbout(userId: string): SQL {
  return sql`(${auditEvents.actorId} = ${userId} and ${auditEvents.actorType} in ('user', 'operator')
    or ${auditEvents.targetId} = ${userId} and ${auditEvents.targetType} = 'user')`
}

function placeOf({ insertedAt, organizationId, sequence }: ReadEventRow) {
  return [insertedAt.getTime(), organizationId, sequence, LIST] as const
}
