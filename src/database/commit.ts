import { sql, type SQL } from 'drizzle-orm'
import { storeError } from './check-schema.ts'
import { constraintIn, ownerOf } from './constraints.ts'
import type { Database, Statement } from './database.ts'
import { GUARD_CODES, type GuardCode } from './guard-codes.ts'
import { guards } from './schema.ts'

export type { GuardCode } from './guard-codes.ts'

/**
 * The reason why a batch was rolled back. `stale`: the rows that the plan was made from have changed, so
 * plan again. `host_conflict`: a constraint or trigger of the host refused it. `broken`: a constraint of
 * the library that no plan violates. Otherwise the code of a guard, with the numbers of its decision.
 */
export interface Aborted {
  readonly committed: false
  readonly code: GuardCode | 'host_conflict' | 'broken'
  readonly numbers: readonly number[]
  /** The error that D1 returned. */
  readonly error: unknown
  /** The name of the constraint as SQLite gives it, or the message of a trigger. */
  readonly constraint: string | null
}

/** The outcome of a batch: committed, with the answer to each statement, or rolled back as a whole. */
export type Commit = { readonly committed: true; readonly answers: readonly unknown[] } | Aborted

/**
 * Builds a statement that aborts its batch with `code`, and with a whole number if one is given, unless
 * `condition` holds when the batch runs. D1 has one writer, so a guard sees the same state as the
 * statements beside it.
 */
export function guard(
  db: Database,
  code: GuardCode,
  condition: SQL,
  number: SQL | null = null
): Statement {
  const told = number === null ? sql`${code}` : sql`${code} || ':' || ${number}`
  return db.insert(guards).select(sql`select ${told} where not (${condition})`)
}

/**
 * Runs the statements of a plan as one D1 batch. A broken guard or constraint rolls back all of them and
 * is returned; any other error leaves the outcome unknown.
 *
 * @throws {SchemaMismatch} if the tables are not those of this version of the code.
 * @throws {StoreUnavailable} if D1 does not answer: the batch may or may not have been committed.
 */
export async function commit(db: Database, statements: readonly Statement[]): Promise<Commit> {
  const [first, ...rest] = statements
  if (first === undefined) return { committed: true, answers: [] }
  try {
    return { committed: true, answers: await db.batch([first, ...rest]) }
  } catch (error) {
    const aborted = verdict(error)
    if (aborted === null) throw await storeError(db, error)
    return aborted
  }
}

// D1 reports errors as text, and each layer may wrap it again.
function verdict(error: unknown): Aborted | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const constraint = constraintIn(at.message)
    if (constraint !== null) return { committed: false, error, constraint, ...reasonOf(constraint) }
  }
  return null
}

// The message of the trigger or, in tables that were created without triggers, the name of a CHECK.
const GUARD = /^(?:CHECK constraint failed: )?guard:([a-z_]+(?::\d+)*)$/

function reasonOf(constraint: string): Pick<Aborted, 'code' | 'numbers'> {
  const [word = '', ...rest] = GUARD.exec(constraint)?.[1]?.split(':') ?? []
  const code = GUARD_CODES.find((known) => known === word)
  if (code) return { code, numbers: rest.map(Number) }
  // Another write took a unique key of the library first: the next plan reads its row.
  const reasons = { key: 'stale', library: 'broken', host: 'host_conflict' } as const
  return { code: reasons[ownerOf(constraint)], numbers: [] }
}
