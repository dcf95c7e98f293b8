/**
 * Drizzle writes the SQL of each statement anew, which would take most of a history's time. Here it
 * is done faster, to the same end: a test compares each statement of a history with Drizzle's own.
 *
 * @module
 */
import {
  Column,
  getTableName,
  is,
  Name,
  Param,
  Placeholder,
  SQL,
  StringChunk,
  Subquery,
  Table,
  View,
  type Query,
} from 'drizzle-orm'

import { constant, quickenSelects } from './drizzle-selects.ts'

type Config = Parameters<SQL['buildQueryFromSourceParams']>[1]
type Chunks = Parameters<SQL['buildQueryFromSourceParams']>[0]
type Kind = 'text' | 'name' | 'sql' | 'column' | 'table' | 'parameter' | 'query' | 'other'

type WithInlining = { readonly queryChunks: Chunks; readonly shouldInlineParams: boolean }

interface Writing {
  readonly config: Config
  readonly params: unknown[]
  sql: string
}

/** Drizzle as it is, or what takes less time to the same end. */
export type DrizzleWay = 'quick' | 'its own'

const asDrizzleDoes = SQL.prototype.buildQueryFromSourceParams

/** Puts the faster way in place of Drizzle's, for the rest of this thread. */
export function quickenDrizzle(): void {
  quickenSelects()
  SQL.prototype.buildQueryFromSourceParams = function quick(
    this: WithInlining,
    chunks,
    config
  ): Query {
    if (config.inlineParams || this.shouldInlineParams || config.invokeSource !== undefined) {
      return asDrizzleDoes.call(this as unknown as SQL, chunks, config)
    }
    const writing: Writing = { config, params: [], sql: '' }
    for (const chunk of chunks) write(writing, chunk)
    return { sql: writing.sql, params: writing.params }
  }
}

function write(writing: Writing, chunk: unknown): void {
  if (chunk === undefined) return
  if (Array.isArray(chunk)) return writeList(writing, chunk)
  if (chunk === null || typeof chunk !== 'object') return writeParameter(writing, chunk)
  switch (kindOf(chunk)) {
    case 'text': {
      const { value } = chunk as StringChunk
      writing.sql += value.length === 1 ? value[0] : value.join('')
      return
    }
    case 'name':
      writing.sql += nameOf(writing, (chunk as Name).value)
      return
    case 'sql': {
      const { queryChunks, shouldInlineParams } = chunk as WithInlining
      if (shouldInlineParams) return writeOther(writing, chunk)
      const kept = constant.get(chunk as SQL)
      if (kept?.text != null) {
        writing.sql += kept.text
        return
      }
      const [before, bound] = [writing.sql.length, writing.params.length]
      for (const part of queryChunks) write(writing, part)
      if (kept && writing.params.length === bound) kept.text = writing.sql.slice(before)
      return
    }
    case 'column':
      writing.sql += columnOf(writing, chunk as Column)
      return
    case 'table':
      writing.sql += nameOf(writing, getTableName(chunk as Table))
      return
    case 'parameter': {
      const { value, encoder } = chunk as Param
      if (is(value, Placeholder)) return writeOther(writing, chunk)
      const mapped: unknown = value === null ? null : encoder.mapToDriverValue(value)
      if (is(mapped, SQL)) write(writing, mapped)
      else writeParameter(writing, mapped)
      return
    }
    case 'query':
      return writeQuery(writing, chunk as Wrapped)
    default:
      writeOther(writing, chunk)
  }
}

function writeList(writing: Writing, list: readonly unknown[]): void {
  writing.sql += '('
  for (const [index, part] of list.entries()) {
    if (index > 0) writing.sql += ', '
    write(writing, part)
  }
  writing.sql += ')'
}

function writeParameter(writing: Writing, value: unknown): void {
  writing.sql += '?'
  writing.params.push(value)
}

interface Wrapped {
  getSQL(): SQL
  shouldOmitSQLParens?(): boolean
}

function writeQuery(writing: Writing, query: Wrapped): void {
  const bare = query.shouldOmitSQLParens?.() === true
  if (!bare) writing.sql += '('
  write(writing, query.getSQL())
  if (!bare) writing.sql += ')'
}

function writeOther(writing: Writing, chunk: unknown): void {
  const { sql, params } = asDrizzleDoes.call(EMPTY, [chunk] as Chunks, writing.config)
  writing.sql += sql
  writing.params.push(...params)
}

const EMPTY = new SQL([])
const names = new Map<string, string>()
const columns = new WeakMap<Column, string>()
const kinds = new WeakMap<object, Kind>()

function nameOf({ config }: Writing, name: string): string {
  const known = names.get(name)
  if (known !== undefined) return known
  const escaped = config.escapeName(name)
  names.set(name, escaped)
  return escaped
}

function columnOf(writing: Writing, column: Column): string {
  const known = columns.get(column)
  if (known !== undefined) return known
  const [table, name] = [getTableName(column.table), writing.config.casing.getColumnCasing(column)]
  const text = `${nameOf(writing, table)}.${nameOf(writing, name)}`
  columns.set(column, text)
  return text
}

// Objects of one prototype are always the same.
function kindOf(chunk: object): Kind {
  const prototype = Object.getPrototypeOf(chunk) as object
  const known = kinds.get(prototype)
  if (known !== undefined) return known
  const kind = findKind(chunk)
  kinds.set(prototype, kind)
  return kind
}

function findKind(chunk: object): Kind {
  if (is(chunk, StringChunk)) return 'text'
  if (is(chunk, Name)) return 'name'
  if (is(chunk, SQL)) return 'sql'
  if (is(chunk, Table)) return 'table'
  if (is(chunk, Column)) return 'column'
  if (is(chunk, Param)) return 'parameter'
  const special = [Placeholder, SQL.Aliased, Subquery, View].some((type) => is(chunk, type))
  return !special && 'getSQL' in chunk ? 'query' : 'other'
}
