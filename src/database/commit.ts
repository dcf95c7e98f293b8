import { sql, type SQL } from 'drizzle-orm'
import { storeError } from './check-schema.ts'
import { constraintIn, ownerOf } from './constraints.ts'
import type { Database, Statement } from './database.ts'
import { GUARD_CODES, type GuardCode } from './guard-codes.ts'
import { guards } from './schema.ts'

export type { GuardCode } from './guard-codes.ts'

/**
 * Why a batch was rolled back. `stale`: what the plan was made from has changed, plan anew.
 * `host_conflict`: a constraint or a trigger of the host's own refused it. `broken`: a constraint of the
 * library's own that no plan breaks. Otherwise the code of a guard, with the numbers it was decided on.
 */
export interface Aborted {
  readonly committed: false
  readonly code: GuardCode | 'host_conflict' | 'broken'
  readonly numbers: readonly number[]
  /** What D1 said. */
  readonly error: unknown
  /** The constraint, or what a trigger raised, as SQLite names it. */
  readonly constraint: string | null
}

/** What became of a batch: all of it, with what each statement answered, or nothing of it. */
export type Commit = { readonly committed: true; readonly answers: readonly unknown[] } | Aborted

/**
 * A statement that aborts its batch with `code`, and a whole number if there is one to carry, unless
 * `condition` holds at that moment. D1 has one
 * writer, so what a guard sees is what the statements beside it act on.
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
 * Runs the statements of a plan as one D1 batch, all or nothing. A broken guard or constraint rolls
 * back everything and is an answer; anything else leaves the outcome unknown.
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

// D1 reports errors as text, and each layer may wrap it once more.
function verdict(error: unknown): Aborted | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const constraint = constraintIn(at.message)
    if (constraint !== null) return { committed: false, error, constraint, ...reasonOf(constraint) }
  }
  return null
}

// A trigger says so, and where the tables were made without triggers, a CHECK of that name.
const GUARD = /^(?:CHECK constraint failed: )?guard:([a-z_]+(?::\d+)*)$/

function reasonOf(constraint: string): Pick<Aborted, 'code' | 'numbers'> {
  const [word = '', ...rest] = GUARD.exec(constraint)?.[1]?.split(':') ?? []
  const code = GUARD_CODES.find((known) => known === word)
  if (code) return { code, numbers: rest.map(Number) }
  // Of a key of the library's own another write was first: the new plan reads what it wrote.
  const reasons = { key: 'stale', library: 'broken', host: 'host_conflict' } as const
  return { code: reasons[ownerOf(constraint)], numbers: [] }
}
