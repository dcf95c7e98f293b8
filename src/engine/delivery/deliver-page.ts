/**
 * Delivers events in order.
 *
 * @module
 */
import { attempt, type Tried } from './attempt.ts'
import { backoffSeconds, patienceSeconds } from '../../base/backoff.ts'
import type { Progress } from './cursor.ts'
import type { AuditEvent } from '../audit/event.ts'
import { eventView, type ReadEventRow } from '../audit/event.ts'
import type { Runtime } from '../../base/runtime.ts'
import { remembered, unsent, type Attempt } from './attempt-history.ts'
import type { DeadLetter, Redelivery } from './dead-letters.ts'
import type { Sink } from './sink.ts'
import { givenUp, nextStep, refusedBatch, taken, type Step } from './delivery-step.ts'

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
  seatgate: Pick<Runtime, 'now' | 'random' | 'report' | 'measure'>,
  sink: Sink,
  mayStart: () => boolean,
  from: number,
  rows: readonly ReadEventRow[],
  failing: Failing
): Promise<Run> {
  const { now, random } = seatgate
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
    const { delivery, at: time, milliseconds } = await take(seatgate, sink, step, attempts + 1)
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
  seatgate: Pick<Runtime, 'now' | 'report' | 'measure'>,
  sink: Sink,
  mayStart: () => boolean,
  rows: readonly ReadEventRow[]
): Promise<Redelivered> {
  const letters: Redelivery[] = []
  let history: readonly Attempt[] = []
  for (const row of rows) {
    if (!mayStart()) break
    const { sequence } = row
    const { delivery, at, milliseconds } = await attempt(seatgate, sink, [eventView(row)], 1)
    const reason = delivery.outcome === 'delivered' ? null : delivery.reason
    letters.push({ sequence, reason })
    const outcome = reason === null ? 'delivered' : 'dead'
    const told = { outcome, reason, attempt: 1, passed: [], milliseconds } as const
    history = remembered(history, { ...told, first: sequence, last: sequence, at: at.getTime() })
  }
  return { letters, history }
}

async function take(
  seatgate: Pick<Runtime, 'now' | 'report' | 'measure'>,
  sink: Sink,
  step: Step,
  number: number
): Promise<Tried> {
  const { now, report } = seatgate
  if (step.error !== undefined) {
    const [{ organizationId } = { organizationId: '' }] = step.batch
    report({ event: 'delivery_failed', organizationId, error: step.error })
    return { delivery: { outcome: 'retry', reason: 'error' }, at: now(), milliseconds: 0 }
  }
  if (step.batch.length > 0) return attempt(seatgate, sink, step.batch, number)
  return { delivery: { outcome: 'delivered' }, at: now(), milliseconds: 0 }
}

function letterOf({ sequence, id, action }: AuditEvent, reason: string, attempts: number) {
  return { sequence, eventId: id, action, reason, attempts }
}

function budgetSeconds({ retryHours = DEFAULT_RETRY_HOURS }: Sink): number {
  return retryHours * 3600
}
