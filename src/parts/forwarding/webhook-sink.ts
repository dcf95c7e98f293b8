import { checkOptionNames, namesOf } from '../../base/names.ts'
import { checkedAddress } from './webhook-address.ts'
import { cloudEventEnvelope, plainEnvelope, type CloudEventNames } from './envelopes.ts'
import { ocsfEnvelope, type OcsfSource } from './ocsf.ts'
import type { Delivery, Sink } from '../../engine/delivery/sink.ts'
import { webhookKey } from './webhook-signature.ts'

/** The options that every sink has. */
export type SinkOptions = Pick<
  Sink,
  | 'accepts'
  | 'include'
  | 'exclude'
  | 'redact'
  | 'since'
  | 'retryHours'
  | 'required'
  | 'eventsPerMinute'
  | 'dispatch'
  | 'deadlineSeconds'
  | 'disabled'
>

/** Options of {@link webhookSink}. */
export interface WebhookSinkOptions extends SinkOptions {
  /** The name of the sink's cursor. Default `"webhook"`. */
  readonly id?: string
  /** The address that events are posted to: https, without credentials. */
  readonly url: string
  /**
   * The signing secret: `whsec_` and base64, or any text, whose UTF-8 bytes are the key; `whsk_` and
   * base64 is an Ed25519 private key, whose signatures a receiver can verify and not forge. A list signs
   * with each secret, which allows replacing one. `null` sends unsigned requests, whose sender the
   * receiver cannot verify.
   */
  readonly secret: string | readonly string[] | null
  /** Whether plain http to this machine is allowed. For local development; default false. */
  readonly allowLoopback?: boolean
  /** Sends CloudEvents 1.0 in place of the plain envelope. */
  readonly cloudEvents?: CloudEventNames | undefined
  /** Sends OCSF events in place of the plain envelope. */
  readonly ocsf?: OcsfSource | undefined
  /** Sends a request. Default `fetch`. */
  readonly fetch?: typeof fetch
  /** Returns the time of an attempt. Default: the system's clock. */
  readonly now?: () => Date
}

/** The names of {@link SinkOptions}. */
export const SINK_OPTIONS = namesOf<SinkOptions>({
  accepts: true,
  include: true,
  exclude: true,
  redact: true,
  since: true,
  retryHours: true,
  required: true,
  eventsPerMinute: true,
  dispatch: true,
  deadlineSeconds: true,
  disabled: true,
})
const OPTIONS = [
  ...SINK_OPTIONS,
  ...namesOf<Omit<WebhookSinkOptions, keyof SinkOptions>>({
    id: true,
    url: true,
    secret: true,
    allowLoopback: true,
    cloudEvents: true,
    ocsf: true,
    fetch: true,
    now: true,
  }),
]

const TIMEOUT_MS = 10_000

/**
 * Forwards events to a webhook, one request each, signed as in Standard Webhooks: the headers are
 * `webhook-id` (the event's id), `webhook-timestamp` (seconds) and `webhook-signature` (`v1,` and the
 * base64 HMAC-SHA256 of `id.timestamp.body`, or `v1a,` and its Ed25519 signature); the body is `{ type,
 * timestamp, data }`. Any 2xx is a delivery; redirects are not followed. 410 pauses the sink; other 4xx
 * are permanent, except 408, 425 and 429.
 *
 * @see https://www.standardwebhooks.com
 * @throws {TypeError} if an option is invalid. The message names it.
 *
 * @example
 * ```ts
 * webhookSink({ url: 'https://logs.example.com/audit', secret: env.AUDIT_WEBHOOK_SECRET })
 * ```
 */
export function webhookSink(given: WebhookSinkOptions): Sink {
  checkOptionNames('webhookSink', given, OPTIONS)
  const {
    id = 'webhook',
    url,
    secret,
    allowLoopback = false,
    cloudEvents,
    ocsf,
    fetch: post = (...request: Parameters<typeof fetch>) => fetch(...request),
    now = () => new Date(),
    ...options
  } = given
  const address = checkedAddress(url, allowLoopback)
  const envelope = envelopeOf({ cloudEvents, ocsf })
  const { exclude = [], mask = [] } = options.redact ?? {}
  if (ocsf && [...exclude, ...mask].includes('occurredAt')) {
    throw new TypeError('webhookSink: ocsf requires the time, occurredAt.')
  }
  const keys = secret === null ? [] : [secret].flat().map(webhookKey)
  if (secret !== null && keys.length === 0) {
    throw new TypeError('webhookSink: secret must not be empty.')
  }
  return {
    id,
    setUpPage: 'docs/forwarding.md#the-webhook',
    ...options,
    async deliver(event) {
      const time = now()
      const timestamp = Math.floor(time.getTime() / 1000)
      const body = JSON.stringify(envelope.body(event))
      const signed = new TextEncoder().encode(`${event.id}.${timestamp}.${body}`)
      const signatures = await Promise.all(keys.map((sign) => sign(new Uint8Array(signed))))
      const response = await post(address, {
        method: 'POST',
        headers: {
          'content-type': envelope.contentType,
          'webhook-id': event.id,
          'webhook-timestamp': String(timestamp),
          ...(keys.length > 0 && { 'webhook-signature': signatures.join(' ') }),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      // The body of the answer is not read, and an error in cancelling it is ignored.
      response.body?.cancel().catch(() => {})
      return delivery(response, time)
    },
  }
}

function envelopeOf({ cloudEvents, ocsf }: Pick<WebhookSinkOptions, 'cloudEvents' | 'ocsf'>) {
  if (cloudEvents && ocsf) throw new TypeError('webhookSink: either cloudEvents or ocsf.')
  if (ocsf) return ocsfEnvelope(ocsf)
  return cloudEvents ? cloudEventEnvelope(cloudEvents) : plainEnvelope
}

// Client errors that may succeed later; every other one is permanent.
const PASSING = new Set([408, 425, 429])

function delivery({ ok, status, headers }: Response, now: Date): Delivery {
  if (ok) return { outcome: 'delivered' }
  const reason = `status_${status}`
  if (status === 410) return { outcome: 'pause', reason }
  if (status >= 400 && status < 500 && !PASSING.has(status)) return { outcome: 'permanent', reason }
  const afterSeconds = secondsUntil(headers.get('retry-after'), now)
  return { outcome: 'retry', reason, ...(afterSeconds !== null && { afterSeconds }) }
}

// A number of seconds or a date (RFC 9110).
function secondsUntil(header: string | null, now: Date): number | null {
  if (header === null) return null
  const seconds = /^\d+$/.test(header)
    ? Number(header)
    : (Date.parse(header) - now.getTime()) / 1000
  return seconds > 0 ? Math.ceil(seconds) : null
}
