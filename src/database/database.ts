import type { BatchItem } from 'drizzle-orm/batch'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

/**
 * The host's Drizzle handle on D1, with any schema.
 */
// oxlint-disable-next-line typescript/no-explicit-any
export type Database = DrizzleD1Database<any>

/**
 * A Drizzle query that was built and not run. It is a thenable: awaiting it runs it alone, so pass it
 * inside arrays and objects only.
 */
export type Statement = BatchItem<'sqlite'>

/** The context of a function that reads or writes. */
export interface DatabaseContext {
  readonly db: Database
}

/** D1 did not answer, or its error is not about one of the statements. */
export class StoreUnavailable extends Error {
  override readonly name: string = 'StoreUnavailable'

  constructor(cause: unknown) {
    super('The database did not answer.', { cause })
  }
}

/** A constraint or trigger of the host refused a batch, and the batch was rolled back. */
export class HostConflict extends Error {
  override readonly name = 'HostConflict'
  /** The name of the constraint as SQLite gives it, or the message of the trigger. */
  readonly constraint: string

  constructor(constraint: string, cause: unknown) {
    super(constraint, { cause })
    this.constraint = constraint
  }
}
/** D1 refused to run a statement; repeating it does not help. */
export class StatementFailed extends StoreUnavailable {
  override readonly name: string = 'StatementFailed'
}

/**
 * The tables are not those of this version of the code. The message names what is missing and the command
 * that repairs it. The batch was rolled back.
 */
export class SchemaMismatch extends StoreUnavailable {
  override readonly name: string = 'SchemaMismatch'

  constructor(message: string) {
    super(undefined)
    this.message = message
  }
}

/** Returns the part of an error for the host's log: D1's message, or what is wrong with the tables. */
export function reasonOf(error: unknown): unknown {
  if (error instanceof SchemaMismatch || !(error instanceof StoreUnavailable)) return error
  return error.cause
}
