/**
 * Writes of tables whose rows are of groups: a row that is inserted has a group, and a row that is there stays
 * in its own.
 *
 * @module
 */
import { getTableColumns, is, Param, Placeholder, SQL, type Column, type Table } from 'drizzle-orm'
import type { Token } from './tokens.ts'

/** The checked parts of an insertion, as Drizzle has them. */
export interface Insertion {
  readonly values: unknown
  readonly onConflict?: readonly SQL[] | undefined
}

/** Returns why an insertion is refused: a row lacks a value in one of the columns, or the source is a query. */
export function insertRefusal(
  table: Table,
  columns: readonly Column[],
  { values }: Insertion
): 'unpinned' | 'unreadable' | null {
  if (!Array.isArray(values)) return 'unreadable'
  const fields = Object.entries(getTableColumns(table)).flatMap(([field, column]) =>
    columns.includes(column) ? [field] : []
  )
  const rows = values as readonly Readonly<Record<string, unknown>>[]
  return rows.every((row) => fields.every((field) => isValue(row[field]))) ? null : 'unpinned'
}

function isValue(value: unknown): boolean {
  const given: unknown = is(value, Param) ? value.value : value
  return is(given, Placeholder) || (given != null && !is(given, SQL))
}

/** The assignments of `on conflict … do update`, and its condition. */
export interface ConflictUpdate {
  readonly set: readonly Token[]
  readonly where: readonly Token[]
}

/** Reads a clause `on conflict`; null if it changes no row. */
export function updateOf(tokens: readonly Token[]): ConflictUpdate | null {
  const isWord = (word: string) => (token: Token) => token.kind === 'word' && token.text === word
  const begin = tokens.findIndex(isWord('update'))
  if (begin < 0) return null
  const rest = tokens.slice(begin + 2)
  const end = outside(rest).findIndex(isWord('where'))
  return end < 0
    ? { set: rest, where: [] }
    : { set: rest.slice(0, end), where: rest.slice(end + 1) }
}

// A word in brackets does not count.
function outside(tokens: readonly Token[]): readonly Token[] {
  let depth = 0
  return tokens.map((token) => {
    if (token.kind === 'symbol' && token.text === '(') depth += 1
    if (token.kind === 'symbol' && token.text === ')') depth -= 1
    return depth > 0 ? { kind: 'other', text: '' } : token
  })
}

/** Returns the first of these tables that hand-written SQL names at all, also as the target of a write. */
export function namesAny(
  tokens: readonly Token[],
  tables: ReadonlySet<string>
): string | undefined {
  return tokens.find(
    ({ kind, text }, at) =>
      /^(word|name|table)$/.test(kind) && tables.has(text) && tokens[at + 1]?.text !== '.'
  )?.text
}
