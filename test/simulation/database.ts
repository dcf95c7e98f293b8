/**
 * D1: one SQLite database with one writer, some way off. A batch is one transaction, and errors come as
 * D1 words them.
 *
 * @module
 */
import type { Answer, Connection } from './sqlite.ts'
import { Disconnected, travel, type Isolate, type Surroundings } from './network.ts'

/** A statement with its parameters. */
export interface Bound {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** Hears of every batch at D1, the moment it is over. */
export type BatchListener = (batch: {
  readonly statements: readonly Bound[]
  readonly answers: readonly Answer[] | null
  readonly error: Error | null
  /** Whether anybody still waits for the answer. */
  readonly awaited: boolean
}) => void

const MOST_PARAMETERS = 100

/** The D1 binding of one isolate. */
export function bindDatabase(
  surroundings: Surroundings,
  connection: Connection,
  isolate: Isolate,
  heard: BatchListener
): D1Database {
  const run = (statements: readonly Bound[]) =>
    travel(surroundings, isolate, {
      to: 'd1',
      what: 'batch',
      writes: !statements.every(({ sql }) => isRead(sql)),
      arrive(awaited) {
        if (surroundings.databaseIsOut) throw new Disconnected()
        try {
          const answers = runBatch(connection, statements)
          heard({ statements, answers, error: null, awaited })
          return answers
        } catch (error) {
          heard({ statements, answers: null, error: error as Error, awaited })
          throw error
        }
      },
    })
  const prepare = (sql: string, params: readonly unknown[] = []) => {
    const bound: Bound = { sql, params }
    const first = async () => (await run([bound]))[0]!
    return {
      ...bound,
      bind: (...values: unknown[]) => prepare(sql, checked(values)),
      all: first,
      run: first,
      raw: async () => (await first()).results.map((row) => Object.values(row)),
    }
  }
  return {
    prepare: (sql: string) => prepare(sql),
    batch: (statements: readonly Bound[]) => run(statements),
  } as unknown as D1Database
}

function checked(values: readonly unknown[]): readonly unknown[] {
  if (values.length > MOST_PARAMETERS) throw new Error('too many SQL variables')
  return values.map((value) => {
    if (value === undefined || typeof value === 'bigint') throw new Error('D1_TYPE_ERROR')
    return typeof value === 'boolean' ? Number(value) : value
  })
}

/** Runs statements as one transaction. */
function runBatch(connection: Connection, statements: readonly Bound[]): Answer[] {
  try {
    const run = () => statements.map(({ sql, params }) => connection.run(sql, params))
    // What is one statement, or only reads, is all or nothing by itself.
    const plain = statements.length === 1 || statements.every(({ sql }) => isRead(sql))
    return plain ? run() : connection.atomically(run)
  } catch (error) {
    const { message } = error as Error
    throw new Error(`D1_ERROR: ${message}: SQLITE_CONSTRAINT`, { cause: error })
  }
}

function isRead(sql: string): boolean {
  return sql.startsWith('select')
}
