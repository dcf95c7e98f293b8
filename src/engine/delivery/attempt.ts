import type { Metric } from '../../base/metric.ts'
import { TimedOut, within } from '../../base/async.ts'
import type { AuditEvent } from '../audit/event.ts'
import { shortened } from '../../proof/text.ts'
import type { Runtime } from '../../base/runtime.ts'
import { redacted } from './outgoing.ts'
import type { Delivery, Sink } from './sink.ts'

// How long a delivery may take.
const DELIVERY_SECONDS = 15

const LONGEST_REASON = 500

type Kind = Extract<Metric, { name: 'audit.attempt' }>['kind']

/** The answer of a sink, its time and its duration. */
export interface Tried {
  readonly delivery: Delivery
  readonly at: Date
  readonly milliseconds: number
}

/**
 * Attempts to deliver some events in one call. An answer of a sink that is not a valid delivery counts as
 * a reason to retry, never as a success.
 */
export async function attempt(
  seatgate: Pick<Runtime, 'now' | 'report' | 'measure'>,
  sink: Sink,
  events: readonly AuditEvent[],
  number: number
): Promise<Tried> {
  const { measure, now, report } = seatgate
  const began = now().getTime()
  const measured = (delivery: Delivery, kind?: Kind): Tried => {
    const at = now()
    const milliseconds = Math.max(0, Math.round(at.getTime() - began))
    const outcome = delivery.outcome === 'delivered' ? 'ok' : 'error'
    for (const { action } of events) {
      const told = { sink: sink.id, action, attempt: number, outcome, milliseconds } as const
      measure({ name: 'audit.attempt', ...told, ...(kind && { kind }) })
    }
    return { delivery, at, milliseconds }
  }
  try {
    const shown = events.map((event) => redacted(event, sink.redact))
    const answer = await within(DELIVERY_SECONDS, handOver(sink, shown))
    switch (answer?.outcome) {
      case 'delivered':
        return measured({ outcome: 'delivered' })
      case 'retry':
        return measured({ ...answer, reason: text(answer.reason) }, 'refused')
      case 'permanent':
      case 'pause':
        return measured({ outcome: answer.outcome, reason: text(answer.reason) }, 'permanent')
      default:
        return measured({ outcome: 'retry', reason: 'invalid_answer' }, 'invalid_answer')
    }
  } catch (error) {
    const [{ organizationId } = { organizationId: '' }] = events
    report({ event: 'delivery_failed', organizationId, error })
    const kind = error instanceof TimedOut ? 'timeout' : 'error'
    return measured({ outcome: 'retry', reason: kind }, kind)
  }
}

function handOver(sink: Sink, events: readonly AuditEvent[]): Promise<Delivery> {
  const [first] = events
  if (sink.deliverMany) return sink.deliverMany(events)
  if (first === undefined) throw new Error('There is nothing to deliver.')
  return sink.deliver(first)
}

// A sink may be plain JavaScript: a reason of any type is stored as text.
function text(reason: unknown): string {
  return typeof reason === 'string' ? shortened(reason, LONGEST_REASON) : 'unnamed'
}
