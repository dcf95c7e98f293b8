import type { AuditEvent } from '../audit/event.ts'

/**
 * What became of one delivery. `retry` is tried again later, in order; `permanent` never, it goes to
 * the dead letters at once; `pause` stops the sink for this organization until somebody resumes it.
 */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry'; readonly reason: string; readonly afterSeconds?: number }
  | { readonly outcome: 'permanent' | 'pause'; readonly reason: string }

/** What is kept from a sink: see {@link Sink.redact}. */
export interface Redaction {
  /** Fields that are left out. */
  readonly exclude?: readonly string[]
  /** Fields that say `[redacted]`. */
  readonly mask?: readonly string[]
}

/**
 * Where audit events are forwarded to. Each organization's events come one at a time and in
 * sequence, at least once: the event's id tells a repeat. Throwing counts as `retry`.
 *
 * @example
 * ```ts
 * const log: Sink = {
 *   id: 'log',
 *   include: ['organization.*'],
 *   redact: { exclude: ['personal'] },
 *   async deliver(event) {
 *     console.log(event.sequence, event.action)
 *     return { outcome: 'delivered' }
 *   },
 * }
 * ```
 */
export interface Sink {
  /** Names the sink's cursor: changing it starts a new sink. */
  readonly id: string
  /** Actions that are taken, such as `organization.member_add` or `organization.*`. Default all. */
  readonly include?: readonly string[]
  /** Actions that are not taken, though they are included. */
  readonly exclude?: readonly string[]
  /** Whether the sink takes events of this action, where patterns do not say it. */
  accepts?(action: string): boolean
  /**
   * Fields that do not leave. A name stands for that field wherever it is; a path
   * (`metadata.old_name`) for the one place.
   */
  readonly redact?: Redaction
  /** Events recorded before then are passed over. Default none: a new sink gets all there are. */
  readonly since?: Date
  /** How long an event is tried before it goes to the dead letters, in hours. Default 75. */
  readonly retryHours?: number
  /** Whether retention waits until this sink has had an event. Default true. */
  readonly required?: boolean
  /**
   * How many events of an organization it gets a minute at most, where there is a backlog: what a new
   * sink and a replay begin with. Default as many as it takes.
   */
  readonly eventsPerMinute?: number
  /**
   * When events are delivered. `async`: by the queue, which there has to be. `auto`, by default: by the
   * queue, or without one after the answer. `sync`: before the answer, which waits `deadlineSeconds` for
   * it at most; later attempts come like those of the others.
   */
  readonly dispatch?: 'auto' | 'async' | 'sync'
  /** How long answers wait for a `sync` sink. Default 5. */
  readonly deadlineSeconds?: number
  /** Whether it is switched off: it gets nothing, and a warning at start says so. */
  readonly disabled?: boolean
  /** Where it says how the sink is set up, for the warning if it is missing. */
  readonly setUpPage?: string
  /**
   * Asked once, at start, whether it can work. An error, answered or thrown, means that it is missing:
   * it gets nothing, and a warning says so. What the error says is told to nobody.
   */
  attach?(): Error | undefined
  /** The library's own: nobody sees it, and nobody replays it. */
  readonly internal?: boolean
  deliver(event: AuditEvent): Promise<Delivery>
  /** Takes several in one go, in sequence, at most 100: all of them, or none. */
  deliverMany?(events: readonly AuditEvent[]): Promise<Delivery>
}
