import { checkSchema, schemaQuery, storeError } from './check-schema.ts'
import type { Database, Statement } from './database.ts'
import { keptInsertion } from './kept-query.ts'
import { getTableColumns, sql, type GetColumnData, type SQL } from 'drizzle-orm'
import type { SQLiteTable } from 'drizzle-orm/sqlite-core'

/** Statements by name, to be run in one round trip. Null is a query without rows, for a part that the host does not have. */
export type Queries = Readonly<Record<string, Statement | null>>

/** The rows of each statement of {@link Queries}, under the same names. */
export type RowsOf<Q extends Queries> = {
  readonly [K in keyof Q]: NonNullable<Q[K]>['_']['result']
}

/**
 * Runs several statements as one D1 batch, in one round trip and on one state of the database. Returns
 * their rows under the same names.
 *
 * @throws {SchemaMismatch} if the tables are not those of this version of the code.
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function batch<Q extends Queries>(db: Database, queries: Q): Promise<RowsOf<Q>> {
  const statements = Object.values(queries).filter((statement) => statement !== null)
  const [first, ...rest] = statements
  const answers = first === undefined ? [] : await run(db, [first, ...rest])
  const rows = Object.entries(queries).map(([name, statement]) => [
    name,
    statement === null ? [] : answers[statements.indexOf(statement)],
  ])
  return Object.fromEntries(rows) as RowsOf<Q>
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
 * which columns of the same name in two joined tables would overwrite each other. `alias` is the name of
 * the table in the query, if it has one.
 */
export function renamedColumns<T extends SQLiteTable>(
  table: T,
  prefix: string,
  alias?: string
): Renamed<T> {
  const renamed = Object.entries(getTableColumns(table)).map(([key, column]) => [
    key,
    (alias === undefined ? sql`${column}` : sql.raw(`${alias}.${column.name}`))
      .mapWith(column)
      .as(`${prefix}_${column.name}`),
  ])
  return Object.fromEntries(renamed) as Renamed<T>
}

// D1 takes parameters of up to 2 MB, and a character may have four bytes.
const LONGEST_LIST = 400_000
const MOST_ROWS = 1000
// Up to so many rows single INSERTs are cheaper: SQLite writes an inserted SELECT to a temporary table
// first.
const FEW_ROWS = 10

type Row = Readonly<Record<string, unknown>>

/** Options for rows that are not only values. */
export interface Insertion {
  /** Expressions in place of columns, by the column's name in the schema; see {@link fieldOf}. */
  readonly computed?: Readonly<Record<string, SQL>>
  /** The condition on the rows to insert. Default all. */
  readonly condition?: SQL
}

/** Whether rows are few enough to be inserted one by one. */
export function areFew(rows: readonly unknown[]): boolean {
  return rows.length <= FEW_ROWS
}

/**
 * Builds the statements that insert rows: one for each of up to ten rows, otherwise one for each
 * thousand. A row names every column that has no default of null.
 */
export function insertRows<T extends SQLiteTable>(
  db: Database,
  table: T,
  rows: readonly T['$inferInsert'][]
) {
  return areFew(rows) ? rows.map((row) => insertRow(db, table, row)) : insertMany(db, table, rows)
}

const insertions = new WeakMap<SQLiteTable, ReturnType<typeof keptInsertion>>()

/** Builds the statement that inserts a row, whose text is kept. Expressions may stand in place of values. */
export function insertRow(db: Database, table: SQLiteTable, row: Row): Statement {
  const known = insertions.get(table) ?? keptInsertion(table)
  insertions.set(table, known)
  return known(db, row)
}

/** Builds the statements that insert many rows. Rows may have fields that are no columns. */
export function insertMany(
  db: Database,
  table: SQLiteTable,
  rows: readonly Row[],
  how: Insertion = {}
) {
  return inChunks(rows.map((row) => encoded(table, row))).map((chunk) =>
    insertChunk(db, table, chunk, how)
  )
}

/** A field of the row that is being inserted; it needs no column of that name. */
export function fieldOf(name: string): SQL<string> {
  return sql<string>`json_each.value ->> ${sql.raw(`'$.${name}'`)}`
}

function insertChunk(
  db: Database,
  table: SQLiteTable,
  rows: readonly Row[],
  { computed = {}, condition = sql`true` }: Insertion
) {
  const names = Object.keys(getTableColumns(table))
  const isShared = (name: string) =>
    computed[name] === undefined && rows.every((row) => row[name] === rows[0]?.[name])
  // A value that all rows share is bound once.
  const shared = new Set(names.filter(isShared))
  const columns = names.map(
    (name) => computed[name] ?? (shared.has(name) ? sql`${rows[0]?.[name] ?? null}` : fieldOf(name))
  )
  const list = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([name]) => !shared.has(name)))
  )
  return db.insert(table).select(
    sql`select ${sql.join(columns, sql`, `)}
        from json_each(${JSON.stringify(list)}) where ${condition}`
  )
}

function inChunks(rows: readonly Row[]): readonly (readonly Row[])[] {
  const chunks: Row[][] = []
  let length = 0
  for (const row of rows) {
    const more = JSON.stringify(row).length
    const last = chunks.at(-1)
    const fits = last !== undefined && last.length < MOST_ROWS && length + more < LONGEST_LIST
    if (fits) last.push(row)
    else chunks.push([row])
    length = fits ? length + more : more
  }
  return chunks
}

// Encodes values as their columns store them; fields that are no columns stay as they are.
function encoded(table: SQLiteTable, row: Row): Row {
  const columns = getTableColumns(table)
  const values = Object.entries(row).map(([name, value]) => {
    const column = columns[name]
    return [name, value == null || !column ? value : column.mapToDriverValue(value)]
  })
  return Object.fromEntries(values)
}
