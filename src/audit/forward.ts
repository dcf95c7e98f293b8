/**
 * Forwards audit events: the table is the queue, a cursor per sink and organization says how far it
 * has been read, and a lease keeps two forwarders apart.
 *
 * @module
 */
import type { Seatgate } from '../seatgate.ts'
import { EVENTS_PER_READ, giveBack, moveOn, takeLease } from './cursor.ts'
import type { Lease } from './lease.ts'
import { LETTERS_PER_READ } from './letters.ts'
import { deliverPage, redeliver } from './run.ts'
import type { Sink } from './sink.ts'

const LEASE_SECONDS = 60
const BUSY_RETRY_SECONDS = 1
const REDELIVERY_PAUSE_SECONDS = 1
const EVENTS_PER_RUN = 1000
const MINUTE_MS = 60_000

/**
 * Forwards what an organization's sinks have not had yet, each sink on its own. Answers in how many
 * seconds it is worth coming back, or null if nothing is left to do here; what is not due yet the
 * sweep finds.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const seconds = await forwardOrganization(seatgate, organizationId)
 * ```
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

/** The same for one sink. */
export async function forwardToSink(
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

  const began = now()
  let lease = leaseFromNow()
  const leased = await takeLease(db, lease, began)
  if (!('events' in leased)) return leased.busy ? BUSY_RETRY_SECONDS : null

  const redelivered = await redeliver(seatgate, sink, lease, leased.queued)
  const rest = leased.queued.length === LETTERS_PER_READ ? REDELIVERY_PAUSE_SECONDS : null
  const { eventsPerMinute } = sink
  const most = Math.min(EVENTS_PER_RUN, eventsPerMinute ?? Infinity)
  let { sequence, events, failing, more: unread } = leased
  let earlier = redelivered.history
  for (let handled = 0; ;) {
    const page = events.slice(0, most - handled)
    const run = await deliverPage(seatgate, sink, lease, sequence, page, failing)
    const progress = { ...run, history: [...earlier, ...run.history] }
    handled += page.length
    const stopped = run.retry !== null || run.pausedReason !== null
    const more = !run.finished || page.length < events.length || unread
    if (stopped || !more || handled >= most) {
      const slowed = !stopped && more && eventsPerMinute !== undefined
      const restsUntil = slowed
        ? new Date(began.getTime() + (handled / eventsPerMinute) * MINUTE_MS)
        : null
      await giveBack(seatgate, lease, progress, redelivered.letters, restsUntil)
      if (stopped) return run.seconds
      if (restsUntil) return Math.max(0, (restsUntil.getTime() - now().getTime()) / 1000)
      return more ? 0 : rest
    }
    lease = leaseFromNow()
    const next = await moveOn(db, lease, progress, now())
    if (next === null) return BUSY_RETRY_SECONDS
    earlier = []
    sequence = run.sequence
    events = next
    unread = next.length === EVENTS_PER_READ
    failing = { attempts: 0, since: null }
  }
}
