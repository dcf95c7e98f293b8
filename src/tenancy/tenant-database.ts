import { checkOptionNames } from '../base/names.ts'
import { is, isTable, type SQL, type Table } from 'drizzle-orm'
import { DrizzleD1Database } from 'drizzle-orm/d1'
import type { SQLiteAsyncDialect, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database } from '../database/database.ts'
import * as schema from '../database/schema.ts'
import { findOrganizationColumn, organizationColumn } from './for-organization.ts'
import { guardedDialect } from './guarded-dialect.ts'
import { originalName } from './tokens.ts'
import { UnscopedQuery } from './unscoped-query.ts'

/** Options of {@link tenantDatabase}. */
export interface TenantDatabaseOptions {
  /** The host's own tables with a column `organization_id`. The library's are always guarded. */
  readonly tables?: readonly SQLiteTable[]
  /** Hears of queries that were refused unread. Default: `console.error` with the event's name. */
  readonly report?: (report: { readonly event: string; readonly error: unknown }) => void
}

const unguarded = new WeakMap<object, Database>()

/**
 * The same handle on D1, whose reads of tenant tables throw {@link UnscopedQuery} unless their
 * condition pins `organization_id` to a parameter or literal: a filter that was forgotten is an
 * error in the first test, and not another tenant's row in production. The check is made when the
 * query is run, or becomes part of another.
 *
 * - `and` pins if one side does, `or` if both do. `ne`, `inArray`, `like`, `not`, `is null` do not.
 * - A joined table is pinned by its own condition, or by equality to a column that is pinned.
 * - `with` of a relational query: what is related to a pinned row passes, whatever the relation is
 *   on. Below a root that is not guarded each guarded table is pinned as if it were joined.
 * - A subquery is looked at by itself: it needs its own pin, also where the query around it has one.
 * - Raw SQL is not understood: if it names a guarded table to read it, it is refused and reported as
 *   `tenant_query_uninspectable`. So is a condition that names the column in raw text.
 * - Writes pass, and so do definitions of tables. What a write reads (`insert … select`,
 *   `update … from`, subqueries) does not, so run migrations that copy rows with {@link unscoped}.
 *
 * It finds mistakes and stops nobody who means it. It does not see through triggers, `db.$client`,
 * views that were declared as existing (others are refused like raw SQL), nor statements that
 * another handle made and this one only batches. `RETURNING` of a write answers what was written.
 * Columns are known by the name they were declared with, so spell out `text('organization_id')`
 * where a `casing` is set. The library's own functions want the handle as it was: give
 * `createSeatgate` the unguarded one.
 *
 * @throws {TypeError} if `db` is no Drizzle handle on D1 that can be guarded, or one of `tables` is
 *   no table with that column.
 *
 * @example
 * ```ts
 * const db = tenantDatabase(drizzle(env.DB), { tables: [projects] })
 *
 * await db.select().from(projects).where(forOrganization(projects, c.var))
 * await db.select().from(projects) // throws UnscopedQuery
 * await unscoped(db).select().from(projects) // every organization's, and it says so
 * ```
 */
export function tenantDatabase<D extends Database>(db: D, options: TenantDatabaseOptions = {}): D {
  checkOptionNames('tenantDatabase', options, ['tables', 'report'])
  const { tables = [], report = ({ event }) => console.error(event) } = options
  const { dialect, session } = insides(db)
  const enforced = new Set([...ownTables(), ...tables.map(hostTable)].map(originalName))
  const guard = guardedDialect(dialect, {
    enforced,
    refuse(table, inspectable) {
      const error = new UnscopedQuery(table, inspectable)
      if (!inspectable) report({ event: 'tenant_query_uninspectable', error })
      throw error
    },
  })
  const guarded: Database = new DrizzleD1Database(
    'async',
    guard.dialect,
    // Raw SQL is written by the session's dialect.
    Object.assign(Object.create(session) as typeof session, { dialect: guard.dialect }),
    db._.schema && { ...db._, schema: db._.schema }
  )
  const $count: Database['$count'] = (source, where) => {
    const count = DrizzleD1Database.prototype.$count.call(guarded, source, where)
    for (const written of [count, (count as unknown as { sql: SQL }).sql]) {
      guard.counts(written, { table: source, where })
    }
    return count
  }
  const { $client, $cache } = db as D & { $client?: unknown }
  unguarded.set(guarded, db)
  return Object.assign(guarded, { $count, $client, $cache }) as unknown as D
}

/**
 * The handle as it was before {@link tenantDatabase}: for what is meant to read every organization's
 * rows. A handle that is not guarded is answered as it is.
 *
 * @example
 * ```ts
 * const total = await unscoped(db).$count(projects)
 * ```
 */
export function unscoped<D extends Database>(db: D): D {
  return (unguarded.get(db) as D | undefined) ?? db
}

type Session = ConstructorParameters<typeof DrizzleD1Database>[2]

const BUILDS = [
  'buildSelectQuery',
  'buildRelationalQuery',
  'buildInsertQuery',
  'buildUpdateQuery',
  'buildDeleteQuery',
  'sqlToQuery',
] as const

// The types hide both. A Drizzle that builds its SQL elsewhere would not be guarded at all.
function insides(db: Database): { dialect: SQLiteAsyncDialect; session: Session } {
  const inside = db as unknown as { dialect: SQLiteAsyncDialect; session: Session }
  if (
    !is(db, DrizzleD1Database) ||
    typeof inside.session !== 'object' ||
    BUILDS.some((name) => typeof inside.dialect?.[name] !== 'function')
  ) {
    throw new TypeError('tenantDatabase: the database must be a Drizzle 0.45 handle on D1.')
  }
  if (unguarded.has(db)) throw new TypeError('tenantDatabase: the database is guarded already.')
  return inside
}

function ownTables(): Table[] {
  return Object.values(schema).filter((it) => isTable(it) && findOrganizationColumn(it))
}

function hostTable(table: SQLiteTable): SQLiteTable {
  organizationColumn(table, 'tenantDatabase')
  return table
}
