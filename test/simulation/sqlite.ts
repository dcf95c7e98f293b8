/**
 * SQLite under the two stores. Statements are prepared once and kept; connections outlive histories,
 * and what a history has written is rolled back at its end.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

export type Row = Record<string, unknown>

/** What a statement has answered, as D1 says it. */
export interface Answer {
  readonly success: true
  /** An object for each row; of columns with one name the last is left. */
  readonly results: readonly Row[]
  /** The same as lists, in the order of the columns; null if two have one name. */
  readonly lists: readonly (readonly unknown[])[] | null
}

interface Prepared {
  readonly statement: StatementSync
  readonly names: readonly string[]
  readonly alike: boolean
  readonly writes: boolean
}

export interface Connection {
  /** Runs one statement. */
  run(sql: string, params?: readonly unknown[]): Answer
  /** Runs one statement and answers its rows. */
  all(sql: string, params?: readonly unknown[]): readonly Row[]
  /** Runs statements that have neither parameters nor answers. */
  exec(sql: string): void
  /** Runs all or nothing; may be nested. */
  atomically<T>(act: () => T): T
  /** Counts up with everything that may have written. */
  writes(): number
}

export function connect(): Connection {
  const database = new DatabaseSync(':memory:')
  const known = new Map<string, Prepared | Limited>()
  let [depth, writes] = [0, 0]
  const prepare = (sql: string): Prepared => {
    const statement = database.prepare(sql)
    statement.setReturnArrays(true)
    const names = statement.columns().map(({ name }) => name)
    const alike = new Set(names).size < names.length
    const isWrite = !/^(select|savepoint|release)/i.test(sql)
    return { statement, names, alike, writes: isWrite }
  }
  // To look up a text of a thousand characters takes its time, too: once is enough for most.
  const statementOf = (sql: string): Prepared | Limited => {
    let there = known.get(sql)
    if (there === undefined) known.set(sql, (there = limitedIn(sql) ?? prepare(sql)))
    return there
  }
  const connection: Connection = {
    run(sql, params = []) {
      const there = statementOf(sql)
      if ('parts' in there) return connection.run(...withLimits(there, params))
      const { statement, names, alike, writes: isWrite } = there
      if (isWrite) writes += 1
      if (names.length === 0) {
        statement.run(...(params as SQLInputValue[]))
        return NOTHING
      }
      const lists = statement.all(...(params as SQLInputValue[])) as unknown as unknown[][]
      return new Rows(names, lists, alike)
    },
    all: (sql, params) => connection.run(sql, params).results,
    exec(sql) {
      writes += 1
      database.exec(sql)
    },
    writes: () => writes,
    atomically(act) {
      depth += 1
      const name = `s${depth}`
      connection.run(`SAVEPOINT ${name}`)
      try {
        const answer = act()
        connection.run(`RELEASE ${name}`)
        return answer
      } catch (error) {
        connection.run(`ROLLBACK TO ${name}`)
        connection.run(`RELEASE ${name}`)
        throw error
      } finally {
        depth -= 1
      }
    },
  }
  return connection
}

const NOTHING: Answer = { success: true, results: [], lists: [] }

class Rows implements Answer {
  readonly success = true
  readonly lists: readonly (readonly unknown[])[] | null
  readonly #names: readonly string[]
  readonly #values: readonly (readonly unknown[])[]
  #rows: readonly Row[] | null = null

  constructor(names: readonly string[], values: readonly (readonly unknown[])[], alike: boolean) {
    this.lists = alike ? null : values
    this.#names = names
    this.#values = values
  }

  get results(): readonly Row[] {
    this.#rows ??= this.#values.map((values) => {
      const row: Row = {}
      this.#names.forEach((name, index) => (row[name] = values[index]))
      return row
    })
    return this.#rows
  }

  toJSON(): unknown {
    return this.#values
  }
}

/** A statement with limits that are parameters. */
interface Limited {
  /** The text around each of them. */
  readonly parts: readonly string[]
  /** Which parameters they are. */
  readonly at: readonly number[]
}

// SQLite prepares a statement anew with each value that is bound to a limit. They are constants: here
// they are written into the text.
function withLimits(
  { parts, at }: Limited,
  params: readonly unknown[]
): readonly [string, readonly unknown[]] {
  const text = parts.reduce((whole, part, index) => `${whole}${params[at[index - 1]!]}${part}`)
  return [text, params.filter((_value, index) => !at.includes(index))]
}

function limitedIn(sql: string): Limited | null {
  const parts = sql.split(/(?<=\blimit )\?(?!\d)/)
  if (parts.length === 1) return null
  let count = -1
  const at = parts.slice(0, -1).map((part) => (count += part.split('?').length))
  return { parts, at }
}

const MIGRATIONS = ['host/migrations', 'migrations'].map((folder) =>
  join(import.meta.dirname, '../..', folder)
)

/** A database with the library's tables and the reference host's. */
export function migrated(): Connection {
  const connection = connect()
  for (const folder of MIGRATIONS) {
    for (const name of readdirSync(folder).sort()) {
      if (name.endsWith('.sql')) connection.exec(readFileSync(join(folder, name), 'utf8'))
    }
  }
  return connection
}
