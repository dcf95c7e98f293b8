/**
 * The history of deliveries, in as few rows as possible.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { sinkAttempts, type PassedOver } from '../../database/schema.ts'
import { isLeased, type Lease } from './lease.ts'

/**
 * The outcome of the events from `first` to `last`, without those in `passed`, which the sink does not
 * take. All outcomes but `retry` and `paused` are final.
 */
export interface Attempt {
  readonly first: number
  readonly last: number
  readonly outcome: (typeof sinkAttempts.$inferSelect)['outcome']
  readonly reason: string | null
  /** The number of the attempt for its first event; 0 if no request was sent. */
  readonly attempt: number
  readonly passed: readonly PassedOver[]
  /** Milliseconds since 1970. */
  readonly at: number
  readonly milliseconds: number
}

/** Creates an attempt that sends no event. */
export function unsent(
  outcome: 'passed' | 'skipped',
  range: Pick<Attempt, 'first' | 'last'>,
  at: Date,
  passed: readonly PassedOver[] = []
): Attempt {
  const reason = outcome === 'skipped' ? 'event_missing' : null
  return { ...range, outcome, reason, attempt: 0, passed, at: at.getTime(), milliseconds: 0 }
}

/** Adds an attempt to a history, or extends the last row if it continues it. */
export function remembered(history: readonly Attempt[], next: Attempt): readonly Attempt[] {
  const last = history.at(-1)
  if (last === undefined || !continues(last, next)) return [...history, next]
  const both: Attempt = {
    ...next,
    first: last.first,
    outcome: last.outcome === 'passed' ? next.outcome : last.outcome,
    attempt: Math.max(last.attempt, next.attempt),
    passed: next.passed.reduce(withPassed, last.passed),
    milliseconds: last.milliseconds + next.milliseconds,
  }
  return [...history.slice(0, -1), both]
}

/** Adds a range to a list of passed events; neighbours with the same reason become one entry. */
export function withPassed(list: readonly PassedOver[], next: PassedOver): readonly PassedOver[] {
  const last = list.at(-1)
  if (last?.because !== next.because || last.last + 1 !== next.first) return [...list, next]
  return [...list.slice(0, -1), { ...last, last: next.last }]
}

// Deliveries that succeed at the first attempt share a row.
function continues(last: Attempt, next: Attempt): boolean {
  return isPlain(last) && isPlain(next) && last.last + 1 === next.first
}

function isPlain({ outcome, attempt }: Attempt): boolean {
  return outcome === 'passed' || (outcome === 'delivered' && attempt === 1)
}

/** Builds the statements that write a history. Its rows never change. */
export function recordAttempts(db: Database, lease: Lease, history: readonly Attempt[]) {
  return db.insert(sinkAttempts).select(
    sql`select null, ${lease.organizationId}, ${lease.sinkId}, value ->> 'first', value ->> 'last',
        value ->> 'outcome', value ->> 'reason', value ->> 'attempt', value -> 'passed',
        value ->> 'at', value ->> 'milliseconds'
      from json_each(${JSON.stringify(history)}) where ${isLeased(lease)}`
  )
}
