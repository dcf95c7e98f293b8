/**
 * Queries of a fixed shape: Drizzle builds each when it is first used, and a request writes its own values
 * into the kept text.
 *
 * @module
 */
import { getTableColumns, is, Placeholder, sql, SQL, type SQLWrapper } from 'drizzle-orm'
import type { RunnableQuery } from 'drizzle-orm/runnable-query'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import type { Database, Statement } from './database.ts'

/** A statement that is written from a kept text. Awaiting it does not run it. */
export interface Kept<Rows> extends RunnableQuery<Rows, 'sqlite'>, SQLWrapper {
  /** Returns the text and what it binds, as each statement of Drizzle does. */
  toSQL(): Query
}

interface Query {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** A query that Drizzle has prepared for a driver. */
interface Prepared {
  readonly fields: unknown
  readonly executeMethod: unknown
  readonly queryMetadata: unknown
  joinsNotNullableMap: unknown
  getQuery(): Query
}

interface Shape {
  readonly prepared: Omit<Prepared, 'getQuery'>
  /** The text before each slot and after the last, with the parameters that it binds. */
  readonly texts: readonly Query[]
  readonly slots: readonly number[]
}

/** The parts of a handle that write a statement and pass it to the driver. */
interface Handle {
  readonly dialect: { sqlToQuery(part: SQL): Query }
  readonly session: { prepareQuery(...parts: readonly unknown[]): Prepared }
}

const PREPARE = '_prepare'
// No SQL has this character.
const MARK = '\u0000'

/**
 * Keeps a query with slots. The value of a slot is a piece of SQL, such as a condition, or is bound as it is:
 * encode it first if its column stores it in another form.
 *
 * @example
 * ```ts
 * const owned = keptQuery((db, condition: SQL) => db.select().from(teams).where(condition))
 * await batch(db, { teams: owned(db, eq(teams.ownerId, userId)) })
 * ```
 */
export function keptQuery<Slots extends readonly SQL[], S extends Statement>(
  build: (db: Database, ...slots: Slots) => S,
  count = build.length - 1
): (db: Database, ...values: { readonly [K in keyof Slots]: unknown }) => Kept<S['_']['result']> {
  let shape: Shape | undefined
  return (db, ...values) => {
    const { dialect, session } = db as unknown as Handle
    const whole = () => build(db, ...(values.map(asSql) as readonly SQL[] as Slots))
    // A handle of another version of Drizzle.
    if (typeof session?.prepareQuery !== 'function') return whole() as never
    const shaped = () =>
      (shape ??= shapeOf(build(db, ...(slotsOf(count) as readonly SQL[] as Slots))))
    const toSQL = () => filled(dialect, shaped(), values)
    const prepare = () => {
      const { fields, executeMethod, queryMetadata, joinsNotNullableMap } = shaped().prepared
      const parts = [toSQL(), fields, executeMethod, true, undefined, queryMetadata] as const
      return Object.assign(session.prepareQuery(...parts), { joinsNotNullableMap })
    }
    const getSQL = () => (whole() as unknown as { getSQL(): SQL }).getSQL()
    return { [PREPARE]: prepare, getSQL, toSQL } as never
  }
}

/** Selects all columns of the rows of a table on which a condition holds. */
export function rowsWhere<T extends SQLiteTable>(
  db: Database,
  table: T,
  condition: SQL = sql`true`
): Kept<T['$inferSelect'][]> {
  const known = selections.get(table) ?? keptSelection(table)
  selections.set(table, known)
  return known(db, condition)
}

const selections = new WeakMap<SQLiteTable, ReturnType<typeof keptSelection>>()

const keptSelection = (table: SQLiteTable) =>
  keptQuery((db, condition: SQL) => db.select().from(table).where(condition))

/**
 * Keeps the insertion of a row. A column without a value gets its default; an expression may stand in place
 * of a value.
 */
export function keptInsertion<T extends SQLiteTable>(table: T) {
  const columns: readonly (readonly [string, SQLiteColumn])[] = Object.entries(
    getTableColumns<SQLiteTable>(table)
  )
  const insertion = keptQuery((db, ...slots: readonly SQL[]) => {
    const row = Object.fromEntries(columns.map(([name], index) => [name, slots[index]]))
    return db.insert(table).values(row as never)
  }, columns.length)
  return (db: Database, row: Readonly<Record<string, unknown>>) =>
    insertion(db, ...columns.map(([name, column]) => storedIn(column, row[name])))
}

function storedIn(column: SQLiteColumn, value: unknown = column.default ?? null): unknown {
  return value === null || is(value, SQL) ? value : column.mapToDriverValue(value)
}

const asSql = (value: unknown): SQL => (is(value, SQL) ? value : sql`${value}`)

const slotsOf = (count: number) =>
  Array.from({ length: count }, (_, slot) => sql`${sql.raw(MARK)}${sql.placeholder(String(slot))}`)

function shapeOf(query: Statement): Shape {
  const prepared = (query as unknown as { [PREPARE](): Prepared })[PREPARE]()
  const { sql: whole, params } = prepared.getQuery()
  const slots: number[] = []
  const bound: unknown[][] = [[]]
  for (const param of params) {
    if (is(param, Placeholder)) {
      slots.push(Number(param.name))
      bound.push([])
    } else bound.at(-1)?.push(param)
  }
  const texts = whole
    .split(`${MARK}?`)
    .map((text, index) => ({ sql: text, params: bound[index] ?? [] }))
  const { fields, executeMethod, queryMetadata, joinsNotNullableMap } = prepared
  return { prepared: { fields, executeMethod, queryMetadata, joinsNotNullableMap }, texts, slots }
}

function filled(
  dialect: Handle['dialect'],
  { texts, slots }: Shape,
  values: readonly unknown[]
): Query {
  let text = ''
  const params: unknown[] = []
  for (const [index, between] of texts.entries()) {
    text += between.sql
    params.push(...between.params)
    const slot = slots[index]
    if (slot === undefined) continue
    const value = values[slot]
    if (is(value, SQL)) {
      const written = dialect.sqlToQuery(value)
      text += written.sql
      params.push(...written.params)
    } else {
      text += '?'
      params.push(value)
    }
  }
  return { sql: text, params }
}
