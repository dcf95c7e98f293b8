/**
 * A metric: names and numbers, never values of a row, an actor or a request.
 *
 * `audit.recorded` is sent once per event, in order, after its batch is committed; `audit.attempt` once
 * per delivery to a sink; `seat.drift_repaired` once per kind of difference that was repaired;
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
      /** The kind of difference to D1, and how often it was found. */
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
      /** The kind of failure; absent after a success. */
      readonly kind?: 'error' | 'timeout' | 'invalid_answer' | 'refused' | 'permanent'
      readonly milliseconds: number
    }
