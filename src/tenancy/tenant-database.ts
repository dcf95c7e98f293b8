import { checkOptionNames } from '../base/names.ts'
import { is, isTable, type SQL, type Table } from 'drizzle-orm'
import { DrizzleD1Database } from 'drizzle-orm/d1'
import type { SQLiteAsyncDialect, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database } from '../database/database.ts'
import * as schema from '../database/tables.ts'
import { groupColumns } from './for-group.ts'
import { UnscopedQuery, findOrganizationColumn, organizationColumn } from './for-organization.ts'
import { guardedDialect } from './guarded-dialect.ts'
import { originalName } from './tokens.ts'
import { isGuarded, markGuarded } from './unscoped.ts'

/** Options of {@link tenantDatabase}. */
export interface TenantDatabaseOptions {
  /** The host's own tables with a column `organization_id`. The library's are always guarded. */
  readonly tables?: readonly SQLiteTable[]
  /**
   * The host's own tables whose rows are of groups, with the columns `organization_id` and `group_id`: reads
   * pin both, and so do writes. See {@link forGroup}.
   */
  readonly groupTables?: readonly SQLiteTable[]
  /**
   * Receives queries that were refused before they ran. Default: `console.error` with the event's name.
   */
  readonly report?: (report: { readonly event: string; readonly error: unknown }) => void
}

/**
 * Returns the same handle on D1, whose reads of tenant tables throw {@link UnscopedQuery} unless their
 * condition pins `organization_id` to a parameter or literal: a forgotten filter becomes an error in the
 * first test, and not another tenant's row in production. The check runs when the query is run, or
 * becomes part of another one.
 *
 * - `and` pins if one side does, `or` if both do. `ne`, `inArray`, `like`, `not`, `is null` do not.
 * - A joined table is pinned by its own condition, or by equality to a pinned column.
 * - `with` of a relational query: the relations of a pinned row pass, on any condition. Below a root that
 *   is not guarded each guarded table needs a pin as if it were joined.
 * - A subquery is checked by itself: it needs its own pin, also where the query around it has one.
 * - Raw SQL is not parsed: if it names a guarded table to read it, it is refused and reported as
 *   `tenant_query_uninspectable`. So is a condition that names the column in raw text.
 * - Writes pass, and so do definitions of tables. The reads of a write (`insert … select`, `update …
 *   from`, subqueries) are checked, so run migrations that copy rows with {@link unscoped}.
 *
 * Rows of `groupTables` are of groups. Their reads pin `organization_id` and `group_id`, also below a pinned
 * row of an organization, and their writes do too: an inserted row has a value in both columns, `update`,
 * `delete` and `setWhere` of `onConflictDoUpdate` pin both, and no `set` changes one. `insert … select` and
 * raw SQL are refused.
 *
 * It finds mistakes and does not stop intent. It does not see through triggers, `db.$client`, views that
 * were declared as existing (others are refused like raw SQL), nor statements that another handle built
 * and this one only batches. `RETURNING` of a write returns the written rows. Columns are identified by
 * the name of their declaration, so write `text('organization_id')` where a `casing` is set. The
 * library's own functions need the handle as it was: pass the unguarded one to `createSeatgate`.
 *
 * @throws {TypeError} if `db` is not a Drizzle handle on D1 that can be guarded, or one of `tables` or of
 *   `groupTables` is not a table with these columns.
 *
 * @example
 * ```ts
 * const db = tenantDatabase(drizzle(env.DB), { tables: [projects] })
 *
 * await db.select().from(projects).where(forOrganization(projects, c.var))
 * await db.select().from(projects) // throws UnscopedQuery
 * await unscoped(db).select().from(projects) // every organization's, and it says so
 *
 * const ofGroups = tenantDatabase(drizzle(env.DB), { groupTables: [documents] })
 * await ofGroups.delete(documents).where(forGroup(documents, c.var))
 * ```
 */
export function tenantDatabase<D extends Database>(db: D, options: TenantDatabaseOptions = {}): D {
  checkOptionNames('tenantDatabase', options, ['tables', 'groupTables', 'report'])
  const { tables = [], groupTables = [], report = ({ event }) => console.error(event) } = options
  const { dialect, session } = insides(db)
  const ofGroups = new Set(groupTables.map(groupTable).map(originalName))
  const ofOrganizations = [...ownTables(), ...tables.map(hostTable)].map(originalName)
  const guard = guardedDialect(dialect, {
    enforced: new Set([...ofOrganizations, ...ofGroups]),
    ofGroups,
    refuse(table, inspectable) {
      const error = new UnscopedQuery(table, inspectable, ofGroups.has(table))
      if (!inspectable) report({ event: 'tenant_query_uninspectable', error })
      throw error
    },
  })
  const guarded: Database = new DrizzleD1Database(
    'async',
    guard.dialect,
    // The session's dialect writes raw SQL.
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
  markGuarded(guarded, db)
  return Object.assign(guarded, { $count, $client, $cache }) as unknown as D
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

// The types hide both. A version of Drizzle that builds its SQL elsewhere would not be guarded at all.
function insides(db: Database): { dialect: SQLiteAsyncDialect; session: Session } {
  const inside = db as unknown as { dialect: SQLiteAsyncDialect; session: Session }
  if (
    !is(db, DrizzleD1Database) ||
    typeof inside.session !== 'object' ||
    BUILDS.some((name) => typeof inside.dialect?.[name] !== 'function')
  ) {
    throw new TypeError('tenantDatabase: the database must be a Drizzle 0.45 handle on D1.')
  }
  if (isGuarded(db)) throw new TypeError('tenantDatabase: the database is guarded already.')
  return inside
}

function ownTables(): Table[] {
  return Object.values(schema).filter((it) => isTable(it) && findOrganizationColumn(it))
}

function groupTable(table: SQLiteTable): SQLiteTable {
  groupColumns(table, 'tenantDatabase')
  return table
}

function hostTable(table: SQLiteTable): SQLiteTable {
  organizationColumn(table, 'tenantDatabase')
  return table
}
