import { sql, type SQL } from 'drizzle-orm'
import { StoreUnavailable, type Database, type Statement } from './database.ts'
import { guards } from './schema.ts'

/**
 * Why a batch was rolled back. `stale`: what the plan was made from has changed, plan anew. `broken`:
 * a statement will never do, and it is not one of the library's. Otherwise the code of a guard, with
 * the numbers it was decided on.
 */
export interface Aborted {
  readonly committed: false
  readonly code: string
  readonly numbers: readonly number[]
  /** What D1 said. */
  readonly error: unknown
  /** What is known of the constraint that broke, if that is what happened. */
  readonly constraint: string | null
}

/** What became of a batch: all of it, with what each statement answered, or nothing of it. */
export type Commit = { readonly committed: true; readonly answers: readonly unknown[] } | Aborted

/**
 * A statement that aborts its batch with `code` unless `condition` holds at that moment. D1 has one
 * writer, so what a guard sees is what the statements beside it act on.
 */
export function guard(db: Database, code: GuardCode, condition: SQL): Statement {
  return db.insert(guards).select(sql`select ${code} where not (${condition})`)
}

/**
 * The codes a guard may abort with; `stale` asks for a new plan, `ledger_superseded` for a new plan and
 * a ledger that is in force, the others are final.
 */
export type GuardCode =
  | 'stale'
  | 'ledger_superseded'
  | 'last_owner'
  | 'session_gone'
  | 'organization_not_found'
  | 'insufficient_role'
  | 'already_member'
  | 'slug_taken'
  | 'rate_limited_user'
  | 'rate_limited_organization'
  | 'rate_limited_recipient'
  | 'user_unknown'
  | 'idempotency_mismatch'
  | 'operation_in_progress'

/**
 * Runs the statements of a plan as one D1 batch, all or nothing. A broken guard or constraint rolls
 * back everything and is an answer; anything else leaves the outcome unknown.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the batch may or may not have been committed.
 */
export async function commit(db: Database, statements: readonly Statement[]): Promise<Commit> {
  const [first, ...rest] = statements
  if (first === undefined) return { committed: true, answers: [] }
  try {
    return { committed: true, answers: await db.batch([first, ...rest]) }
  } catch (error) {
    const aborted = verdict(error)
    if (aborted === null) throw new StoreUnavailable(error)
    return aborted
  }
}

// D1 reports errors as text, wrapped by Drizzle once or not at all. A unique constraint that breaks
// means that somebody else was first: the new plan will see what they wrote.
function verdict(error: unknown): Aborted | null {
  for (let at = error; at instanceof Error; at = at.cause) {
    const broken = /\bguard:([a-z_]+)((?::\d+)*)/.exec(at.message)
    if (broken) {
      const numbers = (broken[2] ?? '').split(':').slice(1).map(Number)
      return { committed: false, code: broken[1] ?? 'stale', numbers, error, constraint: null }
    }
    const unique = /\bUNIQUE constraint failed: ([\w., ]+)/.exec(at.message)
    if (unique) {
      return { committed: false, code: 'stale', numbers: [], error, constraint: unique[1] ?? '' }
    }
    // No plan of the library breaks these: they are the host's, and will break again.
    const other = /\b(?:CHECK|NOT NULL|FOREIGN KEY) constraint failed[^\n]*/.exec(at.message)
    if (other) {
      return { committed: false, code: 'broken', numbers: [], error, constraint: other[0] }
    }
  }
  return null
}
