/**
 * The configured sinks, and the dispatch of events after a change.
 *
 * @module
 */
import type { ChangeContext, Listener } from '../../engine/changes/change-context.ts'
import type { Report, WakeUpQueue } from '../../base/runtime.ts'
import { TimedOut, inBackground, within } from '../../base/async.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import {
  STATEMENTS_PER_SINK,
  forwardToSink,
  statementsToTend,
  tendOrganization,
  type TendContext,
} from '../../engine/delivery/deliver.ts'
import { sinkMistake, type Sink } from '../../engine/delivery/sink.ts'

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
  const context = budgeted(unbudgeted)
  const { sinks } = context
  const prompt = sinks.filter((sink) => sink.dispatch === 'sync')
  const first = organizationIds.slice(0, SERVED_AT_ONCE)
  await Promise.all(
    first.flatMap((organizationId) =>
      prompt.map((sink) =>
        context.budget.spend(STATEMENTS_PER_SINK, () =>
          deliverInTime(context, sink, organizationId)
        )
      )
    )
  )
  await inBackground(context, first[0] ?? '', wakeUps(context, organizationIds))
}

/** Forwards after each commit that marked an organization. */
const forwardWhenCommitted: Listener = {
  committed: (context: ChangeContext & ForwardingContext, { markedIds }) =>
    dispatch(context, markedIds),
}

function wakeUps(
  context: Budgeted<ForwardingContext>,
  organizationIds: readonly string[]
): readonly (() => Promise<unknown>)[] {
  const { queue, waitUntil, budget } = context
  if (queue === null) {
    if (waitUntil === null) return []
    const first = organizationIds.slice(0, SERVED_AT_ONCE)
    const most = statementsToTend(context)
    return first.map(
      (organizationId) => () => budget.spend(most, () => tendOrganization(context, organizationId))
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
  context: ForwardingContext,
  sink: Sink,
  organizationId: string
): Promise<void> {
  const { deadlineSeconds = DEFAULT_DEADLINE_SECONDS } = sink
  const delivery = forwardToSink(context, sink, organizationId)
  try {
    await within(deadlineSeconds, delivery)
  } catch (error) {
    if (error instanceof TimedOut && context.waitUntil !== null) {
      await inBackground(context, organizationId, [() => delivery])
    } else {
      context.report({ event: 'sync_delivery_failed', organizationId, error })
      delivery.catch(() => {})
    }
  }
}

/** The sinks that were configured. */
export interface Sinks {
  /** The sinks that receive events. */
  readonly sinks: readonly Sink[]
  /** Sinks that are missing or switched off: they receive no events, and retention waits for them. */
  readonly missingSinks: readonly Sink[]
  /** Forwards after each commit. */
  readonly listener: Listener
}

/**
 * Separates the sinks that can work from the missing ones. A sink that is missing or switched off costs a
 * warning only.
 *
 * @throws {TypeError} if a sink is invalid. The message names it.
 */
export function checkedSinks(
  sinks: readonly Sink[],
  { queue, report }: { readonly queue: unknown; readonly report: (report: Report) => void }
): Sinks {
  for (const sink of sinks) {
    const mistake = sinkMistake(sink)
    if (mistake !== null) throw new TypeError(`createSeatgate: the sink "${sink?.id}" ${mistake}`)
  }
  const ids = sinks.map((sink) => sink.id)
  const twice = ids.find((id, index) => ids.indexOf(id) !== index)
  if (twice !== undefined) throw new TypeError(`createSeatgate: two sinks have the id "${twice}".`)
  const present = sinks.filter((sink) => isPresent(sink, report))
  const waiting = present.find((sink) => sink.dispatch === 'async')
  if (waiting && queue === null) {
    const advice = 'is async, and there is no queue: bind one, or let its dispatch be "auto".'
    throw new TypeError(`createSeatgate: the sink "${waiting.id}" ${advice}`)
  }
  return {
    sinks: present,
    missingSinks: sinks.filter((sink) => !present.includes(sink)),
    listener: forwardWhenCommitted,
  }
}

// Reports no part of the error: it may contain the sink's configuration.
function isPresent(sink: Sink, report: (report: Report) => void): boolean {
  if (sink.disabled !== true && attached(sink)) return true
  const state = sink.disabled === true ? 'switched off' : 'missing'
  const page = sink.setUpPage ?? 'docs/forwarding.md'
  const error = `The sink "${sink.id}" is ${state} and receives no events. Its setup: ${page}`
  report({ event: 'sink_missing', error })
  return false
}

function attached(sink: Sink): boolean {
  try {
    return !(sink.attach?.() instanceof Error)
  } catch {
    return false
  }
}
