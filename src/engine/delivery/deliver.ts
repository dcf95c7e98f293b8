/**
 * Forwards audit events. The table of events is the queue, a cursor per sink and organization marks how
 * far it was read, and a lease keeps two forwarders apart.
 *
 * @module
 */
import type { ConsumerContext, TrailConsumer } from '../audit/consumers.ts'
import type { DatabaseContext } from '../../database/database.ts'
import type { Runtime } from '../../base/runtime.ts'
import { budgeted } from '../../database/statement-budget.ts'
import { EVENTS_PER_READ, giveBack, moveOn, takeLease } from './cursor.ts'
import type { Lease } from './attempt.ts'
import { LETTERS_PER_READ } from './dead-letters.ts'
import { deliverPage, redeliver } from './deliver-page.ts'
import type { Sink } from './sink.ts'

// A run begins no delivery after this time. The last delivery takes 15 seconds at most, so the run ends
// well before its lease does and does not delay the next run in a batch for long.
const RUN_SECONDS = 10
const REDELIVERY_SECONDS = RUN_SECONDS / 2
const LEASE_SECONDS = 60
const BUSY_RETRY_SECONDS = 1
const REDELIVERY_PAUSE_SECONDS = 1
const EVENTS_PER_RUN = 1000
const STATEMENTS_PER_PAGE = 8

/** How many statements one sink sends to D1 at most, without the pages after the first. */
export const STATEMENTS_PER_SINK = 20

/** The context of a delivery. */
export interface DeliveryContext extends Runtime, DatabaseContext, ConsumerContext {
  readonly sinks: readonly Sink[]
}

/**
 * Forwards new events of an organization to its sinks, each sink on its own, for some seconds at most.
 * Returns after how many seconds to call again (0: there is more), or null if there is no more to do now;
 * the sweep continues with what is not due yet. Calls with the same `invocation` share its limits.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const seconds = await forwardOrganization(seatgate, organizationId)
 * ```
 */
export async function forwardOrganization(
  unbudgeted: DeliveryContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const waits = await Promise.all(
    context.sinks.map((sink) => forwardToSink(context, sink, organizationId, invocation))
  )
  const due = waits.filter((seconds) => seconds !== null)
  return due.length > 0 ? Math.min(...due) : null
}

/** Forwards new events to one sink, as {@link forwardOrganization} does for all. */
export async function forwardToSink(
  unbudgeted: DeliveryContext,
  sink: Sink,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const { db, newId, now, budget } = context
  const began = now()
  const secondsOn = (seconds: number) => new Date(began.getTime() + seconds * 1000)
  const mayStartFor = (seconds: number) => () =>
    now() < secondsOn(seconds) && invocation.mayDeliver()

  const until = secondsOn(LEASE_SECONDS)
  const lease: Lease = { organizationId, sinkId: sink.id, token: newId(), until }
  const leased = await takeLease(db, lease, began)
  if (!('events' in leased)) return leased.busy ? BUSY_RETRY_SECONDS : null

  const { queued } = leased
  const redelivered = await redeliver(context, sink, mayStartFor(REDELIVERY_SECONDS), queued)
  const lettersLeft =
    redelivered.letters.length < queued.length || queued.length === LETTERS_PER_READ
  const { eventsPerMinute } = sink
  const most = Math.min(EVENTS_PER_RUN, eventsPerMinute ?? Infinity)
  let { sequence, events, failing, more: unread } = leased
  let earlier = redelivered.history
  for (let handled = 0; ;) {
    const page = events.slice(0, most - handled)
    const mayStart = mayStartFor(RUN_SECONDS)
    const run = await deliverPage(context, sink, mayStart, sequence, page, failing)
    const progress = { ...run, history: [...earlier, ...run.history] }
    handled += page.filter((event) => event.sequence <= run.sequence).length
    const more = !run.finished || page.length < events.length || unread
    const mayRead = handled < most && budget.left() >= STATEMENTS_PER_PAGE
    if (!run.finished || !more || !mayRead) {
      const stopped = run.retry !== null || run.pausedReason !== null
      const slowed = !stopped && more && eventsPerMinute !== undefined
      const restsUntil = slowed ? secondsOn((handled / eventsPerMinute) * 60) : null
      await giveBack(context, lease, progress, redelivered.letters, restsUntil)
      if (stopped) return run.seconds
      if (restsUntil) return Math.max(0, (restsUntil.getTime() - now().getTime()) / 1000)
      if (more) return 0
      return lettersLeft ? REDELIVERY_PAUSE_SECONDS : null
    }
    const next = await moveOn(db, lease, progress, now())
    if (next === null) return BUSY_RETRY_SECONDS
    earlier = []
    sequence = run.sequence
    events = next
    unread = next.length === EVENTS_PER_READ
    failing = { attempts: 0, since: null }
  }
}

// One of the six is left to D1, which has to answer in between.
const CONNECTIONS = 5
// Half of the thousand is left to D1, the ledger and the seals.
const DELIVERIES = 500

/** An invocation whose limits the runs of several organizations share. */
export interface Invocation {
  /** Whether one more delivery may be attempted; the call counts it. */
  mayDeliver(): boolean
}

/** Creates an invocation without deliveries. */
export function newInvocation(): Invocation {
  let deliveries = 0
  return { mayDeliver: () => deliveries++ < DELIVERIES }
}

/**
 * Serves the entries in order, and as many at a time as there are connections for all of their sinks: a
 * sink that does not answer blocks only its own connection.
 */
export async function serveSideBySide<T>(
  { sinks }: Pick<DeliveryContext, 'sinks'>,
  waiting: readonly T[],
  serve: (next: T) => Promise<void>
): Promise<void> {
  const each = sinks.filter(({ internal }) => internal !== true).length
  const lanes = Math.max(1, Math.floor(CONNECTIONS / Math.max(1, each)))
  // All lanes take from one iterator.
  const line = waiting.values()
  const lane = async () => {
    for (const next of line) await serve(next)
  }
  await Promise.all(Array.from({ length: lanes }, lane))
}

/** The context of serving all consumers of a trail. */
export interface TendContext extends DeliveryContext {
  readonly log: (TrailConsumer & { readonly publish: unknown }) | null
}

/**
 * Serves the consumers of an organization's trail: forwards its events, and seals them. Returns after how
 * many seconds to call again, or null. A failure of one does not stop the other.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * await tendOrganization(seatgate, organizationId)
 * ```
 */
export async function tendOrganization(
  unbudgeted: TendContext,
  organizationId: string,
  invocation = newInvocation()
): Promise<number | null> {
  const context = budgeted(unbudgeted)
  const [forwarded, sealed] = await Promise.allSettled([
    forwardOrganization(context, organizationId, invocation),
    context.log?.run(context, organizationId),
  ])
  if (sealed.status === 'rejected') throw sealed.reason
  if (forwarded.status === 'rejected') throw forwarded.reason
  return sealed.value ?? forwarded.value
}

/** Returns how many statements serving an organization with few events sends to D1 at most. */
export function statementsToTend({ sinks, log }: Pick<TendContext, 'sinks' | 'log'>): number {
  return sinks.length * STATEMENTS_PER_SINK + (log?.statements ?? 0)
}
