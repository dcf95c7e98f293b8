/** A rule of the remote D1 parser, or of applying twice, that a file breaks. */
export type Problem =
  | 'not named NNNN_name.sql'
  | 'numbers have a gap or a repeat'
  | 'carriage return'
  | 'no newline at the end'
  | 'empty'
  | 'PRAGMA'
  | 'comment with a semicolon'
  | 'not idempotent'
  | 'more than a trigger'
  | 'trigger over several lines'
  | 'BEGIN or END not in upper case'
  | 'CASE in a trigger'
  | 'not exactly one END;'

const NAME = /^\d{4}_[a-z0-9_]+\.sql$/

/** Checks the names of all migrations: in order, numbered from 1 without a gap. */
export function lintNames(names: readonly string[]): Problem[] {
  const problems = new Set<Problem>()
  for (const [index, name] of [...names].sort().entries()) {
    if (!NAME.test(name)) problems.add('not named NNNN_name.sql')
    else if (Number(name.slice(0, 4)) !== index + 1) problems.add('numbers have a gap or a repeat')
  }
  return [...problems]
}

/**
 * Checks one migration for what D1's remote parser refuses while the local one takes it, and for
 * statements that cannot be applied twice.
 */
export function lintMigration(text: string): Problem[] {
  const problems = new Set<Problem>()
  if (text.includes('\r')) problems.add('carriage return')
  if (!text.endsWith('\n')) problems.add('no newline at the end')
  const { code, comments } = separate(text)
  if (comments.some((comment) => comment.includes(';'))) problems.add('comment with a semicolon')
  if (/\bPRAGMA\b/i.test(code)) problems.add('PRAGMA')
  if (code.trim() === '') problems.add('empty')
  for (const problem of TRIGGER.test(code) ? lintTrigger(code) : lintStatements(code)) {
    problems.add(problem)
  }
  return [...problems]
}

const TRIGGER = /\bCREATE\s+(?:TEMP\s+|TEMPORARY\s+)?TRIGGER\b/i

function* lintTrigger(code: string): Generator<Problem> {
  const text = code.trim()
  if (text.includes('\n')) yield 'trigger over several lines'
  const afterTrigger = text
    .split(/\bEND\s*;/i)
    .slice(1)
    .join('')
  if (text.search(TRIGGER) !== 0 || afterTrigger !== '') yield 'more than a trigger'
  if (!/^CREATE TRIGGER IF NOT EXISTS /i.test(text)) yield 'not idempotent'
  const words = text.match(/\b(?:BEGIN|END)\b/gi) ?? []
  if (words.some((word) => word !== word.toUpperCase())) yield 'BEGIN or END not in upper case'
  if (/\bCASE\b/i.test(text)) yield 'CASE in a trigger'
  if (text.match(/\bEND\b/gi)?.length !== 1 || !text.endsWith('END;')) yield 'not exactly one END;'
}

const IDEMPOTENT = [
  /^CREATE (TABLE|INDEX|UNIQUE INDEX|VIEW) IF NOT EXISTS /i,
  /^DROP (TABLE|INDEX|TRIGGER|VIEW) IF EXISTS /i,
  /^INSERT OR IGNORE INTO /i,
  /^INSERT OR REPLACE INTO seatgate_schema /,
  /^SELECT [a-z_, ]+ FROM \w+ WHERE 0$/,
]
// There is no ADD COLUMN IF NOT EXISTS. Alone in its file, it is applied or it is not.
const ADDS_A_COLUMN = /^ALTER TABLE \w+ ADD COLUMN /i
const RENAMES_A_TABLE = /^ALTER TABLE (\w+) RENAME TO (\w+)$/i

function* lintStatements(code: string): Generator<Problem> {
  const statements = code
    .split(';')
    .map((statement) => statement.trim().replace(/\s+/g, ' '))
    .filter((statement) => statement !== '')
  for (const statement of statements) {
    if (statements.length === 1 && ADDS_A_COLUMN.test(statement)) return
    if (replacesATable(statement, statements)) continue
    if (!IDEMPOTENT.some((form) => form.test(statement))) yield 'not idempotent'
  }
}

/** Whether a statement puts a new table in the place of another, wherever an apply has stopped before. */
function replacesATable(statement: string, statements: readonly string[]): boolean {
  const [, from, to] = RENAMES_A_TABLE.exec(statement) ?? []
  if (from === undefined || statement !== statements.at(-1)) return false
  const makes = (table: string | undefined) =>
    statements.some((other) => other.startsWith(`CREATE TABLE IF NOT EXISTS ${table} (`))
  return makes(from) && makes(to) && statements.at(-2) === `DROP TABLE IF EXISTS ${to}`
}

/** Takes comments out, and what stands in quotes: only code has keywords. */
function separate(text: string): { code: string; comments: string[] } {
  const comments: string[] = []
  const code = text.replace(/'(?:[^']|'')*'|"[^"]*"|--[^\n]*|\/\*[^]*?\*\//g, (found) => {
    if (!found.startsWith('-') && !found.startsWith('/')) return found[0]!.repeat(2)
    comments.push(found)
    return ''
  })
  return { code, comments }
}
