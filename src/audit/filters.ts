import { and, eq, gt, gte, isNull, lte, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as v from 'valibot'
import { auditEvents } from '../database/schema.ts'
import { parseInput } from '../input.ts'
import { invalid } from '../refusal.ts'
import { refused, type Result } from '../result.ts'

const text = v.pipe(v.string('Must be a text.'), v.minLength(1, 'Must not be empty.'))
/** A time, as it is asked for. */
export const instant = v.pipe(
  v.union([v.string(), v.date()], 'Must be a time, as ISO 8601.'),
  v.transform((value) => new Date(value)),
  v.check((date) => !Number.isNaN(date.getTime()), 'Must be a time, as ISO 8601.')
)
const sequence = v.pipe(
  v.union([v.pipe(v.string(), v.regex(/^\d{1,15}$/)), v.number()], 'Must be a whole number.'),
  v.transform(Number),
  v.safeInteger('Must be a whole number.'),
  v.minValue(0, 'Must be at least 0.')
)

/** What a list, a count, a stream and an export can be narrowed by: these names and no others. */
const Filters = v.object({
  actor_id: v.optional(text),
  effective_user_id: v.optional(v.nullable(text)),
  action: v.optional(text),
  action_prefix: v.optional(text),
  outcome: v.optional(v.picklist(['success', 'failure', 'error'], 'Is no outcome.')),
  target_type: v.optional(text),
  target_id: v.optional(text),
  request_id: v.optional(text),
  trace_id: v.optional(text),
  from: v.optional(instant),
  to: v.optional(instant),
  after_sequence: v.optional(sequence),
})

/** Filters as they are given: texts, or what they stand for. */
export type AuditFilters = v.InferInput<typeof Filters>

/** Filters that were read. */
export type ReadFilters = v.InferOutput<typeof Filters>

/**
 * Reads filters. One that is not known is refused and not ignored: whoever asked for less would take
 * all for what they asked for.
 */
export function parseFilters(input: object, beside: readonly string[]): Result<ReadFilters> {
  const unknown = Object.keys(input).filter(
    (name) => !Object.hasOwn(Filters.entries, name) && !beside.includes(name)
  )
  if (unknown.length > 0) {
    return refused(invalid(Object.fromEntries(unknown.map((name) => [name, ['Is not a filter.']]))))
  }
  return parseInput(Filters, input)
}

/** The filters as a condition on events. */
export function matching(filters: ReadFilters): SQL | undefined {
  const { action_prefix: prefix, effective_user_id: user } = filters
  return and(
    equal(auditEvents.actorId, filters.actor_id),
    user === null ? isNull(auditEvents.effectiveUserId) : equal(auditEvents.effectiveUserId, user),
    equal(auditEvents.action, filters.action),
    // Without patterns there is nothing to escape; the bounds let the index find it.
    prefix === undefined
      ? undefined
      : sql`substr(${auditEvents.action}, 1, ${prefix.length}) = ${prefix}
          and ${auditEvents.action} >= ${prefix}`,
    equal(auditEvents.outcome, filters.outcome),
    equal(auditEvents.targetType, filters.target_type),
    equal(auditEvents.targetId, filters.target_id),
    equal(auditEvents.requestId, filters.request_id),
    equal(auditEvents.traceId, filters.trace_id),
    filters.from && gte(auditEvents.insertedAt, filters.from),
    filters.to && lte(auditEvents.insertedAt, filters.to),
    filters.after_sequence === undefined
      ? undefined
      : gt(auditEvents.sequence, filters.after_sequence)
  )
}

function equal(column: SQLiteColumn, value: string | undefined): SQL | undefined {
  return value === undefined ? undefined : eq(column, value)
}
