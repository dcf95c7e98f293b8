/**
 * Finds events by the values that filters ask for, without reading the trail. An index for each value
 * would write a row with each event; triggers write one row for every 64 events instead, which leads from
 * the hash of a value to sequences.
 *
 * @module
 */
import { and, gt, lt, lte, sql, type SQL } from 'drizzle-orm'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { matching, type ReadFilters } from './filters.ts'

/** The trail of an organization, and the condition that the caller may read it. */
export interface Trail {
  readonly organizationId: SQL<string | null> | string
  readonly readable?: SQL
}

/** The part of a trail that is read. */
export interface TrailPage {
  readonly order: 'newest' | 'oldest'
  readonly after: number | null
  readonly through?: number
  readonly limit: number
}

/** How many events a row of level 0 is about: as in the triggers, which write it once they are there. */
export const EVENTS_IN_A_BLOCK = 64

/** How many events the rows of level 1 are about that replace 64 rows of level 0. */
export const EVENTS_IN_A_SEGMENT = 4096

/** Over how many rows of level 1 the values are spread. */
export const BUCKETS = 64

const character = (place: number) => `coalesce(unicode(substr(value, ${place}, 1)), 0)`

/** The hash of `value`, as the triggers compute it. The filters distinguish events with the same hash. */
export const HASH = `(length(value) * 7 + ${character(-1)} * 31 + ${character(-2)} * 961 + ${character(-3)} * 29791 + ${character(-4)} * 923521 + ${character(-5)} * 28629151 + ${character(1)} * 887503681) % 65521`

/**
 * Returns the value that the matching events are looked up by, the first of those that few events share;
 * null without such a filter.
 */
export function lookedUpBy(filters: ReadFilters): string | null {
  const { outcome, action_prefix: prefix } = filters
  const values = [
    filters.request_id,
    filters.trace_id,
    filters.target_id,
    filters.effective_user_id,
    filters.actor_id,
    filters.action,
    outcome === 'success' ? null : outcome,
    prefix?.includes('.') ? prefix.slice(0, prefix.indexOf('.') + 1) : null,
  ]
  return values.find((value) => typeof value === 'string') ?? null
}

/**
 * Builds the list of sequences of the matching events, those of one page or all: they are in the events
 * after the last full block, and in the noted blocks.
 */
export function sequencesBy(
  value: string,
  trail: Trail,
  filters: ReadFilters,
  page: TrailPage | null
): SQL {
  const { organizationId, readable } = trail
  const { sequence } = auditEvents
  const conditions = sql`${and(
    sql`${auditEvents.organizationId} = ${organizationId}`,
    readable,
    matching(filters),
    within(page)
  )}`
  const [direction, limit] =
    page === null
      ? [null, sql``]
      : [sql.raw(page.order === 'newest' ? 'desc' : 'asc'), sql`limit ${page.limit}`]
  const part = (from: SQL, order: readonly SQL[]) => sql`select sequence from (
    select ${sequence} as sequence ${from} and ${conditions}
    ${
      direction === null
        ? sql``
        : sql`order by ${sql.join(
            order.map((each) => sql`${each} ${direction}`),
            sql`, `
          )}`
    } ${limit})`
  const order = [sql`noted.first_sequence`, sql`place.value`]
  return sql`(
    ${part(sql`from seatgate_audit_events where ${sequence} > ${lastBlockEnd(organizationId)}`, [sql`${sequence}`])}
    union all ${part(noted(organizationId, value, 0, page), order)}
    union all ${part(noted(organizationId, value, 1, page), order)}
    ${direction === null ? sql`` : sql`order by 1 ${direction}`} ${limit})`
}

function within(page: TrailPage | null): SQL | undefined {
  if (page === null) return undefined
  const { order, after, through } = page
  const behind = order === 'newest' ? lt : gt
  return and(
    after === null ? undefined : behind(auditEvents.sequence, after),
    through === undefined ? undefined : lte(auditEvents.sequence, through)
  )
}

/** Builds a scalar subquery of the last sequence of a trail's last full block. */
export function lastBlockEnd(organizationId: SQL<string | null> | string): SQL<number> {
  const size = sql.raw(`${EVENTS_IN_A_BLOCK}`)
  return sql<number>`(select max(sequence) / ${size} * ${size} from seatgate_audit_events
    where organization_id = ${organizationId})`
}

// The rows that cannot have a place of the page are left out, so that a page far behind reads no more.
function noted(
  organizationId: SQL<string | null> | string,
  value: string,
  level: 0 | 1,
  page: TrailPage | null
): SQL {
  return sql`from seatgate_audit_lookups as noted
    cross join json_each(noted.entries, '$.' || ${hashOf(value)}) as place
    cross join seatgate_audit_events on ${auditEvents.sequence} = place.value
    where noted.organization_id = ${organizationId} and ${notedUnder(value, level)}
    ${page === null ? sql`` : reaching(page, level)}`
}

function reaching({ order, after, through }: TrailPage, level: 0 | 1): SQL {
  const events = level === 0 ? EVENTS_IN_A_BLOCK : EVENTS_IN_A_SEGMENT
  const last = order === 'newest' ? after : (through ?? null)
  const first = order === 'oldest' ? after : null
  return sql`${last === null ? sql`` : sql`and noted.first_sequence <= ${last}`}
    ${first === null ? sql`` : sql`and noted.first_sequence > ${first - events}`}`
}

/** Builds the condition on `noted`, the rows that may lead to events with this value. */
export function notedUnder(value: string, level: 0 | 1): SQL {
  return level === 0
    ? sql`noted.level = 0 and noted.bucket = 0`
    : sql`noted.level = 1 and noted.bucket = ${hashOf(value)} % ${sql.raw(`${BUCKETS}`)}`
}

/** Builds a scalar subquery of the hash of a value. */
export function hashOf(value: string): SQL<number> {
  return sql<number>`(select ${sql.raw(HASH)} from (select ${value} as value))`
}
