import type { Database } from '../../database/database.ts'

/**
 * Something to be done outside the database once a change is committed. It is written in the change's
 * own batch and stays until it is done.
 */
export interface Job {
  /** Which handler does it from its row. */
  readonly kind: string
  readonly organizationId: string
  /** Plain JSON. */
  readonly payload: object
  /**
   * Does it, or returns until when it has to wait. Called right after the commit, with the handle that
   * counts the statements of the invocation.
   */
  run(db: Database): Promise<Date | null>
}

/** Does the jobs of each kind from their rows: those that failed before, and those that a crash left behind. */
export type JobHandlers = Readonly<Record<string, (payload: unknown) => Promise<Date | null>>>
