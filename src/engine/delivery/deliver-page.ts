/**
 * Delivers events in order.
 *
 * @module
 */
import {
  attempt,
  remembered,
  unsent,
  withPassed,
  type Attempt,
  type DeliveryContext,
  type Tried,
} from './attempt.ts'
import { backoffSeconds, patienceSeconds } from '../../base/async.ts'
import type { Progress } from './cursor.ts'
import type { AuditEvent } from '../audit/event.ts'
import { eventView, type ReadEventRow } from '../audit/event-view.ts'
import type { Runtime } from '../../base/runtime.ts'
import type { DeadLetter, Redelivery } from './dead-letters.ts'
import { passedBecause, type Sink } from './sink.ts'
import type { PassedOver } from '../../database/schema/forwarding-tables.ts'

const DEFAULT_RETRY_HOURS = 75

/** The progress of a run, and what stopped it. */
export interface Run extends Progress {
  /** After how many seconds a stopped run should be continued. */
  readonly seconds: number | null
  readonly finished: boolean
}

/** How often the next event has failed, and since when. */
export interface Failing {
  readonly attempts: number
  readonly since: Date | null
}

/**
 * Delivers a page of events, one by one or in batches as the sink supports it, until the run must stop.
 */
export async function deliverPage(
  context: DeliveryContext & Pick<Runtime, 'random'>,
  sink: Sink,
  mayStart: () => boolean,
  from: number,
  rows: readonly ReadEventRow[],
  failing: Failing
): Promise<Run> {
  const { now, random } = context
  const letters: DeadLetter[] = []
  let history: readonly Attempt[] = []
  let sequence = from
  let { attempts, since } = failing
  const remember = (...more: readonly Attempt[]) => {
    if (sink.internal !== true) history = more.reduce(remembered, history)
  }
  const stopped = (retry: Progress['retry'], seconds: number | null): Run => {
    return { sequence, letters, history, retry, pausedReason: null, seconds, finished: false }
  }

  // A batch that is refused as a whole is tried one by one, so that one event does not condemn the
  // others.
  let together = sink.deliverMany !== undefined
  for (let at = 0; at < rows.length;) {
    if (!mayStart()) return stopped(null, null)
    const [next, ...others] = rows.slice(at)
    if (next === undefined) break
    if (next.sequence > sequence + 1) {
      remember(unsent('skipped', { first: sequence + 1, last: next.sequence - 1 }, now()))
      sequence = next.sequence - 1
    }
    const step = nextStep(sink, [next, ...others], together)
    const { delivery, at: time, milliseconds } = await take(context, sink, step, attempts + 1)
    const told = { attempt: attempts + 1, milliseconds }
    if (delivery.outcome === 'permanent' && step.batch.length > 1) {
      const { reason } = delivery
      remember(refusedBatch(step, { ...told, outcome: 'retry', reason }, time))
      together = false
      continue
    }
    if (delivery.outcome === 'pause') {
      const { reason } = delivery
      remember(refusedBatch(step, { ...told, outcome: 'paused', reason }, time))
      return { ...stopped(null, null), pausedReason: reason }
    }
    // After the clock was set back the first failure may lie in the future: count from now.
    const began = since !== null && since < time ? since : time
    const deadline = began.getTime() + budgetSeconds(sink) * 1000
    const left = (deadline - time.getTime()) / 1000
    if (delivery.outcome === 'retry' && left > 0) {
      const { reason } = delivery
      remember(refusedBatch(step, { ...told, outcome: 'retry', reason }, time))
      attempts += 1
      const wanted = Math.max(
        patienceSeconds(delivery.afterSeconds),
        backoffSeconds(attempts, random)
      )
      // The last attempt is made when the time is up, and not later.
      const seconds = Math.min(wanted, left)
      const again = new Date(time.getTime() + seconds * 1000)
      return stopped({ attempts, at: again, reason, since: began }, seconds)
    }
    if (delivery.outcome === 'delivered') remember(taken(step, told.attempt, time, milliseconds))
    else {
      const exhausted = delivery.outcome === 'retry'
      const reason = exhausted ? `exhausted: ${delivery.reason}` : delivery.reason
      remember(...givenUp(step, { ...told, reason }, time))
      letters.push(...step.batch.map((event) => letterOf(event, reason, attempts + 1)))
    }
    sequence = step.last
    at += step.length
    attempts = 0
    since = null
  }
  const done = { retry: null, pausedReason: null, seconds: null, finished: true }
  return { sequence, letters, history, ...done }
}

/** The outcome of requeued dead letters, and its history. */
export interface Redelivered {
  readonly letters: readonly Redelivery[]
  readonly history: readonly Attempt[]
}

/** Tries requeued dead letters again, each once, in order, until the run must stop. */
export async function redeliver(
  context: DeliveryContext,
  sink: Sink,
  mayStart: () => boolean,
  rows: readonly ReadEventRow[]
): Promise<Redelivered> {
  const letters: Redelivery[] = []
  let history: readonly Attempt[] = []
  for (const row of rows) {
    if (!mayStart()) break
    const { sequence } = row
    const { delivery, at, milliseconds } = await attempt(context, sink, [eventView(row)], 1)
    const reason = delivery.outcome === 'delivered' ? null : delivery.reason
    letters.push({ sequence, reason })
    const outcome = reason === null ? 'delivered' : 'dead'
    const told = { outcome, reason, attempt: 1, passed: [], milliseconds } as const
    history = remembered(history, { ...told, first: sequence, last: sequence, at: at.getTime() })
  }
  return { letters, history }
}

async function take(
  context: DeliveryContext,
  sink: Sink,
  step: Step,
  number: number
): Promise<Tried> {
  const { now, report } = context
  if (step.error !== undefined) {
    const [{ organizationId } = { organizationId: '' }] = step.batch
    report({ event: 'delivery_failed', organizationId, error: step.error })
    return { delivery: { outcome: 'retry', reason: 'error' }, at: now(), milliseconds: 0 }
  }
  if (step.batch.length > 0) return attempt(context, sink, step.batch, number)
  return { delivery: { outcome: 'delivered' }, at: now(), milliseconds: 0 }
}

function letterOf({ sequence, id, action }: AuditEvent, reason: string, attempts: number) {
  return { sequence, eventId: id, action, reason, attempts }
}

function budgetSeconds({ retryHours = DEFAULT_RETRY_HOURS }: Sink): number {
  return retryHours * 3600
}

/** A run of events in sequence: those that are sent, and those among them that the sink does not take. */
export interface Step {
  readonly batch: readonly AuditEvent[]
  readonly passed: readonly PassedOver[]
  readonly first: number
  readonly last: number
  /** How many events it settles. */
  readonly length: number
  /** The error that the sink's own filter threw. */
  readonly error?: unknown
}

/** Returns the next step: one event that the sink takes or (`together`) as many as there are. */
function nextStep(
  sink: Sink,
  rows: readonly [ReadEventRow, ...ReadEventRow[]],
  together: boolean
): Step {
  const [{ sequence: first }] = rows
  const batch: AuditEvent[] = []
  let passed: readonly PassedOver[] = []
  let length = 0
  for (const row of rows) {
    const event = eventView(row)
    const { sequence } = event
    if (sequence !== first + length) break
    let because: PassedOver['because'] | null
    try {
      because = passedBecause(sink, event)
    } catch (error) {
      if (length > 0) break
      return { batch: [event], passed, first, last: first, length: 1, error }
    }
    if (because === null && batch.length > 0 && !together) break
    if (because === null) batch.push(event)
    else passed = withPassed(passed, { first: sequence, last: sequence, because })
    length += 1
  }
  return { batch, passed, first, last: first + length - 1, length }
}

/** Returns the record of a step that was delivered, or of which no event was sent. */
function taken(step: Step, attempt: number, at: Date, milliseconds: number): Attempt {
  const { batch, passed, first, last } = step
  if (batch.length === 0) return unsent('passed', { first, last }, at, passed)
  const told = { outcome: 'delivered', reason: null, attempt, milliseconds } as const
  return { ...told, first, last, passed, at: at.getTime() }
}

/** Returns the record of a batch that was not delivered. */
function refusedBatch(
  { batch, passed, first, last }: Step,
  told: Pick<Attempt, 'outcome' | 'reason' | 'attempt' | 'milliseconds'>,
  at: Date
): Attempt {
  const from = batch[0]?.sequence ?? first
  const to = batch.at(-1)?.sequence ?? last
  const within = passed.filter((range) => range.first > from && range.last < to)
  return { ...told, first: from, last: to, passed: within, at: at.getTime() }
}

/** Returns the records of a step that is given up; passed events around it get their own rows. */
function givenUp(
  step: Step,
  told: Pick<Attempt, 'reason' | 'attempt' | 'milliseconds'>,
  at: Date
): readonly Attempt[] {
  const dead = refusedBatch(step, { ...told, outcome: 'dead' }, at)
  const around = (first: number, last: number) =>
    first > last
      ? []
      : [
          unsent(
            'passed',
            { first, last },
            at,
            step.passed.filter((range) => range.first >= first && range.last <= last)
          ),
        ]
  return [...around(step.first, dead.first - 1), dead, ...around(dead.last + 1, step.last)]
}
