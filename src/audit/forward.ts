/**
 * Forwards audit events: the table is the queue, a cursor per sink and organization says how far it
 * has been read, and a lease keeps two forwarders apart.
 *
 * @module
 */
import type { Seatgate } from '../seatgate.ts'
import { TimedOut, within } from '../within.ts'
import { backoffSeconds, LONGEST_SECONDS } from './backoff.ts'
import { EVENTS_PER_READ, giveBack, moveOn, takeLease, type Lease } from './cursor.ts'
import { eventView, type ReadEventRow } from './event.ts'
import type { Delivery, Sink } from './sink.ts'

const LEASE_SECONDS = 60
// A lease must outlive the delivery that is under way: no delivery starts in its last part.
const DELIVERY_SECONDS = 15
const BUSY_RETRY_SECONDS = 1
const EVENTS_PER_RUN = 1000
const LONGEST_REASON = 500

/**
 * Forwards what an organization's sinks have not had yet, each sink on its own. Answers in how many
 * seconds it is worth coming back, or null if nothing is left to do here; what is not due yet the
 * sweep finds.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
export async function forwardOrganization(
  seatgate: Seatgate,
  organizationId: string
): Promise<number | null> {
  const waits = await Promise.all(
    seatgate.sinks.map((sink) => forwardToSink(seatgate, sink, organizationId))
  )
  const due = waits.filter((seconds) => seconds !== null)
  return due.length > 0 ? Math.min(...due) : null
}

async function forwardToSink(
  seatgate: Seatgate,
  sink: Sink,
  organizationId: string
): Promise<number | null> {
  const { db, newId, now, random } = seatgate
  const token = newId()
  const leaseFromNow = (): Lease => ({
    organizationId,
    sinkId: sink.id,
    token,
    until: new Date(now().getTime() + LEASE_SECONDS * 1000),
  })

  let lease = leaseFromNow()
  const taken = await takeLease(db, lease, now())
  if (!('events' in taken)) return taken.busy ? BUSY_RETRY_SECONDS : null

  let { sequence, attempts, events } = taken
  for (let handled = 0; ;) {
    const run = await deliverInOrder(seatgate, sink, lease, sequence, events)
    if (run.sequence > sequence) attempts = 0
    sequence = run.sequence
    if (run.failure !== null) {
      attempts += 1
      const { reason, afterSeconds } = run.failure
      const seconds = Math.max(patience(afterSeconds), backoffSeconds(attempts, random))
      const at = new Date(now().getTime() + seconds * 1000)
      await giveBack(seatgate, lease, { sequence, retry: { attempts, at, reason } })
      return seconds
    }
    handled += events.length
    const more = !run.finished || events.length === EVENTS_PER_READ
    if (!more || handled >= EVENTS_PER_RUN) {
      await giveBack(seatgate, lease, { sequence, retry: null })
      return more ? 0 : null
    }
    lease = leaseFromNow()
    const next = await moveOn(db, lease, sequence)
    if (next === null) return BUSY_RETRY_SECONDS
    events = next
  }
}

/** How far a run of deliveries came, and what stopped it. */
interface Run {
  readonly sequence: number
  readonly failure: Extract<Delivery, { outcome: 'retry' }> | null
  readonly finished: boolean
}

async function deliverInOrder(
  seatgate: Seatgate,
  sink: Sink,
  lease: Lease,
  from: number,
  events: readonly ReadEventRow[]
): Promise<Run> {
  let sequence = from
  for (const event of events) {
    const left = lease.until.getTime() - seatgate.now().getTime()
    if (left < DELIVERY_SECONDS * 1000) return { sequence, failure: null, finished: false }
    const delivery = await deliver(seatgate, sink, event)
    if (delivery.outcome !== 'delivered') return { sequence, failure: delivery, finished: false }
    sequence = event.sequence
  }
  return { sequence, failure: null, finished: true }
}

// Whatever a sink answers that is not a delivery is a reason to come back, never a success.
async function deliver(seatgate: Seatgate, sink: Sink, event: ReadEventRow): Promise<Delivery> {
  try {
    if (!sink.accepts(event.action)) return { outcome: 'delivered' }
    const delivery = await within(DELIVERY_SECONDS, sink.deliver(eventView(event)))
    if (delivery?.outcome === 'delivered') return delivery
    if (delivery?.outcome !== 'retry') return { outcome: 'retry', reason: 'invalid_answer' }
    return { ...delivery, reason: text(delivery.reason) }
  } catch (error) {
    const { organizationId } = event
    seatgate.report({ event: 'delivery_failed', organizationId, error })
    return { outcome: 'retry', reason: error instanceof TimedOut ? 'timeout' : 'error' }
  }
}

// How long a sink asked to be left alone, in so far as it makes sense.
function patience(seconds: number | undefined): number {
  return typeof seconds === 'number' && seconds > 0 ? Math.min(seconds, LONGEST_SECONDS) : 0
}

// A sink may be plain JavaScript: what it gives for a reason is kept as text, whatever it is.
function text(reason: unknown): string {
  return typeof reason === 'string' ? reason.slice(0, LONGEST_REASON) : 'unnamed'
}
