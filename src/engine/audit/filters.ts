import { and, eq, gt, gte, isNull, lte, sql, type SQL } from 'drizzle-orm'
import type { SQLiteColumn } from 'drizzle-orm/sqlite-core'
import * as v from 'valibot'
import { auditEvents } from '../../database/schema/audit-tables.ts'
import { parseInput, shortText, wholeNumber } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import { knownParameters } from '../../base/parameters.ts'
import type { InputRefusal, Result } from '../../base/result.ts'
import type { AuditEvent } from './event.ts'

const text = shortText()

/** The filters of a list, a count, a stream and an export; other names are refused. */
const Filters = v.object({
  actor_id: v.optional(text),
  effective_user_id: v.optional(v.nullable(text)),
  action: v.optional(text),
  action_prefix: v.optional(text),
  outcome: v.optional(
    v.picklist(['success', 'failure', 'error'], 'Must be "success", "failure" or "error".')
  ),
  target_type: v.optional(text),
  target_id: v.optional(text),
  request_id: v.optional(text),
  trace_id: v.optional(text),
  from: v.optional(Instant),
  to: v.optional(Instant),
  after_sequence: v.optional(wholeNumber({ min: 0 })),
})

/** The names of the filters. */
export const FILTER_NAMES: readonly string[] = Object.keys(Filters.entries)

/** The filters of an input. */
export type AuditFilters = v.InferInput<typeof Filters>

/** The parsed filters. */
export type ReadFilters = v.InferOutput<typeof Filters>

/**
 * Parses filters. Refuses unknown ones: ignoring a misspelt filter would return all events as if they had
 * passed it.
 */
export function parseFilters(
  input: object,
  beside: readonly string[]
): Result<ReadFilters, InputRefusal> {
  const known = knownParameters(input, [...FILTER_NAMES, ...beside])
  return known.ok ? parseInput(Filters, input) : known
}

/** Builds the condition on events. */
export function matching(filters: ReadFilters): SQL | undefined {
  const { action_prefix: prefix, effective_user_id: user } = filters
  return and(
    equal(auditEvents.actorId, filters.actor_id),
    user === null ? isNull(auditEvents.effectiveUserId) : equal(auditEvents.effectiveUserId, user),
    equal(auditEvents.action, filters.action),
    // Without LIKE no character needs escaping.
    prefix === undefined
      ? undefined
      : sql`substr(${auditEvents.action}, 1, length(${prefix})) = ${prefix}`,
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

/** Returns whether an event matches, as {@link matching} decides it in SQL. */
export function matchesFilters(filters: ReadFilters, event: AuditEvent): boolean {
  const { action_prefix: prefix = '', effective_user_id: user, from, to } = filters
  const is = (value: string | null, wanted: string | null | undefined) =>
    wanted === undefined || value === wanted
  return (
    is(event.actorId, filters.actor_id) &&
    is(event.effectiveUserId, user) &&
    is(event.action, filters.action) &&
    event.action.startsWith(prefix) &&
    is(event.outcome, filters.outcome) &&
    is(event.targetType, filters.target_type) &&
    is(event.targetId, filters.target_id) &&
    is(event.requestId, filters.request_id) &&
    is(event.traceId, filters.trace_id) &&
    !(from && new Date(event.insertedAt) < from) &&
    !(to && new Date(event.insertedAt) > to) &&
    event.sequence > (filters.after_sequence ?? 0)
  )
}

function equal(column: SQLiteColumn, value: string | undefined): SQL | undefined {
  return value === undefined ? undefined : eq(column, value)
}

/** An action, or a prefix of several: `organization.*`. */
export const PATTERN = /^(\*|[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*(\.\*)?)$/

/** Returns whether a pattern accepts an action. */
export function matches(pattern: string, action: string): boolean {
  return pattern.endsWith('*') ? action.startsWith(pattern.slice(0, -1)) : action === pattern
}

/** The actions that a consumer of the trail accepts. */
export interface AcceptedActions {
  /** Default all. */
  readonly include?: readonly string[]
  readonly exclude?: readonly string[]
  accepts?(action: string): boolean
}

/** Returns the field that keeps an action out; null if the action is accepted. */
export function keptOutBy(
  consumer: AcceptedActions,
  action: string
): 'include' | 'exclude' | 'accepts' | null {
  const { include, exclude = [] } = consumer
  if (include && !include.some((pattern) => matches(pattern, action))) return 'include'
  if (exclude.some((pattern) => matches(pattern, action))) return 'exclude'
  return (consumer.accepts?.(action) ?? true) ? null : 'accepts'
}
