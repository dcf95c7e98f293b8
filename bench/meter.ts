import type { LedgerCalls, LedgerNamespace } from '../src/index.ts'

/** One request to a store: which, and what it was asked (SQL, or the method's name). */
export interface Trip {
  readonly store: 'd1' | 'ledger' | 'queue'
  readonly asked: readonly string[]
  /** The parameters of each statement. */
  readonly bound?: readonly (readonly unknown[])[]
}

/** Stands around every trip: it may count it, delay it, fail it, or hold it back. */
export type Around = <T>(trip: Trip, run: () => Promise<T>) => Promise<T>

/** A D1 binding whose every trip goes through `around`; a batch is one. */
export function aroundDatabase(database: D1Database, around: Around): D1Database {
  const wrapped = new WeakMap<
    object,
    { real: D1PreparedStatement; sql: string; values: readonly unknown[] }
  >()
  const wrap = (
    real: D1PreparedStatement,
    sql: string,
    values: readonly unknown[] = []
  ): D1PreparedStatement => {
    const trip: Trip = { store: 'd1', asked: [sql], bound: [values] }
    const statement = {
      bind: (...bound: unknown[]) => wrap(real.bind(...bound), sql, bound),
      all: () => around(trip, () => real.all()),
      run: () => around(trip, () => real.run()),
      first: (...column: [string]) => around(trip, () => real.first(...column)),
      raw: (...options: [{ columnNames?: false }]) => around(trip, () => real.raw(...options)),
    } as unknown as D1PreparedStatement
    wrapped.set(statement, { real, sql, values })
    return statement
  }
  return {
    prepare: (sql: string) => wrap(database.prepare(sql), sql),
    batch(statements: D1PreparedStatement[]) {
      const known = statements.map((statement) => wrapped.get(statement)!)
      const asked = known.map(({ sql }) => sql)
      const bound = known.map(({ values }) => values)
      return around({ store: 'd1', asked, bound }, () =>
        database.batch(known.map(({ real }) => real))
      )
    },
  } as unknown as D1Database
}

/** A namespace of ledgers whose every call goes through `around`. */
export function aroundLedgers(namespace: LedgerNamespace, around: Around): LedgerNamespace {
  return {
    getByName(organizationId) {
      const through =
        <M extends keyof LedgerCalls>(method: M) =>
        (...asked: never[]) =>
          around({ store: 'ledger', asked: [method] }, () => {
            // A call on the stub itself: a method taken off it would lose its receiver.
            const ledger = namespace.getByName(organizationId) as Record<M, CallableFunction>
            return ledger[method](...asked)
          })
      return {
        reserve: through('reserve'),
        reserveEach: through('reserveEach'),
        confirm: through('confirm'),
        release: through('release'),
        setLimit: through('setLimit'),
        usage: through('usage'),
        close: through('close'),
        inspect: through('inspect'),
        seal: through('seal'),
      } as LedgerCalls
    },
  }
}

/** What something cost, work after the answer included, except where it says otherwise. */
export interface Cost {
  /** Trips that had to wait for one another until the answer was there. */
  readonly inSequence: number
  readonly d1Trips: number
  readonly ledgerCalls: number
  readonly rowsRead: number
  readonly rowsWritten: number
}

/** Measures by the order of starts and ends, not by a clock: the same run costs the same. */
export interface Meter {
  readonly around: Around
  /** `settled` waits for what was left to be done after the answer. */
  measure<T>(act: () => Promise<T>, settled: () => Promise<void>): Promise<[answer: T, cost: Cost]>
}

/** A trip from its start to its end, by the order of events. */
export interface Span extends Trip {
  readonly start: number
  end: number
}

interface Counted extends Span {
  rowsRead: number
  rowsWritten: number
}

export function createMeter(): Meter {
  let tick = 0
  let spans: Counted[] = []
  return {
    async around(trip, run) {
      const span: Counted = { ...trip, start: ++tick, end: Infinity, rowsRead: 0, rowsWritten: 0 }
      spans.push(span)
      try {
        const answer = await run()
        for (const { rows_read, rows_written } of metas(answer)) {
          span.rowsRead += rows_read
          span.rowsWritten += rows_written
        }
        return answer
      } finally {
        span.end = ++tick
      }
    },
    async measure(act, settled) {
      spans = []
      const answer = await act()
      const answered = ++tick
      await settled()
      const sum = (of: (span: Counted) => number) =>
        spans.reduce((total, span) => total + of(span), 0)
      return [
        answer,
        {
          inSequence: longestChain(spans.filter((span) => span.end < answered)),
          d1Trips: spans.filter(({ store }) => store === 'd1').length,
          ledgerCalls: spans.filter(({ store }) => store === 'ledger').length,
          rowsRead: sum((span) => span.rowsRead),
          rowsWritten: sum((span) => span.rowsWritten),
        },
      ]
    },
  }
}

function metas(answer: unknown): D1Meta[] {
  const results = (Array.isArray(answer) ? answer : [answer]) as ({ meta?: D1Meta } | null)[]
  return results.flatMap((result) => (result?.meta ? [result.meta] : []))
}

/** The most trips of which each began after the one before had ended. */
// Taking whichever ends first never shortens a chain of trips that do not overlap.
export function longestChain(spans: readonly Span[]): number {
  let length = 0
  let end = 0
  for (const span of spans.toSorted((a, b) => a.end - b.end)) {
    if (span.start < end) continue
    length += 1
    end = span.end
  }
  return length
}
