import { integer, sqliteTable, type SQLiteColumnBuilderBase } from 'drizzle-orm/sqlite-core'

/** The unique keys of the tables that a bundle has, as SQLite names them. */
export const OWN_UNIQUE = new Set<string>()

/**
 * Creates a table of the library and notes its unique keys, each by its columns. A test compares them with
 * the migrations.
 */
export function ownTable<
  Name extends string,
  Columns extends Record<string, SQLiteColumnBuilderBase>,
>(name: Name, keys: readonly string[], columns: () => Columns) {
  for (const key of keys) {
    const named = key.split(' ').map((column) => `${name}.${column}`)
    OWN_UNIQUE.add(named.join(', '))
  }
  return sqliteTable(name, columns)
}

/** Milliseconds since 1970, UTC. */
export const instant = (name: string) => integer(name, { mode: 'timestamp_ms' })

export const flag = (name: string) => integer(name, { mode: 'boolean' })
