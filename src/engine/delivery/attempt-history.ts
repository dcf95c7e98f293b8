/**
 * What was tried, in as few rows as tell it.
 *
 * @module
 */
import { sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { sinkAttempts, type PassedOver } from '../../database/schema.ts'
import { isLeased, type Lease } from './lease.ts'

/**
 * What became of the events from `first` to `last`, but for those in `passed`, which the sink does not
 * take. All but `retry` and `paused` is final.
 */
export interface Attempt {
  readonly first: number
  readonly last: number
  readonly outcome: (typeof sinkAttempts.$inferSelect)['outcome']
  readonly reason: string | null
  /** Which one it was for its first event; 0 where nothing was sent. */
  readonly attempt: number
  readonly passed: readonly PassedOver[]
  /** Milliseconds since 1970. */
  readonly at: number
  readonly milliseconds: number
}

/** An attempt where nothing is sent. */
export function unsent(
  outcome: 'passed' | 'skipped',
  range: Pick<Attempt, 'first' | 'last'>,
  at: Date,
  passed: readonly PassedOver[] = []
): Attempt {
  const reason = outcome === 'skipped' ? 'event_missing' : null
  return { ...range, outcome, reason, attempt: 0, passed, at: at.getTime(), milliseconds: 0 }
}

/** The history and one attempt more, which lengthens the last row if it only says the same. */
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

/** The list and what else is passed over; neighbours of one reason are one entry. */
export function withPassed(list: readonly PassedOver[], next: PassedOver): readonly PassedOver[] {
  const last = list.at(-1)
  if (last?.because !== next.because || last.last + 1 !== next.first) return [...list, next]
  return [...list.slice(0, -1), { ...last, last: next.last }]
}

// What went through at once is worth no row of its own.
function continues(last: Attempt, next: Attempt): boolean {
  return isPlain(last) && isPlain(next) && last.last + 1 === next.first
}

function isPlain({ outcome, attempt }: Attempt): boolean {
  return outcome === 'passed' || (outcome === 'delivered' && attempt === 1)
}

/** Writes a history, whose rows nobody changes any more. */
export function recordAttempts(db: Database, lease: Lease, history: readonly Attempt[]) {
  return db.insert(sinkAttempts).select(
    sql`select null, ${lease.organizationId}, ${lease.sinkId}, value ->> 'first', value ->> 'last',
        value ->> 'outcome', value ->> 'reason', value ->> 'attempt', value -> 'passed',
        value ->> 'at', value ->> 'milliseconds'
      from json_each(${JSON.stringify(history)}) where ${isLeased(lease)}`
  )
}
