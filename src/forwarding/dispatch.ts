/**
 * Which sinks there are, and when they get what was just recorded.
 *
 * @module
 */
import { inBackground } from '../background.ts'
import type { Seatgate } from '../seatgate.ts'
import { TimedOut, within } from '../within.ts'
import { forwardToSink } from './forward.ts'
import { isAwaited } from '../audit/outbox.ts'
import type { Sink } from './sink.ts'
import { tendOrganization } from './tend.ts'

const DEFAULT_DEADLINE_SECONDS = 5

/**
 * Whether events are forwarded by a queue. Without one they are, after each answer, by whoever gave it,
 * and the sweep makes up for what was missed.
 *
 * @example
 * ```ts
 * if (!isQueueBound(seatgate)) console.warn('Events are forwarded in process.')
 * ```
 */
export function isQueueBound({ queue }: Pick<Seatgate, 'queue'>): boolean {
  return queue !== null
}

/**
 * Sees to what was just committed. Sinks that are `sync` are waited for, each as long as it may take;
 * the others are woken by the queue or, without one, served in process after the answer: where the
 * host keeps no work alive after it, that is left to the sweep. What fails here is tried again.
 */
export async function dispatch(
  seatgate: Seatgate,
  organizationIds: readonly string[]
): Promise<void> {
  const { queue, sinks, waitUntil } = seatgate
  const wakeUp = (organizationId: string) => async () => {
    if (queue !== null) await queue.send({ organizationId })
    else if (waitUntil !== null && isAwaited(seatgate)) {
      await tendOrganization(seatgate, organizationId)
    }
  }
  const prompt = sinks.filter((sink) => sink.dispatch === 'sync')
  await Promise.all(
    organizationIds.flatMap((organizationId) =>
      prompt.map((sink) => deliverInTime(seatgate, sink, organizationId))
    )
  )
  await inBackground(seatgate, organizationIds[0] ?? '', organizationIds.map(wakeUp))
}

// An answer that waited long enough goes; the delivery goes on.
async function deliverInTime(
  seatgate: Seatgate,
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
