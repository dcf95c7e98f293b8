/**
 * Delivers events in order, as far as it goes.
 *
 * @module
 */
import type { Seatgate } from '../seatgate.ts'
import { attempt, DELIVERY_SECONDS } from './attempt.ts'
import { backoffSeconds, LONGEST_SECONDS } from './backoff.ts'
import type { DeadLetter, Lease, Progress, Redelivery } from './cursor.ts'
import { eventView, type AuditEvent, type ReadEventRow } from './event.ts'
import { takes } from './outgoing.ts'
import type { Delivery, Sink } from './sink.ts'

const DEFAULT_RETRY_HOURS = 75

/** Where a run stands, and what stopped it if anything did. */
export interface Run extends Progress {
  /** In how many seconds it is worth coming back, of one that was stopped. */
  readonly seconds: number | null
  readonly finished: boolean
}

/** How often the next event has failed, and since when. */
export interface Failing {
  readonly attempts: number
  readonly since: Date | null
}

/** Delivers a page of events, one by one or many at a time as the sink has it. */
export async function deliverPage(
  seatgate: Seatgate,
  sink: Sink,
  lease: Lease,
  from: number,
  rows: readonly ReadEventRow[],
  failing: Failing
): Promise<Run> {
  const { now, random } = seatgate
  const letters: DeadLetter[] = []
  let sequence = from
  let { attempts, since } = failing
  const stopped = (retry: Progress['retry'], seconds: number | null): Run => {
    return { sequence, letters, retry, pausedReason: null, seconds, finished: false }
  }

  // A batch that is refused as a whole is tried one by one, so that one event condemns no other.
  let together = sink.deliverMany !== undefined
  for (let at = 0; at < rows.length;) {
    if (!mayStart(seatgate, lease)) return stopped(null, null)
    let batch: readonly AuditEvent[] = []
    let last = at
    let delivery: Delivery = { outcome: 'delivered' }
    try {
      ;({ batch, last } = nextBatch(sink, rows, at, together))
      if (batch.length > 0) delivery = await attempt(seatgate, sink, batch, attempts + 1)
    } catch (error) {
      seatgate.report({ event: 'delivery_failed', organizationId: lease.organizationId, error })
      delivery = { outcome: 'retry', reason: 'error' }
    }
    if (delivery.outcome === 'permanent' && batch.length > 1) {
      together = false
      continue
    }
    const time = now()
    if (delivery.outcome === 'pause') {
      const { reason } = delivery
      return { ...stopped(null, null), pausedReason: reason }
    }
    const deadline = (since ?? time).getTime() + budgetSeconds(sink) * 1000
    const left = (deadline - time.getTime()) / 1000
    if (delivery.outcome === 'retry' && left > 0) {
      attempts += 1
      const wanted = Math.max(patience(delivery.afterSeconds), backoffSeconds(attempts, random))
      // The last attempt comes when the time is up, and not later.
      const seconds = Math.min(wanted, left)
      const again = new Date(time.getTime() + seconds * 1000)
      const { reason } = delivery
      return stopped({ attempts, at: again, reason, since: since ?? time }, seconds)
    }
    if (delivery.outcome !== 'delivered') {
      const exhausted = delivery.outcome === 'retry'
      const reason = exhausted ? `exhausted: ${delivery.reason}` : delivery.reason
      letters.push(...batch.map((event) => letterOf(event, reason, attempts + 1)))
    }
    sequence = rows[last]?.sequence ?? sequence
    at = last + 1
    attempts = 0
    since = null
  }
  const done = { retry: null, pausedReason: null, seconds: null, finished: true }
  return { sequence, letters, ...done }
}

/** Tries dead letters again that somebody has put back, each once, in order. */
export async function redeliver(
  seatgate: Seatgate,
  sink: Sink,
  lease: Lease,
  rows: readonly ReadEventRow[]
): Promise<readonly Redelivery[]> {
  const done: Redelivery[] = []
  for (const row of rows) {
    if (!mayStart(seatgate, lease)) break
    const delivery = await attempt(seatgate, sink, [eventView(row)], 1)
    const reason = delivery.outcome === 'delivered' ? null : delivery.reason
    done.push({ sequence: row.sequence, reason })
  }
  return done
}

// A lease must outlive the delivery that is under way: none starts in its last part.
function mayStart({ now }: Seatgate, lease: Lease): boolean {
  return lease.until.getTime() - now().getTime() >= DELIVERY_SECONDS * 1000
}

function nextBatch(sink: Sink, rows: readonly ReadEventRow[], from: number, together: boolean) {
  const batch: AuditEvent[] = []
  let last = from
  for (let at = from; at < rows.length; at++) {
    const row = rows[at]
    if (row === undefined) break
    const event = eventView(row)
    const taken = takes(sink, event)
    if (taken && batch.length > 0 && !together) break
    if (taken) batch.push(event)
    last = at
  }
  return { batch, last }
}

function letterOf({ sequence, id, action }: AuditEvent, reason: string, attempts: number) {
  return { sequence, eventId: id, action, reason, attempts }
}

function budgetSeconds({ retryHours = DEFAULT_RETRY_HOURS }: Sink): number {
  return retryHours * 3600
}

// How long a sink asked to be left alone, in so far as it makes sense.
function patience(seconds: number | undefined): number {
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, LONGEST_SECONDS) : 0
}
