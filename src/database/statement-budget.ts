/**
 * How many statements one invocation of a Worker asks of D1, which answers a thousand. Work without an
 * end of its own (the sweep, the queue, what follows on a change) goes on while there are some left, and
 * the next invocation goes on where it stopped.
 *
 * @module
 */
import type { Database, DatabaseContext, Statement } from './database.ts'

// A hundred is left to the host, and to plans that are made once more.
const STATEMENTS = 900

/** The statements of what follows on a change: the change itself is in the same invocation. */
export const STATEMENTS_AFTER_A_CHANGE = 700

/** The statements that the parts of one invocation share. */
export interface StatementBudget {
  /** The configuration without the budget. */
  readonly of: object
  /** How many statements D1 was asked. */
  asked(): number
  /** How many are left, but for those that are set aside. */
  left(): number
  /** Gives so many more. */
  allow(statements: number): void
  /**
   * For how many rows there are statements, `most` at most: so many for each, and some for all of them
   * together.
   */
  rows(most: number, each: number, together: number): number
  /** Says that something was left for the next invocation. */
  leave(): void
  /** Whether something was left since this was asked last. */
  hasLeft(): boolean
  /** Sets statements aside while `act` runs, whether there are so many or not. */
  spending<T>(most: number, act: () => Promise<T>): Promise<T>
  /**
   * Sets the statements aside that `act` asks at most, and runs it. Answers false, and runs nothing, if
   * fewer are left.
   */
  spend(most: number, act: () => Promise<unknown>): Promise<boolean>
}

/** A configuration whose every batch counts. */
export type Budgeted<S> = S & { readonly budget: StatementBudget }

// By the handle that counts: whoever is given one keeps to its budget.
const budgets = new WeakMap<Database, StatementBudget>()

/** The budget that a configuration has to keep to, if there is one. */
export function budgetOf({ db }: DatabaseContext): StatementBudget | undefined {
  return budgets.get(db)
}

/** The same configuration with a budget: its own if it has one, else a new one of so many statements. */
export function budgeted<S extends DatabaseContext>(
  seatgate: S,
  statements = STATEMENTS
): Budgeted<S> {
  const present = budgetOf(seatgate)
  if (present) return { ...seatgate, budget: present }
  let allowed = statements
  let asked = 0
  let setAside = 0
  let leaves = false
  const budget: StatementBudget = {
    of: seatgate,
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
  const db = counted(seatgate.db, (count) => (asked += count))
  budgets.set(db, budget)
  const { seatContext } = seatgate as { readonly seatContext?: object }
  return { ...seatgate, db, ...(seatContext && { seatContext: { ...seatContext, db } }), budget }
}

// It is the same handle otherwise, the client included by which a database is known.
function counted(db: Database, count: (statements: number) => void): Database {
  return Object.create(db, {
    batch: {
      value(statements: readonly [Statement, ...Statement[]]) {
        count(statements.length)
        return db.batch(statements)
      },
    },
  }) as Database
}
