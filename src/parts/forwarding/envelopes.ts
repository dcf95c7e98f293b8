import type { AuditEvent } from '../../engine/audit/event.ts'

/** The attributes of CloudEvents that name the source. */
export interface CloudEventNames {
  /** The context of the events, as a URI reference such as `https://app.example.com`. */
  readonly source: string
  /** The prefix of types, as a reversed domain: `com.example.`. Empty by default. */
  readonly typePrefix?: string
}

/** The body of a request and its content type. */
export interface Envelope {
  readonly contentType: string
  body(event: AuditEvent): object
}

/** The envelope of Standard Webhooks: `{ type, timestamp, data }`. */
export const plainEnvelope: Envelope = {
  contentType: 'application/json',
  body: (event) => ({ type: event.action, timestamp: event.occurredAt, data: event }),
}

/**
 * The envelope of CloudEvents 1.0 in its structured JSON form, with the extensions `sequence` (as a
 * text that sorts) and `partitionkey` (the organization).
 *
 * @see https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/spec.md
 * @throws {TypeError} if there is no source.
 */
export function cloudEventEnvelope({ source, typePrefix = '' }: CloudEventNames): Envelope {
  if (typeof source !== 'string' || !isReference(source)) {
    throw new TypeError('webhookSink: cloudEvents needs a source, as a URI reference.')
  }
  return {
    contentType: 'application/cloudevents+json',
    body: (event) => ({
      specversion: '1.0',
      id: event.id,
      source,
      type: `${typePrefix}${event.action}`,
      // A sink may have masked it.
      ...(!Number.isNaN(Date.parse(event.occurredAt)) && { time: event.occurredAt }),
      ...(event.targetType && { subject: `${event.targetType}/${event.targetId ?? ''}` }),
      datacontenttype: 'application/json',
      partitionkey: event.organizationId,
      sequence: String(event.sequence).padStart(12, '0'),
      data: event,
    }),
  }
}

// RFC 3986 allows these characters in a URI reference.
const REFERENCE = /^([\w\-.~:/?#[\]@!$&'()*+,;=]|%[\da-f]{2})+$/i

function isReference(text: string): boolean {
  return REFERENCE.test(text) && URL.canParse(text, 'https://base.example')
}
