/**
 * The configured sinks, and the dispatch of events after a change.
 *
 * @module
 */
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Listener } from '../../engine/changes/listeners.ts'
import type { WakeUpQueue } from '../../base/runtime.ts'
import { inBackground } from '../../base/async.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import { TimedOut, within } from '../../base/async.ts'
import { forwardToSink, STATEMENTS_PER_SINK } from '../../engine/delivery/deliver.ts'
import type { Sink } from '../../engine/delivery/sink.ts'
import {
  statementsToTend,
  tendOrganization,
  type TendContext,
} from '../../engine/delivery/tend-trail.ts'

const DEFAULT_DEADLINE_SECONDS = 5
const MESSAGES_PER_SEND = 100
// If a change affects more organizations, the queue or the sweep serves the rest.
const SERVED_AT_ONCE = 10

/** The context of forwarding. */
export interface ForwardingContext extends TendContext {
  /** Null without a queue: events are then forwarded in process. */
  readonly queue: WakeUpQueue | null
}

/**
 * Whether events are forwarded by a queue. Without one the Worker that made the change forwards them
 * after its response, and the sweep delivers what was missed.
 *
 * @example
 * ```ts
 * if (!isQueueBound(seatgate)) console.warn('Events are forwarded in process.')
 * ```
 */
export function isQueueBound({ queue }: Pick<ForwardingContext, 'queue'>): boolean {
  return queue !== null
}

/**
 * Dispatches the events of a committed change. Waits for `sync` sinks, each up to its deadline. Wakes the
 * others by the queue or, without one, serves them in process after the response; a host that keeps no
 * work alive leaves that to the sweep. Failures are retried.
 */
async function dispatch(
  unbudgeted: ForwardingContext,
  organizationIds: readonly string[]
): Promise<void> {
  const seatgate = budgeted(unbudgeted)
  const { sinks } = seatgate
  const prompt = sinks.filter((sink) => sink.dispatch === 'sync')
  const first = organizationIds.slice(0, SERVED_AT_ONCE)
  await Promise.all(
    first.flatMap((organizationId) =>
      prompt.map((sink) =>
        seatgate.budget.spend(STATEMENTS_PER_SINK, () =>
          deliverInTime(seatgate, sink, organizationId)
        )
      )
    )
  )
  await inBackground(seatgate, first[0] ?? '', wakeUps(seatgate, organizationIds))
}

/** Forwards after each commit that marked an organization. */
export const forwardWhenCommitted: Listener = {
  committed: (context: ChangeContext & ForwardingContext, { markedIds }) =>
    dispatch(context, markedIds),
}

function wakeUps(
  seatgate: Budgeted<ForwardingContext>,
  organizationIds: readonly string[]
): readonly (() => Promise<unknown>)[] {
  const { queue, waitUntil, budget } = seatgate
  if (queue === null) {
    if (waitUntil === null) return []
    const first = organizationIds.slice(0, SERVED_AT_ONCE)
    const most = statementsToTend(seatgate)
    return first.map(
      (organizationId) => () => budget.spend(most, () => tendOrganization(seatgate, organizationId))
    )
  }
  const [only, ...others] = organizationIds
  if (only === undefined) return []
  if (others.length === 0) return [() => queue.send({ organizationId: only })]
  return inMessages(organizationIds).map((messages) => () => queue.sendBatch(messages))
}

/** Groups organizations into batches of wake-ups that may be sent together. */
export function inMessages(organizationIds: readonly string[]) {
  const messages = organizationIds.map((organizationId) => ({ body: { organizationId } }))
  const batches: (typeof messages)[] = []
  for (let from = 0; from < messages.length; from += MESSAGES_PER_SEND) {
    batches.push(messages.slice(from, from + MESSAGES_PER_SEND))
  }
  return batches
}

// The response stops waiting at the deadline; the delivery goes on.
async function deliverInTime(
  seatgate: ForwardingContext,
  sink: Sink,
  organizationId: string
): Promise<void> {
  const { deadlineSeconds = DEFAULT_DEADLINE_SECONDS } = sink
  const delivery = forwardToSink(seatgate, sink, organizationId)
  try {
    await within(deadlineSeconds, delivery)
  } catch (error) {
    if (error instanceof TimedOut && seatgate.waitUntil !== null) {
      await inBackground(seatgate, organizationId, [() => delivery])
    } else {
      seatgate.report({ event: 'sync_delivery_failed', organizationId, error })
      delivery.catch(() => {})
    }
  }
}
