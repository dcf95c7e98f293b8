/** A wake-up on the queue. It carries ids only: losing one costs time, never an event. */
export interface WakeUp {
  readonly organizationId: string
  /** Whether the waitlist is served too, and not only events are forwarded. */
  readonly line?: true
}

/** Where wake-ups are sent; a Cloudflare Queue is one. */
export interface WakeUpQueue {
  send(message: WakeUp, options?: { readonly delaySeconds?: number }): Promise<unknown>
  sendBatch(messages: readonly { readonly body: WakeUp }[]): Promise<unknown>
}

/** An error that no response could carry. `error` may hold personal data. */
export interface Report {
  readonly event: string
  readonly organizationId?: string
  readonly error: unknown
}

/** The host's runtime: the time, ids, randomness, and the functions that receive reports and metrics. */
export interface Runtime {
  readonly now: () => Date
  /** Returns an id that was never returned before. */
  readonly newId: () => string
  /** Returns 32 random bytes. */
  readonly newSecret: () => Uint8Array<ArrayBuffer>
  /** Returns a number from 0 up to 1. */
  readonly random: () => number
  readonly report: (report: Report) => void
  readonly measure: (metric: Metric) => void
  /** Runs work within a span, once, and settles as the work does. */
  readonly trace: Trace
  /** Wakes the consumers of the trails; null if they run in process. */
  readonly queue: WakeUpQueue | null
  /** Keeps work alive after the response; null if the response waits for it. */
  readonly waitUntil: ((work: Promise<unknown>) => void) | null
}

/** The values of a span: names and numbers, never values of a row, an actor or a request. */
export type SpanAttributes = Readonly<Record<string, string | number>>

/** Runs work within a span of this name. */
export type Trace = <T>(
  name: string,
  attributes: SpanAttributes,
  run: () => Promise<T>
) => Promise<T>

/** The functions that observe the library, and the clock of their durations. */
export type Observer = Pick<Runtime, 'measure' | 'trace' | 'now'>

/** The outcome of an operation or a call, and its duration. */
export interface Took {
  /** `refused`: an expected "no". `failed`: a store or the host did not answer, or an error was thrown. */
  readonly outcome: 'ok' | 'refused' | 'failed'
  /** The code of the refusal, `error` for an error, and null after a success. */
  readonly code: string | null
  readonly milliseconds: number
}

/**
 * A metric: names and numbers, never values of a row, an actor or a request.
 *
 * `audit.recorded` is sent once per event, in order, after its batch is committed; `audit.attempt` once
 * per delivery to a sink; `seat.drift_repaired` once per kind of difference that was repaired;
 * `audit.purged` once per run of retention.
 *
 * `operation` is sent once per operation, when its result is known; `ledger.call` once per call of a ledger;
 * `queue.batch` and `sweep.run` once per batch of the queue and per part of a sweep; `audit.lag` once per
 * consumer of the trails and sweep.
 */
export type Metric =
  | (Took & {
      readonly name: 'operation'
      readonly operation: string
      /** How often it was planned again, because a row that it had read was changed. */
      readonly retries: number
      /** Its round trips to D1 up to the result. */
      readonly trips: number
    })
  | (Took & {
      readonly name: 'ledger.call'
      readonly call: string
    })
  | {
      readonly name: 'queue.batch'
      readonly outcome: 'ok' | 'failed'
      readonly messages: number
      /** The deliveries of events to sinks that succeeded. */
      readonly events: number
      readonly milliseconds: number
    }
  | {
      readonly name: 'sweep.run'
      readonly sweep: string
      readonly outcome: 'ok' | 'failed'
      /** The statements that it sent to D1. */
      readonly statements: number
      /** Whether it left work for the next run. */
      readonly leftOver: boolean
      readonly milliseconds: number
    }
  | {
      readonly name: 'audit.lag'
      /** The id of a sink, `seat_ledger` or `audit_log`. */
      readonly consumer: string
      /** The age of the oldest event that it has not read; 0 if it has read all. */
      readonly seconds: number
    }
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

/** The actor of an event. `system` is the host itself and has no id. */
export type AuditActor =
  | {
      readonly type: 'user' | 'operator' | 'service_account' | 'webhook' | 'job'
      readonly id: string
    }
  | { readonly type: 'system' | 'anonymous'; readonly id: null }

/** The actor that an event names, and the user whose rights the actor used, if any. */
export interface Attribution {
  readonly actor: AuditActor
  readonly effectiveUserId: string | null
  /** The event that caused all those of the caller: the start of their impersonation. */
  readonly causeEventId?: string
}
