/**
 * Tables of every change: guards, stored answers, jobs, rate limits and the version of the schema.
 *
 * @module
 */
import { integer, text } from 'drizzle-orm/sqlite-core'
import { instant, ownTable } from './own-table.ts'

/**
 * Always empty: inserting a row aborts the batch with the row's code. In the tables of the migrations a
 * trigger aborts it; in tables that are generated from this file these checks do, the last one for a code
 * with numbers.
 */
export const guards = /* @__PURE__ */ ownTable('seatgate_guards', [], () => ({
  code: text('code').notNull(),
}))

/** Answers given under an `Idempotency-Key`, kept for `operationRetentionDays`. */
export const operations = /* @__PURE__ */ ownTable('seatgate_operations', ['actor_id id'], () => ({
  actorId: text('actor_id').notNull(),
  id: text('id').notNull(),
  digest: text('digest').notNull(),
  outcome: text('outcome').notNull(),
  createdAt: instant('created_at').notNull(),
}))

/** Jobs: work outside D1 after a committed change. A row is deleted when its job is done. */
export const jobs = /* @__PURE__ */ ownTable('seatgate_jobs', ['id'], () => ({
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  kind: text('kind').notNull(),
  payload: text('payload', { mode: 'json' }).notNull(),
  attempts: integer('attempts').notNull().default(0),
  dueAt: instant('due_at').notNull(),
  lastError: text('last_error'),
  createdAt: instant('created_at').notNull(),
}))

/** Counters of actions, each since the start of its window. */
export const rateLimits = /* @__PURE__ */ ownTable('seatgate_rate_limits', ['key'], () => ({
  key: text('key').primaryKey(),
  count: integer('count').notNull(),
  endsAt: instant('ends_at').notNull(),
}))

/** The place that each sweep has reached that visits a table in order of its primary key. */
export const rotations = /* @__PURE__ */ ownTable('seatgate_rotations', ['name'], () => ({
  name: text('name').primaryKey(),
  place: text('place').notNull(),
}))

/**
 * One row: the version of the schema that the migrations have created, and the lowest version of code
 * that works with it. The first batch of each isolate reads it.
 */
export const schemaVersion = /* @__PURE__ */ ownTable('seatgate_schema', ['id'], () => ({
  id: integer('id').primaryKey(),
  version: integer('version').notNull(),
  compatibleFrom: integer('compatible_from').notNull(),
}))

/** The codes that a guard aborts its batch with. */
export const GUARD_CODES = [
  'stale',
  'ledger_superseded',
  'last_owner',
  'session_gone',
  'organization_not_found',
  'insufficient_role',
  'already_member',
  'slug_taken',
  'rate_limited_user',
  'rate_limited_organization',
  'user_unknown',
  'idempotency_mismatch',
  'operation_in_progress',
  'seat_limit_reached',
  'owned_limit_reached',
  'membership_limit_reached',
  'seats_unavailable',
] as const

/**
 * The codes that a guard may abort with. `stale` asks for a new plan, `ledger_superseded` for a new plan
 * and a new call of the ledger; the others are final.
 */
export type GuardCode = (typeof GUARD_CODES)[number]
