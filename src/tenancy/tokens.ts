import {
  Column,
  Name,
  Param,
  Placeholder,
  SQL,
  StringChunk,
  Subquery,
  Table,
  View,
  ViewBaseConfig,
  getTableName,
  is,
  isSQLWrapper,
} from 'drizzle-orm'
import { SQLiteSelectQueryBuilderBase, type SQLiteSelectConfig } from 'drizzle-orm/sqlite-core'

/** One word of SQL, or an object that Drizzle keeps among the words. */
export interface Token {
  readonly kind:
    | 'word' // a keyword or a bare name, in lower case
    | 'name' // a quoted name, in lower case
    | 'literal'
    | 'symbol'
    | 'column' // a Drizzle column: `text` is what columnKey says
    | 'table' // a Drizzle table: `text` is its name in the database
    | 'value' // a parameter that is not null
    | 'query' // a query that is checked by itself
    | 'other' // harmless: null, an alias, a value that may be null
    | 'unknown' // it might change the meaning of the words around it
  readonly text: string
  /** The configuration of a query that is not built yet. */
  readonly query?: SQLiteSelectConfig
}

/** Returns the key of a column in a query: with the alias of its table, if it has one. */
export function columnKey(column: Column): string {
  return `${getTableName(column.table)}.${column.name}`.toLowerCase()
}

/** Returns the name of a column as tokens have it. */
export function columnName(column: Column): string {
  return column.name.toLowerCase()
}

/** Returns the name of a table in the database, in lower case and without an alias. */
export function originalName(table: Table): string {
  const name = (table as unknown as Record<symbol, unknown>)[Symbol.for('drizzle:OriginalName')]
  return String(name).toLowerCase()
}

const LEXEME =
  /\uE000(?<mark>\d+)\uE001|(?<comment>--[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<literal>'(?:[^']|'')*'|\d+)|(?<name>"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\])|(?<word>[\p{L}_][\p{L}\p{N}_$]*)|(?<symbol>==|\S)/gu

/**
 * Returns the words of a piece of SQL, as Drizzle would write it. The whole text is written before it is
 * read, so that a quote or a comment that begins in one piece and ends in another is recognized.
 *
 * @param apart decides which pieces are checked by themselves and stand as one `query`.
 */
export function tokens(sql: SQL, apart: (sql: SQL) => boolean): readonly Token[] {
  const marked: Token[] = []
  const mark = (kind: Token['kind'], text = '', query?: SQLiteSelectConfig) =>
    `\uE000${marked.push({ kind, text, ...(query && { query }) }) - 1}\uE001`

  const written = (chunk: unknown): string => {
    if (chunk === undefined) return ''
    if (is(chunk, StringChunk)) return chunk.value.join('').replace(/[\uE000\uE001]/g, '\uFFFD')
    if (is(chunk, SQL))
      return apart(chunk) ? mark('query') : chunk.queryChunks.map(written).join('')
    if (Array.isArray(chunk)) return `(${chunk.map(written).join(', ')})`
    if (is(chunk, Column)) return mark('column', columnKey(chunk))
    if (is(chunk, Table)) return mark('table', originalName(chunk))
    if (is(chunk, Name)) return mark('name', chunk.value.toLowerCase())
    if (is(chunk, Param)) return parameter(chunk)
    if (is(chunk, Placeholder)) return mark('value')
    if (is(chunk, SQL.Aliased)) return mark('other')
    if (is(chunk, Subquery)) {
      return chunk._.isWith ? mark('other') : `(${written(chunk._.sql)}) ${mark('other')}`
    }
    if (is(chunk, View)) return `(${written(viewQuery(chunk))}) ${mark('other')}`
    if (is(chunk, SQLiteSelectQueryBuilderBase)) return mark('query', '', chunk._.config)
    if (isSQLWrapper(chunk)) {
      const inner = written(chunk.getSQL())
      return chunk.shouldOmitSQLParens?.() ? inner : `(${inner})`
    }
    return mark(/^(string|number|bigint|boolean)$/.test(typeof chunk) ? 'value' : 'other')
  }

  // A column type may turn a value into SQL or into null.
  const parameter = ({ value, encoder }: Param): string => {
    if (is(value, Placeholder)) return mark('value')
    const mapped: unknown = value == null ? null : encoder.mapToDriverValue(value)
    if (is(mapped, SQL)) return written(mapped)
    return mark(mapped == null ? 'other' : 'value')
  }

  const text = written(sql)
  return Array.from(text.matchAll(LEXEME), ({ groups = {} }): Token => {
    const { mark, comment, literal, name, word, symbol = '' } = groups
    if (mark !== undefined) return marked[Number(mark)] ?? { kind: 'unknown', text: '' }
    if (word !== undefined) return { kind: 'word', text: word.toLowerCase() }
    if (name !== undefined) return { kind: 'name', text: name.slice(1, -1).toLowerCase() }
    if (literal !== undefined) return { kind: 'literal', text: literal }
    if (comment !== undefined) return { kind: 'unknown', text: comment }
    // A quote that stands alone was not closed.
    return { kind: /['"`[]/.test(symbol) ? 'unknown' : 'symbol', text: symbol }
  })
}

function viewQuery(view: View): SQL | undefined {
  return (view as unknown as { [ViewBaseConfig]: { query?: SQL } })[ViewBaseConfig].query
}

/**
 * Returns the first of these tables that hand-written SQL reads, if there is one. A name counts at every
 * place except as the target of a write or before a dot. An alias of the same name counts as the table
 * too, because the two cannot be distinguished.
 */
export function tableRead(
  tokens: readonly Token[],
  tables: ReadonlySet<string>
): string | undefined {
  const at = tokens.findIndex((_token, at) => {
    const name = nameOf(tokens, at)
    return name !== null && tables.has(name) && !isWritten(tokens, at) && !isBeforeDot(tokens, at)
  })
  return at < 0 ? undefined : (nameOf(tokens, at) ?? undefined)
}

/**
 * Whether a statement defines tables or configures the connection; such a statement returns no rows of
 * theirs.
 */
export function isDefinition(tokens: readonly Token[]): boolean {
  const first = tokens.find(({ kind }) => kind !== 'unknown')
  return first?.kind === 'word' && DEFINING.has(first.text)
}

const DEFINING = new Set(
  'create alter drop reindex analyze vacuum pragma begin commit rollback savepoint release'.split(
    ' '
  )
)

// SQLite reads a string as a name where only a name can stand.
function nameOf(tokens: readonly Token[], at: number): string | null {
  const token = tokens[at]
  if (token?.kind === 'literal') {
    return isWord(tokens, at - 1, 'from', 'join') ? token.text.slice(1, -1).toLowerCase() : null
  }
  return token && /^(word|name|table)$/.test(token.kind) ? token.text : null
}

function isWritten(tokens: readonly Token[], at: number): boolean {
  return (
    isWord(tokens, at - 1, 'into', 'update') ||
    (isWord(tokens, at - 1, 'from') && isWord(tokens, at - 2, 'delete')) ||
    (isWord(tokens, at - 2, 'or') && isWord(tokens, at - 3, 'update'))
  )
}

function isBeforeDot(tokens: readonly Token[], at: number): boolean {
  return tokens[at + 1]?.kind === 'symbol' && tokens[at + 1]?.text === '.'
}

function isWord(tokens: readonly Token[], at: number, ...words: readonly string[]): boolean {
  const token = tokens[at]
  return token?.kind === 'word' && words.includes(token.text)
}
