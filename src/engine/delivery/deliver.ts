/**
 * Forwards audit events. The table of events is the queue, a cursor per sink and organization marks how
 * far it was read, and a lease keeps two forwarders apart.
 *
 * @module
 */
import type { Invocation, TrailConsumer } from '../audit/consumers.ts'
import { keptOutBy } from '../audit/filters.ts'
import { budgeted } from '../../database/statement-budget.ts'
import { EVENTS_PER_READ, giveBack, moveOn, takeLease } from './cursor.ts'
import type { Lease } from './attempt.ts'
import { LETTERS_PER_READ } from './dead-letters.ts'
import { deliverPage, redeliver } from './deliver-page.ts'
import type { Sink } from './sink.ts'
import type { TendContext } from './tend-trail.ts'

/**
 * A run begins no delivery after this time. The last delivery takes 15 seconds at most, so the run ends
 * well before its lease does and does not delay the next run in a batch for long.
 */
export const RUN_SECONDS = 10
const REDELIVERY_SECONDS = RUN_SECONDS / 2
const LEASE_SECONDS = 60
const BUSY_RETRY_SECONDS = 1
const REDELIVERY_PAUSE_SECONDS = 1
const EVENTS_PER_RUN = 1000
const STATEMENTS_PER_PAGE = 8
const DEFAULT_PROMPT_SECONDS = 5

// Without the pages after the first.
const STATEMENTS_PER_SINK = 20

/**
 * Forwards new events of an organization to one sink, for some seconds at most. Returns after how many
 * seconds to call again (0: there is more), or null if there is no more to do now.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 */
async function forwardToSink(
  unbudgeted: TendContext,
  sink: Sink,
  organizationId: string,
  invocation: Invocation
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

/** Makes the consumer that forwards each trail to a sink. */
export function sinkConsumer(sink: Sink): TrailConsumer {
  return {
    ...cursorConsumer(sink),
    run: (context, organizationId, invocation) =>
      forwardToSink(context, sink, organizationId, invocation),
  }
}

/** Returns the consumer of a sink without its run. */
export function cursorConsumer(sink: Omit<Sink, 'deliver'>): Omit<TrailConsumer, 'run'> {
  const { id, required = true, internal = false, dispatch, deadlineSeconds } = sink
  return {
    id,
    required: internal || required,
    internal,
    progress: 'cursor',
    statements: STATEMENTS_PER_SINK,
    promptSeconds: dispatch === 'sync' ? (deadlineSeconds ?? DEFAULT_PROMPT_SECONDS) : null,
    accepts: (action) => keptOutBy(sink, action) === null,
  }
}
