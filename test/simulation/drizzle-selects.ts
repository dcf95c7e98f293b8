/**
 * What a select names and how its rows are read, worked out once for each set of fields.
 *
 * @module
 */
import { Column, is, SQL, Subquery, type DriverValueDecoder } from 'drizzle-orm'
import { D1PreparedQuery } from 'drizzle-orm/d1'
import { SQLiteDialect, SQLiteSelectBase } from 'drizzle-orm/sqlite-core'
import type { Answer } from './sqlite.ts'

const PREPARE = '_prepare'

interface Field {
  readonly path: readonly string[]
  readonly field: unknown
}

type Fields = Readonly<Record<string, unknown>>
type Reader = readonly (readonly [name: string, read: (value: unknown) => unknown])[]
type RowReader = (answer: Answer, fromBatch: boolean) => unknown

interface Dialect {
  sqlToQuery(sql: SQL): unknown
  buildSelection(fields: readonly Field[], options?: { readonly isSingleTable?: boolean }): SQL
}

/** A select as Drizzle has it inside. */
interface Select {
  readonly config: { readonly joins?: unknown; fieldsFlat?: readonly Field[] }
  readonly _: { readonly selectedFields: Fields }
  readonly session: { prepareQuery(...parts: readonly unknown[]): unknown } | undefined
  readonly dialect: Dialect
  readonly joinsNotNullableMap: unknown
  getSQL(): SQL
  [PREPARE](isOneTimeQuery?: boolean): unknown
}

interface PreparedQuery {
  readonly fields?: readonly Field[]
  readonly customResultMapper?: unknown
  mapAllResult: RowReader
}

/** Every object of which the text of the SQL never changes. */
export const constant = new WeakMap<SQL, { text: string | null }>()

/** Puts the faster way in place of Drizzle's, for the rest of this thread. */
export function quickenSelects(): void {
  const select = SQLiteSelectBase.prototype as unknown as Select
  const slowPrepare = select[PREPARE]
  select[PREPARE] = function prepare(this: Select, isOneTimeQuery) {
    const fields = this.config.joins || !this.session ? null : flat(this._.selectedFields)
    if (fields === null) return slowPrepare.call(this, isOneTimeQuery)
    this.config.fieldsFlat = fields
    const query = this.dialect.sqlToQuery(this.getSQL())
    return this.session!.prepareQuery(query, fields, 'all', true)
  }

  const dialect = SQLiteDialect.prototype as unknown as Dialect
  const slowSelection = dialect.buildSelection
  const selections = new WeakMap<readonly Field[], SQL>()
  dialect.buildSelection = function buildSelection(this: Dialect, fields, options) {
    const isKept = options?.isSingleTable === true && readers.has(fields)
    const known = isKept ? selections.get(fields) : undefined
    if (known !== undefined) return known
    const selection = slowSelection.call(this, fields, options)
    if (isKept) {
      selections.set(fields, selection)
      constant.set(selection, { text: null })
    }
    return selection
  }

  const prepared = D1PreparedQuery.prototype as unknown as PreparedQuery
  const slowMapping = prepared.mapAllResult
  prepared.mapAllResult = function mapAllResult(this: PreparedQuery, answer, fromBatch) {
    const reader = fromBatch && this.fields && !this.customResultMapper && readers.get(this.fields)
    if (!reader || !answer.lists) return slowMapping.call(this, answer, fromBatch)
    return answer.lists.map((values) => read(reader, values))
  }
}

function read(reader: Reader, values: readonly unknown[]): Record<string, unknown> {
  const row: Record<string, unknown> = {}
  for (let at = 0; at < reader.length; at++) {
    const [name, decode] = reader[at]!
    const value = values[at]
    row[name] = value === null ? null : decode(value)
  }
  return row
}

const lists = new WeakMap<Fields, readonly Field[] | null>()
const readers = new WeakMap<readonly Field[], Reader>()

/** The fields as a list; null where one of them is not plain. */
function flat(fields: Fields): readonly Field[] | null {
  const known = lists.get(fields)
  if (known !== undefined) return known
  const list = Object.entries(fields).map(([name, field]) => ({ path: [name], field }))
  const reader = list.map(({ path: [name = ''], field }) => [name, decoderOf(field)] as const)
  const plain = reader.every(([, decode]) => decode !== null)
  lists.set(fields, plain ? list : null)
  if (plain) readers.set(list, reader as Reader)
  return plain ? list : null
}

function decoderOf(field: unknown): ((value: unknown) => unknown) | null {
  if (is(field, Column)) return (value) => field.mapFromDriverValue(value)
  if (is(field, Subquery)) return null
  const sql = is(field, SQL.Aliased) ? field.sql : field
  if (!is(sql, SQL)) return null
  const { decoder } = sql as unknown as { decoder: DriverValueDecoder<unknown, unknown> }
  return (value) => decoder.mapFromDriverValue(value)
}
