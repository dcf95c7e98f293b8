import type { Database } from '../../database/database.ts'

/**
 * Work outside the database after a commit. It is written in the change's own batch and stays until it is
 * done.
 */
export interface Job {
  /** The kind, which selects the handler of the row. */
  readonly kind: string
  readonly organizationId: string
  /** Plain JSON. */
  readonly payload: object
  /**
   * Runs the job, or returns until when it has to wait. Called right after the commit, with the handle
   * that counts the statements of the invocation.
   */
  readonly run: (db: Database) => Promise<Date | null>
}

/** The handlers of each kind, which run jobs from their rows after a failure or a crash. */
export type JobHandlers = Readonly<Record<string, (payload: unknown) => Promise<Date | null>>>
