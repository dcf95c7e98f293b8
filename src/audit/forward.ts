/**
 * Forwards audit events: the table is the queue, a cursor per sink and organization says how far it
 * has been read, and a lease keeps two forwarders apart.
 *
 * @module
 */
import type { Seatgate } from '../seatgate.ts'
import {
  EVENTS_PER_READ,
  giveBack,
  LETTERS_PER_READ,
  moveOn,
  takeLease,
  type Lease,
} from './cursor.ts'
import { deliverPage, redeliver } from './run.ts'
import type { Sink } from './sink.ts'

const LEASE_SECONDS = 60
const BUSY_RETRY_SECONDS = 1
const REDELIVERY_PAUSE_SECONDS = 1
const EVENTS_PER_RUN = 1000

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
  const { db, newId, now } = seatgate
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

  const redelivered = await redeliver(seatgate, sink, lease, taken.queued)
  const rest = taken.queued.length === LETTERS_PER_READ ? REDELIVERY_PAUSE_SECONDS : null
  let { sequence, events, failing } = taken
  for (let handled = 0; ;) {
    const run = await deliverPage(seatgate, sink, lease, sequence, events, failing)
    handled += events.length
    const stopped = run.retry !== null || run.pausedReason !== null
    const more = !run.finished || events.length === EVENTS_PER_READ
    if (stopped || !more || handled >= EVENTS_PER_RUN) {
      await giveBack(seatgate, lease, run, redelivered)
      if (stopped) return run.seconds
      return more ? 0 : rest
    }
    lease = leaseFromNow()
    const next = await moveOn(db, lease, run, now())
    if (next === null) return BUSY_RETRY_SECONDS
    sequence = run.sequence
    events = next
    failing = { attempts: 0, since: null }
  }
}
