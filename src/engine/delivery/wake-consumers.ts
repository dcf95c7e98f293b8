/**
 * The consumers of the trails run after a change: before the response, by the queue, or in process.
 *
 * @module
 */
import type { Runtime } from '../../base/runtime.ts'
import { inBackground, TimedOut, within } from '../../base/async.ts'
import { budgeted, type Budgeted } from '../../database/statement-budget.ts'
import type { TrailConsumer } from '../audit/consumers.ts'
import {
  newInvocation,
  statementsToTend,
  tendOrganization,
  type TendContext,
} from './tend-trail.ts'

const MESSAGES_PER_SEND = 100
// If a change affects more organizations, the queue or the sweep serves the rest.
const SERVED_AT_ONCE = 10

/**
 * Whether the consumers of the trails are woken by a queue. Without one the Worker that made the change
 * runs them after its response, and the sweep repeats what was missed.
 *
 * @example
 * ```ts
 * if (!isQueueBound(seatgate)) console.warn('Events are forwarded in process.')
 * ```
 */
export function isQueueBound({ queue }: Pick<Runtime, 'queue'>): boolean {
  return queue !== null
}

/** Wakes the consumers after each commit that marked an organization. */
export const wakeConsumers = {
  committed: (context: TendContext, { markedIds }: { readonly markedIds: readonly string[] }) =>
    wake(context, markedIds),
}

/**
 * Waits for prompt consumers, each up to its deadline. Wakes the others by the queue or, without one,
 * serves them in process after the response; a host that keeps no work alive leaves that to the sweep.
 * Failures are retried.
 */
async function wake(unbudgeted: TendContext, organizationIds: readonly string[]): Promise<void> {
  const context = budgeted(unbudgeted)
  const first = organizationIds.slice(0, SERVED_AT_ONCE)
  await Promise.all(
    first.flatMap((organizationId) =>
      context.consumers.flatMap((consumer) => {
        const { promptSeconds, statements } = consumer
        if (promptSeconds === null) return []
        const run = () => runInTime(context, consumer, promptSeconds, organizationId)
        return [context.budget.spend(statements, run)]
      })
    )
  )
  await inBackground(context, first[0] ?? '', wakeUps(context, organizationIds))
}

function wakeUps(
  context: Budgeted<TendContext>,
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

// The response stops waiting at the deadline; the run goes on.
async function runInTime(
  context: TendContext,
  consumer: TrailConsumer,
  seconds: number,
  organizationId: string
): Promise<void> {
  const run = consumer.run(context, organizationId, newInvocation())
  try {
    await within(seconds, run)
  } catch (error) {
    if (error instanceof TimedOut && context.waitUntil !== null) {
      await inBackground(context, organizationId, [() => run])
    } else {
      context.report({ event: 'sync_delivery_failed', organizationId, error })
      run.catch(() => {})
    }
  }
}
