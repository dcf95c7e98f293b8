import type { Metric } from '../base/runtime.ts'

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
 * `blob1` are its name, `blob2` its subject (an action, a sink, a kind), `blob3` its outcome, `blob4` the
 * reason of a failure; `double1` is its count and `double2` its duration in milliseconds.
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
    const { subject = '', outcome = '', reason = '', count = 1, milliseconds = 0 } = pointOf(metric)
    dataset.writeDataPoint({
      indexes: [metric.name],
      blobs: [metric.name, subject, outcome, reason],
      doubles: [count, milliseconds],
    })
  }
}

interface Point {
  readonly subject?: string | undefined
  readonly outcome?: string | undefined
  readonly reason?: string | undefined
  readonly count?: number
  readonly milliseconds?: number
}

function pointOf(metric: Metric): Point {
  switch (metric.name) {
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
