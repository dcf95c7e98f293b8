import { getTableColumns, sql, type GetColumnData, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

type Renamed<T extends SQLiteTable> = {
  readonly [K in keyof T['_']['columns']]: SQL.Aliased<GetColumnData<T['_']['columns'][K]>>
}

/**
 * All columns of a table, each answered under a name of its own. D1 answers a batch with objects, so
 * that of two joined tables' columns with one name only one would be left.
 */
export function renamedColumns<T extends SQLiteTable>(table: T, prefix: string): Renamed<T> {
  const renamed = Object.entries(getTableColumns(table)).map(([key, column]) => [
    key,
    sql`${column}`.mapWith(column).as(`${prefix}_${column.name}`),
  ])
  return Object.fromEntries(renamed) as Renamed<T>
}
