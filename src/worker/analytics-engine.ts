import type { Metric, Took } from '../base/runtime.ts'

/** A dataset of Workers Analytics Engine, such as `env.METRICS`. */
export interface MetricDataset {
  writeDataPoint(point: {
    readonly indexes: string[]
    readonly blobs: string[]
    readonly doubles: number[]
  }): void
}

/**
 * Creates a `measure` that writes each metric as a data point of Workers Analytics Engine. `index1` and
 * `blob1` are its name, `blob2` its subject (an operation, an action, a sink, a kind), `blob3` its outcome,
 * `blob4` its code or the reason of a failure; `double1` is its count, `double2` its duration in
 * milliseconds, `double3` its round trips, `double4` its retries, `double5` its statements, `double6` its
 * events, and `double7` its lag in seconds.
 *
 * @example
 * ```ts
 * import { analyticsEngine } from 'seatgate/worker'
 *
 * const seatgate = createSeatgate({ …, runtime: { measure: analyticsEngine(env.METRICS) } })
 * ```
 */
export function analyticsEngine(dataset: MetricDataset): (metric: Metric) => void {
  return (metric) => {
    const {
      subject = '',
      outcome = '',
      reason = '',
      count = 1,
      milliseconds = 0,
      ...more
    } = pointOf(metric)
    const { trips = 0, retries = 0, statements = 0, events = 0, seconds = 0 } = more
    dataset.writeDataPoint({
      indexes: [metric.name],
      blobs: [metric.name, subject, outcome, reason],
      doubles: [count, milliseconds, trips, retries, statements, events, seconds],
    })
  }
}

function pointOfCall({ outcome, code, milliseconds }: Took, subject: string): Point {
  return { subject, outcome, reason: code ?? '', milliseconds }
}

interface Point {
  readonly subject?: string | undefined
  readonly outcome?: string | undefined
  readonly reason?: string | undefined
  readonly count?: number
  readonly milliseconds?: number
  readonly retries?: number
  readonly trips?: number
  readonly statements?: number
  readonly events?: number
  readonly seconds?: number
}

function pointOf(metric: Metric): Point {
  switch (metric.name) {
    case 'operation':
      return {
        ...pointOfCall(metric, metric.operation),
        retries: metric.retries,
        trips: metric.trips,
      }
    case 'ledger.call':
      return pointOfCall(metric, metric.call)
    case 'queue.batch':
      return {
        outcome: metric.outcome,
        count: metric.messages,
        milliseconds: metric.milliseconds,
        events: metric.events,
      }
    case 'sweep.run':
      return {
        subject: metric.sweep,
        outcome: metric.outcome,
        reason: metric.leftOver ? 'left_over' : '',
        milliseconds: metric.milliseconds,
        statements: metric.statements,
      }
    case 'audit.lag':
      return { subject: metric.consumer, seconds: metric.seconds }
    case 'audit.recorded':
      return { subject: metric.action, outcome: metric.outcome }
    case 'audit.attempt':
      return {
        subject: metric.sink,
        outcome: metric.outcome,
        reason: metric.kind,
        milliseconds: metric.milliseconds,
      }
    case 'audit.log_failed':
      return { subject: metric.action, outcome: 'error', reason: metric.reason }
    case 'audit.purged':
      return { count: metric.events, milliseconds: metric.milliseconds }
    case 'audit.unknown_version':
      return { subject: String(metric.version) }
    case 'seat.drift_repaired':
      return { subject: metric.kind, count: metric.count }
  }
}
