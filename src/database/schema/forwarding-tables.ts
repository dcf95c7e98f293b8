/**
 * Forwarding: cursors, dead letters and the history of deliveries.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/** The cursor of each sink in each organization, and the lease of the current delivery. */
export const sinkCursors = /* @__PURE__ */ ownTable(
  'seatgate_sink_cursors',
  ['organization_id sink_id'],
  () => ({
    organizationId: text('organization_id').notNull(),
    sinkId: text('sink_id').notNull(),
    sequence: integer('sequence').notNull().default(0),
    attempts: integer('attempts').notNull().default(0),
    nextAttemptAt: instant('next_attempt_at').notNull(),
    lastError: text('last_error'),
    leaseToken: text('lease_token'),
    leasedUntil: instant('leased_until').notNull(),
    failingSince: instant('failing_since'),
    pausedReason: text('paused_reason'),
  })
)

/** Events that were given up for a sink, with the reason; `queued` letters will be tried again. */
export const sinkDeadLetters = /* @__PURE__ */ ownTable(
  'seatgate_sink_dead_letters',
  ['organization_id sink_id sequence'],
  () => ({
    organizationId: text('organization_id').notNull(),
    sinkId: text('sink_id').notNull(),
    sequence: integer('sequence').notNull(),
    eventId: text('event_id').notNull(),
    action: text('action').notNull(),
    state: text('state', { enum: ['dead', 'queued', 'delivered'] }).notNull(),
    reason: text('reason').notNull(),
    attempts: integer('attempts').notNull(),
    diedAt: instant('died_at').notNull(),
    updatedAt: instant('updated_at').notNull(),
  })
)

/**
 * The history of deliveries: one row for each attempt, or for a range of events with the same outcome.
 * The sink does not take the events in `passed`. Rows can only be inserted, and are deleted with their
 * events.
 */
export const sinkAttempts = /* @__PURE__ */ ownTable('seatgate_sink_attempts', ['id'], () => ({
  id: integer('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  sinkId: text('sink_id').notNull(),
  firstSequence: integer('first_sequence').notNull(),
  lastSequence: integer('last_sequence').notNull(),
  outcome: text('outcome', {
    enum: ['delivered', 'passed', 'skipped', 'retry', 'paused', 'dead'],
  }).notNull(),
  reason: text('reason'),
  attempt: integer('attempt').notNull(),
  passed: text('passed', { mode: 'json' }).$type<readonly PassedOver[]>().notNull(),
  attemptedAt: instant('attempted_at').notNull(),
  milliseconds: integer('milliseconds').notNull(),
}))

/** Events that a sink does not take, with the part of its configuration that excludes them. */
export interface PassedOver {
  readonly first: number
  readonly last: number
  readonly because: 'since' | 'include' | 'exclude' | 'accepts'
}
