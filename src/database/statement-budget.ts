/**
 * Counts the statements that one invocation of a Worker sends to D1, which allows a thousand. Work
 * without an end of its own (the sweep, the queue, the work after a change) stops when the budget is
 * spent, and the next invocation continues it.
 *
 * @module
 */
import { sendingBy, withHandle, type Database, type DatabaseContext } from './database.ts'

// Leaves a hundred to the host and to plans that are made again.
const STATEMENTS = 900

/** The statements for the work after a change; the change itself runs in the same invocation. */
export const STATEMENTS_AFTER_A_CHANGE = 700

/** The statements that the parts of one invocation share. */
export interface StatementBudget {
  /** Returns how many statements were sent to D1. */
  asked(): number
  /** Returns how many are left, without those that are set aside. */
  left(): number
  /** Adds statements to the budget. */
  allow(statements: number): void
  /**
   * Returns for how many rows there are statements, `most` at most, if each row takes `each` and all of
   * them `together`.
   */
  rows(most: number, each: number, together: number): number
  /** Records that work was left for the next invocation. */
  leave(): void
  /** Returns whether work was left since the last call. */
  hasLeft(): boolean
  /** Sets statements aside while `act` runs, even if fewer are left. */
  spending<T>(most: number, act: () => Promise<T>): Promise<T>
  /**
   * Sets aside the statements that `act` needs at most, and runs it. Returns false without running it if
   * fewer are left.
   */
  spend(most: number, act: () => Promise<unknown>): Promise<boolean>
}

/** A configuration whose batches are counted. */
export type Budgeted<S> = S & { readonly budget: StatementBudget }

const BUDGET = Symbol('budget')
// Every function that gets the counting handle, or one made from it, keeps to its budget.
type Counting = Database & { [BUDGET]?: StatementBudget }

/** Returns the configuration with a budget: its own, or a new one of so many statements. */
export function budgeted<S extends DatabaseContext>(
  context: S,
  statements = STATEMENTS
): Budgeted<S> {
  const current = (context.db as Counting)[BUDGET]
  if (current) return { ...context, budget: current }
  let allowed = statements
  let asked = 0
  let setAside = 0
  let leaves = false
  const budget: StatementBudget = {
    asked: () => asked,
    left: () => allowed - asked - setAside,
    allow(more) {
      allowed += more
    },
    rows(most, each, together) {
      return Math.max(0, Math.min(most, Math.floor((budget.left() - together) / each)))
    },
    leave() {
      leaves = true
    },
    hasLeft() {
      const answer = leaves
      leaves = false
      return answer
    },
    async spending(most, act) {
      setAside += most
      try {
        return await act()
      } finally {
        setAside -= most
      }
    },
    async spend(most, act) {
      if (budget.left() < most) {
        budget.leave()
        return false
      }
      await budget.spending(most, act)
      return true
    },
  }
  const db: Counting = sendingBy(context.db, (statements, pass) => {
    asked += statements.length
    return pass()
  })
  db[BUDGET] = budget
  return { ...withHandle(context, db), budget }
}
