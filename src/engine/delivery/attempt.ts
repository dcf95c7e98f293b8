import type { Metric, Runtime } from '../../base/runtime.ts'
import { LONGEST_WAIT_SECONDS, TimedOut, within } from '../../base/async.ts'
import type { AuditEvent } from '../audit/event.ts'
import { shortened } from '../../proof/encoding.ts'
import { redacted, type Delivery, type Sink } from './sink.ts'
import { and, eq, gt, isNull, lte, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import {
  sinkAttempts,
  sinkCursors,
  type PassedOver,
} from '../../database/schema/forwarding-tables.ts'

// How long a delivery may take.
const DELIVERY_SECONDS = 15

const LONGEST_REASON = 500

type Kind = Extract<Metric, { name: 'audit.attempt' }>['kind']

/** The context of a delivery. */
export type DeliveryContext = Pick<Runtime, 'now' | 'report' | 'measure' | 'trace'>

/** The answer of a sink, its time and its duration. */
export interface Tried {
  readonly delivery: Delivery
  readonly at: Date
  readonly milliseconds: number
}

/**
 * Attempts to deliver some events in one call. An answer of a sink that is not a valid delivery counts as
 * a reason to retry, never as a success.
 */
export async function attempt(
  context: DeliveryContext,
  sink: Sink,
  events: readonly AuditEvent[],
  number: number
): Promise<Tried> {
  const { measure, now, report, trace } = context
  const began = now().getTime()
  const measured = (delivery: Delivery, kind?: Kind): Tried => {
    const at = now()
    const milliseconds = Math.max(0, Math.round(at.getTime() - began))
    const outcome = delivery.outcome === 'delivered' ? 'ok' : 'error'
    for (const { action } of events) {
      const told = { sink: sink.id, action, attempt: number, outcome, milliseconds } as const
      measure({ name: 'audit.attempt', ...told, ...(kind && { kind }) })
    }
    return { delivery, at, milliseconds }
  }
  try {
    const shown = events.map((event) => redacted(event, sink.redact))
    const attributes = { 'seatgate.sink': sink.id, 'seatgate.events': events.length }
    const answer = await trace(
      'seatgate.delivery',
      { ...attributes, 'seatgate.attempt': number },
      () => within(DELIVERY_SECONDS, handOver(sink, shown))
    )
    switch (answer?.outcome) {
      case 'delivered':
        return measured({ outcome: 'delivered' })
      case 'retry':
        return measured({ ...answer, reason: text(answer.reason) }, 'refused')
      case 'permanent':
      case 'pause':
        return measured({ outcome: answer.outcome, reason: text(answer.reason) }, 'permanent')
      default:
        return measured({ outcome: 'retry', reason: 'invalid_answer' }, 'invalid_answer')
    }
  } catch (error) {
    const [{ organizationId } = { organizationId: '' }] = events
    report({ event: 'delivery_failed', organizationId, error })
    const kind = error instanceof TimedOut ? 'timeout' : 'error'
    return measured({ outcome: 'retry', reason: kind }, kind)
  }
}

function handOver(sink: Sink, events: readonly AuditEvent[]): Promise<Delivery> {
  const [first] = events
  if (sink.deliverMany) return sink.deliverMany(events)
  if (first === undefined) throw new Error('There are no events to deliver.')
  return sink.deliver(first)
}

// A sink may be plain JavaScript: a reason of any type is stored as text.
function text(reason: unknown): string {
  return typeof reason === 'string' ? shortened(reason, LONGEST_REASON) : 'unnamed'
}

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

/** One sink in one organization. */
export interface Route {
  readonly organizationId: string
  readonly sinkId: string
}

/** The right to deliver, until it ends. */
export interface Lease extends Route {
  readonly token: string
  readonly until: Date
}

// Five times the duration of a lease, because clocks may differ by some minutes. A lease that ends later
// was taken by a clock that ran ahead, or before the clock was set back.
const LONGEST_LEASE_MS = 5 * 60_000

/** Whether a lease is free: it has ended, or ends later than a valid lease can. */
export function isFree(now: Date): SQL<number> {
  const { leasedUntil } = sinkCursors
  const lastEnd = new Date(now.getTime() + LONGEST_LEASE_MS)
  return sql<number>`(${lte(leasedUntil, now)} or ${gt(leasedUntil, lastEnd)})`
}

/** Whether a cursor may be taken: its lease is free, its sink is due and not paused. */
export function isReady(now: Date): SQL {
  return sql`${isFree(now)} and ${isDue(now)} and ${isNull(sinkCursors.pausedReason)}`
}

/** Whether the next attempt is due. */
export function isDue(now: Date): SQL {
  const { nextAttemptAt } = sinkCursors
  // No wait is longer: a time further ahead was written before the clock was set back.
  const longest = new Date(now.getTime() + LONGEST_WAIT_SECONDS * 1000)
  return sql`(${lte(nextAttemptAt, now)} or ${gt(nextAttemptAt, longest)})`
}

/** Builds the condition on the row of the cursor. */
export function onRoute({ organizationId, sinkId }: Route) {
  return and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
}

/** Whether the lease is still held: only its holder may write the outcome of an event. */
export function isLeased({ organizationId, sinkId, token }: Lease) {
  return sql`exists (select 1 from seatgate_sink_cursors as held where held.organization_id = ${organizationId}
    and held.sink_id = ${sinkId} and held.lease_token = ${token})`
}
