import type { SQLiteTable, SQLiteTableExtraConfigValue } from 'drizzle-orm/sqlite-core'

// Where Drizzle keeps the third argument of `sqliteTable`.
const BUILDER = Symbol.for('drizzle:ExtraConfigBuilder')

/**
 * Gives a table its keys, indexes, checks and foreign keys, and returns the same table.
 *
 * @throws {TypeError} if this version of Drizzle has another place for them.
 */
export function constrained<T extends SQLiteTable>(
  table: T,
  constraints: (table: T) => SQLiteTableExtraConfigValue[]
): T {
  if (!(BUILDER in table))
    throw new TypeError('Drizzle does not expose the constraints of a table.')
  return Object.assign(table, { [BUILDER]: () => constraints(table) })
}
