/**
 * Tables of every change: guards, stored answers, jobs, rate limits and the version of the schema.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import { check, index, integer, primaryKey, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { instant } from './column-types.ts'

/**
 * Always empty: inserting a row aborts the batch with the row's code. In the tables of the migrations a
 * trigger aborts it; in tables that are generated from this file these checks do, the last one for a code
 * with numbers.
 */
export const guards = /* @__PURE__ */ sqliteTable(
  'seatgate_guards',
  () => ({ code: text('code').notNull() }),
  () => [
    ...GUARD_CODES.map((code) => check(`guard:${code}`, sql.raw(`code <> '${code}'`))),
    check('seatgate_guards_empty', sql`code IS NULL`),
  ]
)

/** Answers given under an `Idempotency-Key`, kept for `operationRetentionDays`. */
export const operations = /* @__PURE__ */ sqliteTable(
  'seatgate_operations',
  () => ({
    actorId: text('actor_id').notNull(),
    id: text('id').notNull(),
    digest: text('digest').notNull(),
    outcome: text('outcome').notNull(),
    createdAt: instant('created_at').notNull(),
  }),
  (table) => [
    primaryKey({ columns: [table.actorId, table.id] }),
    index('seatgate_operations_created').on(table.createdAt),
    check('seatgate_operations_id', sql`length(id) BETWEEN 1 AND 255`),
    check('seatgate_operations_outcome', sql`json_valid(outcome)`),
  ]
)

/** Jobs: work outside D1 after a committed change. A row is deleted when its job is done. */
export const jobs = /* @__PURE__ */ sqliteTable(
  'seatgate_jobs',
  () => ({
    id: text('id').primaryKey(),
    organizationId: text('organization_id').notNull(),
    kind: text('kind').notNull(),
    payload: text('payload', { mode: 'json' }).notNull(),
    attempts: integer('attempts').notNull().default(0),
    dueAt: instant('due_at').notNull(),
    lastError: text('last_error'),
    createdAt: instant('created_at').notNull(),
  }),
  (table) => [
    index('seatgate_jobs_due').on(table.dueAt),
    check('seatgate_jobs_kind', sql`length(kind) > 0`),
    check('seatgate_jobs_payload', sql`json_valid(payload)`),
    check('seatgate_jobs_attempts', sql`attempts >= 0`),
  ]
)

/** Counters of actions, each since the start of its window. */
export const rateLimits = /* @__PURE__ */ sqliteTable(
  'seatgate_rate_limits',
  () => ({
    key: text('key').primaryKey(),
    count: integer('count').notNull(),
    endsAt: instant('ends_at').notNull(),
  }),
  (table) => [
    index('seatgate_rate_limits_end').on(table.endsAt),
    check('seatgate_rate_limits_key', sql`length(key) > 0`),
    check('seatgate_rate_limits_count', sql`count > 0`),
  ]
)

/** The position of each sweep that visits all organizations, in order of their ids. */
export const rotations = /* @__PURE__ */ sqliteTable('seatgate_rotations', () => ({
  name: text('name').primaryKey(),
  place: text('place').notNull(),
}))

/**
 * One row: the version of the schema that the migrations have created, and the lowest version of code
 * that works with it. The first batch of each isolate reads it.
 */
export const schemaVersion = /* @__PURE__ */ sqliteTable(
  'seatgate_schema',
  () => ({
    id: integer('id').primaryKey(),
    version: integer('version').notNull(),
    compatibleFrom: integer('compatible_from').notNull(),
  }),
  () => [
    check('seatgate_schema_id', sql`id = 1`),
    check('seatgate_schema_version', sql`version > 0`),
    check('seatgate_schema_compatible_from', sql`compatible_from BETWEEN 1 AND version`),
  ]
)

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
  'seats_unavailable',
] as const

/**
 * The codes that a guard may abort with. `stale` asks for a new plan, `ledger_superseded` for a new plan
 * and a new call of the ledger; the others are final.
 */
export type GuardCode = (typeof GUARD_CODES)[number]
