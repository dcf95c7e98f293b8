import { checkSchema, schemaQuery, storeError } from './check-schema.ts'
import type { Database, Statement } from './database.ts'
import { getTableColumns, sql, type GetColumnData, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

/** Statements by name, to be run in one round trip. */
export type Queries = Readonly<Record<string, Statement>>

/** The rows of each statement of {@link Queries}, under the same names. */
export type RowsOf<Q extends Queries> = { readonly [K in keyof Q]: Q[K]['_']['result'] }

/**
 * Runs several statements as one D1 batch, in one round trip and on one state of the database. Returns
 * their rows under the same names.
 *
 * @throws {SchemaMismatch} if the tables are not those of this version of the code.
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function batch<Q extends Queries>(db: Database, queries: Q): Promise<RowsOf<Q>> {
  const names = Object.keys(queries)
  const [first, ...rest] = Object.values(queries)
  if (first === undefined) return {} as RowsOf<Q>
  const answers = await run(db, [first, ...rest])
  return Object.fromEntries(names.map((name, index) => [name, answers[index]])) as RowsOf<Q>
}

async function run(
  db: Database,
  statements: [Statement, ...Statement[]]
): Promise<readonly unknown[]> {
  const check = schemaQuery(db)
  let answers: unknown[]
  try {
    answers = await db.batch(check ? [check, ...statements] : statements)
  } catch (error) {
    throw await storeError(db, error)
  }
  if (check) checkSchema(db, answers.shift())
  return answers
}

type Renamed<T extends SQLiteTable> = {
  readonly [K in keyof T['_']['columns']]: SQL.Aliased<GetColumnData<T['_']['columns'][K]>>
}

/**
 * Selects all columns of a table under prefixed names. D1 returns the rows of a batch as objects, in
 * which columns of the same name in two joined tables would overwrite each other.
 */
export function renamedColumns<T extends SQLiteTable>(table: T, prefix: string): Renamed<T> {
  const renamed = Object.entries(getTableColumns(table)).map(([key, column]) => [
    key,
    sql`${column}`.mapWith(column).as(`${prefix}_${column.name}`),
  ])
  return Object.fromEntries(renamed) as Renamed<T>
}
