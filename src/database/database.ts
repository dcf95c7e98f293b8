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

/** D1 did not answer, or answered with something other than a verdict on the statements. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable'

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
