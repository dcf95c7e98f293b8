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

interface Known {
  readonly statement: StatementSync
  readonly answers: boolean
}

export interface Connection {
  /** Runs one statement and answers its rows. */
  all(sql: string, params?: readonly unknown[]): Row[]
  /** Runs statements that have neither parameters nor answers. */
  exec(sql: string): void
  /** Runs all or nothing; may be nested. */
  atomically<T>(act: () => T): T
}

export function connect(): Connection {
  const database = new DatabaseSync(':memory:')
  const known = new Map<string, Known>()
  const prepared = (sql: string): Known => {
    const there = known.get(sql)
    if (there) return there
    const statement = database.prepare(sql)
    const made = { statement, answers: statement.columns().length > 0 }
    known.set(sql, made)
    return made
  }
  let depth = 0
  const connection: Connection = {
    all(sql, params = []) {
      const { statement, answers } = prepared(sql)
      const values = params as SQLInputValue[]
      if (answers) return statement.all(...values) as Row[]
      statement.run(...values)
      return []
    },
    exec: (sql) => database.exec(sql),
    atomically(act) {
      depth += 1
      const name = `s${depth}`
      connection.all(`SAVEPOINT ${name}`)
      try {
        const answer = act()
        connection.all(`RELEASE ${name}`)
        return answer
      } catch (error) {
        connection.all(`ROLLBACK TO ${name}`)
        connection.all(`RELEASE ${name}`)
        throw error
      } finally {
        depth -= 1
      }
    },
  }
  return connection
}

const MIGRATIONS = join(import.meta.dirname, '../../migrations')

/** A database with the library's tables and the reference host's. */
export function migrated(): Connection {
  const connection = connect()
  for (const name of readdirSync(MIGRATIONS).sort()) {
    if (name.endsWith('.sql')) connection.exec(readFileSync(join(MIGRATIONS, name), 'utf8'))
  }
  return connection
}
