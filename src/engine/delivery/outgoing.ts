/**
 * The events and fields that a sink receives. They depend on its configuration only, so that every
 * attempt of one event is the same.
 *
 * @module
 */
import type { PassedOver } from '../../database/schema.ts'
import { keptOutBy, PATTERN } from '../audit/action-patterns.ts'
import { ACTIONS } from '../audit/actions.ts'
import type { AuditEvent } from '../audit/event.ts'
import type { Redaction, Sink } from './sink.ts'

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

/** Returns the error in a sink's configuration; null if there is none. */
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
