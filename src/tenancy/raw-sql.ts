import type { Token } from './tokens.ts'

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
