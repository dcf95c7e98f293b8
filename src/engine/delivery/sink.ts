import type { AuditEvent } from '../audit/event.ts'
import type { PassedOver } from '../../database/schema/forwarding-tables.ts'
import { PATTERN, keptOutBy } from '../audit/filters.ts'
import { ACTIONS } from '../audit/actions.ts'

/**
 * The outcome of a delivery. `retry` is tried again later, in order; `permanent` is not tried again and
 * becomes a dead letter at once; `pause` stops the sink for this organization until it is resumed.
 */
export type Delivery =
  | { readonly outcome: 'delivered' }
  | { readonly outcome: 'retry'; readonly reason: string; readonly afterSeconds?: number }
  | { readonly outcome: 'permanent' | 'pause'; readonly reason: string }

/** Fields that a sink does not receive: see {@link Sink.redact}. */
export interface Redaction {
  /** Fields that are left out. */
  readonly exclude?: readonly string[]
  /** Fields that are replaced by `[redacted]`. */
  readonly mask?: readonly string[]
}

/**
 * A destination of audit events. Each organization's events arrive one at a time and in sequence, at
 * least once; the event's id identifies a repeat. Throwing counts as `retry`.
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
  /** The name of the sink's cursor; changing it starts a new sink. */
  readonly id: string
  /** Actions that are taken, such as `organization.member_add` or `organization.*`. Default all. */
  readonly include?: readonly string[]
  /** Actions that are not taken, even if they are included. */
  readonly exclude?: readonly string[]
  /** Decides by code whether the sink takes events of this action, in addition to the patterns. */
  accepts?(action: string): boolean
  /**
   * Fields that are removed or masked. A name stands for that field at every place; a path
   * (`metadata.old_name`) for one place.
   */
  readonly redact?: Redaction
  /** Events that were recorded earlier are passed over. By default a new sink receives all events. */
  readonly since?: Date
  /** For how many hours an event is retried before it becomes a dead letter. Default 75. */
  readonly retryHours?: number
  /** Whether retention waits until this sink has received an event. Default true. */
  readonly required?: boolean
  /**
   * How many events of an organization the sink receives per minute at most. It limits a backlog, as
   * after adding a sink or a replay. No limit by default.
   */
  readonly eventsPerMinute?: number
  /**
   * When events are delivered. `async`: by the queue, which is then required. `auto` (default): by the
   * queue, or without one after the response. `sync`: before the response, which waits `deadlineSeconds`
   * at most; later attempts are made as for other sinks.
   */
  readonly dispatch?: 'auto' | 'async' | 'sync'
  /** For how many seconds a response waits for a `sync` sink. Default 5. */
  readonly deadlineSeconds?: number
  /** Whether the sink is switched off: it receives no events, and a warning is reported at start. */
  readonly disabled?: boolean
  /** The page that explains the setup of the sink, for the warning if it is missing. */
  readonly setUpPage?: string
  /**
   * Checks once, at start, whether the sink can work. If it returns or throws an error, the sink is
   * missing: it receives no events, and a warning is reported. The text of the error is not reported,
   * because it may contain a secret.
   */
  attach?(): Error | undefined
  /** Whether the sink belongs to the library: it is not listed and cannot be replayed. */
  readonly internal?: boolean
  deliver(event: AuditEvent): Promise<Delivery>
  /** Delivers up to 100 events in one call, in sequence: all of them or no event. */
  deliverMany?(events: readonly AuditEvent[]): Promise<Delivery>
}

const MASK = '[redacted]'
// The fields that a receiver needs to detect repeats and to restore the order, and the action.
const KEPT = ['id', 'organizationId', 'sequence', 'action']
const FIELDS = new Set(
  (
    'id organizationId sequence action outcome actorType actorId effectiveUserId targetType targetId ' +
    'metadata requestId traceId causeEventId idempotencyKey schemaVersion occurredAt insertedAt ' +
    'personalDigest personal'
  ).split(' ')
)
const INNER = new Set([
  'ipAddress',
  'userAgent',
  'salt',
  ...Object.values(ACTIONS).flatMap(({ metadata }) => Object.keys(metadata.entries)),
])
const DISPATCHES = ['auto', 'async', 'sync']

/** Returns which part of its configuration excludes an event from a sink; null if the sink takes it. */
export function passedBecause(
  sink: Sink,
  { action, insertedAt }: AuditEvent
): PassedOver['because'] | null {
  const { since } = sink
  if (since !== undefined && Date.parse(insertedAt) < since.getTime()) return 'since'
  return keptOutBy(sink, action)
}

/** Returns an event as a sink receives it. */
export function redacted(event: AuditEvent, redaction: Redaction | undefined): AuditEvent {
  if (redaction === undefined) return event
  const { exclude = [], mask = [] } = redaction
  const walk = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((item) => walk(item, path))
    if (typeof value !== 'object' || value === null) return value
    const kept = Object.entries(value).flatMap(([name, member]) => {
      const own = path === '' ? name : `${path}.${name}`
      const names = (each: string) => each === name || each === own
      if (exclude.some(names)) return []
      if (mask.some(names)) return [[name, member === null ? null : MASK] as const]
      return [[name, walk(member, own)] as const]
    })
    return Object.fromEntries(kept)
  }
  return walk(event, '') as AuditEvent
}

/** Returns the error in a sink's configuration, or null. */
export function sinkMistake(sink: Sink): string | null {
  if (typeof sink?.deliver !== 'function') return 'is not a sink: it has no deliver.'
  if (typeof sink.id !== 'string' || !/^[\w.-]{1,64}$/.test(sink.id)) {
    return 'needs an id of 1 to 64 letters, digits, dots, dashes and underscores.'
  }
  const wrong = [...(sink.include ?? []), ...(sink.exclude ?? [])].find(
    (pattern) => typeof pattern !== 'string' || !PATTERN.test(pattern)
  )
  if (wrong !== undefined) return `has an invalid pattern: "${wrong}".`
  if (sink.retryHours !== undefined && !(sink.retryHours > 0)) return 'needs positive retryHours.'
  if (sink.since !== undefined && Number.isNaN(sink.since.getTime()))
    return 'needs a valid time in since.'
  const { eventsPerMinute = 1, deadlineSeconds = 1, dispatch = 'auto' } = sink
  if (!(Number.isInteger(eventsPerMinute) && eventsPerMinute > 0)) {
    return 'needs a whole number of eventsPerMinute.'
  }
  if (!(Number.isFinite(deadlineSeconds) && deadlineSeconds > 0)) {
    return 'needs positive deadlineSeconds.'
  }
  if (!DISPATCHES.includes(dispatch)) return 'needs a dispatch of auto, async or sync.'
  return redactionMistake(sink.redact)
}

function redactionMistake({ exclude = [], mask = [] }: Redaction = {}): string | null {
  for (const name of [...exclude, ...mask]) {
    const [first = '', ...rest] = name.split('.')
    const known = rest.length > 0 ? FIELDS.has(first) : FIELDS.has(first) || INNER.has(first)
    if (!known || rest.includes('')) return `redacts "${name}", which is not a field.`
    if (KEPT.includes(name)) return `redacts "${name}", which receivers need to identify events.`
  }
  const both = exclude.find((name) => mask.includes(name))
  return both === undefined ? null : `both excludes and masks "${both}".`
}
