import { sql, type SQL } from 'drizzle-orm'
import { storeError } from './check-schema.ts'
import { keptQuery } from './kept-query.ts'
import { parametersIn } from './quick-dialect.ts'
import type { Database, Statement } from './database.ts'
import { GUARD_CODES, type GuardCode } from './schema/changes-tables.ts'
import { guards } from './schema/changes-tables.ts'
import { OWN_UNIQUE } from './schema/own-table.ts'
export type { GuardCode } from './schema/changes-tables.ts'
export { OWN_UNIQUE } from './schema/own-table.ts'

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
  return guardSelecting(db, sql`select ${told} where not (${condition})`)
}

// The query of each guard: it selects a code if the guard is broken, and no row otherwise.
const queries = new WeakMap<Statement, SQL>()

const guarding = /* @__PURE__ */ keptQuery((db, query: SQL) => db.insert(guards).select(query))

/** Builds a guard from a query that selects a code to abort the batch with, or no row. */
export function guardSelecting(db: Database, query: SQL): Statement {
  const statement = guarding(db, query)
  queries.set(statement, query)
  return statement
}

// D1 binds at most a hundred parameters in a statement, and a function has at most 32 arguments.
const MOST_PARAMETERS = 90
const MOST_GUARDS = 30

/** A statement to run, and how many of the given ones it stands for. */
interface Run {
  readonly statement: Statement
  readonly count: number
}

/**
 * Makes one statement of the guards that follow each other: it aborts with the code of the first broken
 * one, as they would in turn. D1 charges time for each statement.
 */
function joinGuards(db: Database, statements: readonly Statement[]): readonly Run[] {
  const runs: Run[] = []
  let open: SQL[] = []
  let bound = 0
  const close = () => {
    const [only, ...others] = open
    if (only) {
      const query =
        others.length === 0
          ? only
          : sql`select code from (select coalesce(${sql.join(
              open.map((each) => sql`(${each})`),
              sql`, `
            )}) as code) where code is not null`
      runs.push({ statement: guarding(db, query), count: open.length })
    }
    open = []
    bound = 0
  }
  for (const statement of statements) {
    const query = queries.get(statement)
    if (query === undefined) {
      close()
      runs.push({ statement, count: 1 })
      continue
    }
    const parameters = parametersIn(query)
    if (bound + parameters > MOST_PARAMETERS || open.length === MOST_GUARDS) close()
    open.push(query)
    bound += parameters
  }
  close()
  return runs
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
  const runs = joinGuards(db, [first, ...rest])
  const [head = first, ...tail] = runs.map(({ statement }) => statement)
  try {
    const answers = await db.batch([head, ...tail])
    // Each of the given statements has its answer; that of a guard is of no interest.
    return {
      committed: true,
      answers: runs.flatMap(({ count }, index) =>
        count === 1 ? [answers[index]] : Array.from({ length: count }, () => answers[index])
      ),
    }
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

/** The message of every trigger of the library that protects the audit trail. */
const OWN_MESSAGE = 'audit_immutable'

/** The prefix of the library's tables. */
const OWN_TABLE = /^seatgate_/

/**
 * Returns the constraint that an error of D1 names, or the message of a trigger; null for any other
 * error. Matches the beginning and the end of a message only, because the text between them may be
 * anything.
 */
export function constraintIn(message: string): string | null {
  const broken =
    /^(?:D1_ERROR: )?([^]+?): SQLITE_(?:CONSTRAINT|MISMATCH)\w*(?: \(extended: \w+\))?$/.exec(
      message
    ) ??
    /^(?:D1_ERROR: )?((?:UNIQUE|CHECK|NOT NULL|FOREIGN KEY) constraint failed[^]*|guard:[a-z_:\d]+)$/.exec(
      message
    )
  return broken?.[1] ?? null
}

/** Returns the owner of a constraint: `key` is a unique key of the library, which a racing write took. */
export function ownerOf(constraint: string): 'key' | 'library' | 'host' {
  const unique = /^UNIQUE constraint failed: (.+)$/.exec(constraint)?.[1]
  if (unique !== undefined) return OWN_UNIQUE.has(unique) ? 'key' : 'host'
  if (constraint === OWN_MESSAGE) return 'library'
  const table = /^(?:NOT NULL constraint failed: |cannot store .* column )(\w+)\./.exec(constraint)
  return OWN_TABLE.test(table?.[1] ?? '') ? 'library' : 'host'
}
