/**
 * What can be counted: names and numbers, never a row's values, an actor or a request.
 *
 * `audit.recorded` comes once per event, after its batch is in, in order. `audit.attempt` comes once per
 * delivery to a sink, `seat.drift_repaired` once per kind of difference that was repaired,
 * `audit.purged` once per run of retention.
 */
export type Metric =
  | {
      readonly name: 'audit.recorded'
      readonly action: string
      readonly outcome: string
      readonly id: string
      readonly occurredAt: string
    }
  | {
      readonly name: 'seat.drift_repaired'
      /** What was not as D1 has it, and how often. */
      readonly kind: string
      readonly count: number
    }
  | {
      readonly name: 'audit.log_failed'
      readonly action: string
      readonly reason: string
      readonly fields: readonly string[]
    }
  | {
      readonly name: 'audit.purged'
      readonly events: number
      readonly milliseconds: number
    }
  | {
      readonly name: 'audit.unknown_version'
      readonly version: number
    }
  | {
      readonly name: 'audit.attempt'
      readonly sink: string
      readonly action: string
      readonly attempt: number
      readonly outcome: 'ok' | 'error'
      /** What went wrong; absent if nothing did. */
      readonly kind?: 'error' | 'timeout' | 'invalid_answer' | 'refused' | 'permanent'
      readonly milliseconds: number
    }
