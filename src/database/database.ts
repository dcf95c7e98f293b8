import type { BatchItem } from 'drizzle-orm/batch'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

/**
 * The host's own Drizzle handle on D1. Its schema type is of no interest here, and any stands for
 * "whichever the host declared".
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Database = DrizzleD1Database<any>

/**
 * A Drizzle query that was built and not yet run. It is a thenable: awaiting it runs it alone, so
 * it travels inside arrays and objects only.
 */
export type Statement = BatchItem<'sqlite'>

/** What a function needs that reads or writes. */
export interface DatabaseContext {
  readonly db: Database
}

/** D1 did not answer, or answered with something other than a verdict on the statements. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable'

  constructor(cause: unknown) {
    super('The database did not answer.', { cause })
  }
}

/** A constraint or a trigger of the host's own refused a batch, and nothing of it was written. */
export class HostConflict extends Error {
  override readonly name = 'HostConflict'
  /** What broke, as SQLite names it, or what the trigger raised. */
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(constraint, { cause })
    this.constraint = constraint
  }
}
/** D1 answered that it does not run a statement: asking again does not help. */
export class StatementFailed extends StoreUnavailable {
  override readonly name: string = 'StatementFailed'
}

/**
 * The tables are not those of this version of the code. The message says what is missing and which
 * command mends it. Nothing was written.
 */
export class SchemaMismatch extends StoreUnavailable {
  override readonly name: string = 'SchemaMismatch'

  constructor(message: string) {
    super(undefined)
    this.message = message
  }
}

/** What a host's log is to have of an error: what D1 said, or what is wrong with the tables. */
export function reasonOf(error: unknown): unknown {
  if (error instanceof SchemaMismatch || !(error instanceof StoreUnavailable)) return error
  return error.cause
}
