import { checkOptionNames, namesOf } from '../../base/names.ts'
import { cloudEventEnvelope, plainEnvelope, type CloudEventNames } from './envelopes.ts'
import { ocsfEnvelope, type OcsfSource } from './ocsf.ts'
import type { AuditEvent } from '../../engine/audit/event.ts'
import type { Delivery, Sink } from '../../engine/delivery/sink.ts'
import { base64, fromBase64, sha256 } from '../../proof/encoding.ts'
import { importSeed, sign } from '../../proof/note.ts'

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
 * base64 HMAC-SHA256 of `id.timestamp.body`, or `v1a,` and its Ed25519 signature), and `traceparent` if the
 * change was requested with one; the body is `{ type, timestamp, data }`. Any 2xx is a delivery; redirects are not followed. 410 pauses the sink; other 4xx
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
    throw new TypeError('webhookSink: ocsf needs occurredAt, which redact removes.')
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
          ...(await traceOf(event)),
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

// The trace of the request in which the change was made; the span is the same in every attempt. A host
// may have set any text, and a redacted field is absent or masked.
async function traceOf({ id, traceId }: AuditEvent): Promise<{ readonly traceparent?: string }> {
  if (!/^(?!0{32})[0-9a-f]{32}$/.test(traceId ?? '')) return {}
  return { traceparent: `00-${traceId}-${(await sha256(id)).slice(0, 16)}-01` }
}

function envelopeOf({ cloudEvents, ocsf }: Pick<WebhookSinkOptions, 'cloudEvents' | 'ocsf'>) {
  if (cloudEvents && ocsf) throw new TypeError('webhookSink: pass either cloudEvents or ocsf.')
  if (ocsf) return ocsfEnvelope(ocsf)
  return cloudEvents ? cloudEventEnvelope(cloudEvents) : plainEnvelope
}

// Client errors that may succeed later; every other one is permanent.
const TRANSIENT = new Set([408, 425, 429])

function delivery({ ok, status, headers }: Response, now: Date): Delivery {
  if (ok) return { outcome: 'delivered' }
  const reason = `status_${status}`
  if (status === 410) return { outcome: 'pause', reason }
  if (status >= 400 && status < 500 && !TRANSIENT.has(status))
    return { outcome: 'permanent', reason }
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

// Names that no public resolver knows: reserved ones (RFC 2606, 6761, 6762, 7686, 8375, 9476), those that
// ICANN does not delegate, and those that home networks, clouds and clusters give to their machines.
const INNER_ENDS = new Set(
  (
    'localhost local localdomain localnet test invalid example onion alt arpa i2p ' +
    'internal intranet intra private lan home homenet corp mail domain workgroup router gateway ' +
    'svc default cluster pod kube consul nomad docker lxd mesh'
  ).split(' ')
)

const LONGEST_NAME = 253
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/
const TOP_LABEL = /^(?:[a-z]{2,63}|xn--[a-z0-9-]{1,59})$/
const LOOPBACK = /^((.+\.)?localhost\.?|127(\.\d+){3}|\[::1\])$/

/**
 * Checks the address that events are posted to: https to a public name. Refuses every number, and with
 * them private, link-local and metadata addresses in any notation, and names that are not public by their
 * form: one label, an empty or too long label, a trailing dot, a reserved ending, an ending of networks
 * and clusters. A Worker cannot see the address that a name resolves to, so a public name that leads to a
 * private address passes. The fetch of a Worker goes out from a network without a route to private
 * addresses.
 *
 * @throws {TypeError} if the address is refused. The message gives the reason.
 */
function checkedAddress(url: string, allowLoopback: boolean): string {
  if (!URL.canParse(url)) throw new TypeError('webhookSink: url is not a URL.')
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) throw new TypeError('webhookSink: url must not contain credentials.')
  if (allowLoopback && LOOPBACK.test(hostname) && /^https?:$/.test(protocol)) return url
  if (protocol !== 'https:') throw new TypeError('webhookSink: url must be https.')
  if (!isPublicName(hostname)) {
    throw new TypeError('webhookSink: url must name a public host, not an IP address.')
  }
  return url
}

function isPublicName(hostname: string): boolean {
  const labels = hostname.split('.')
  const top = labels.at(-1) ?? ''
  if (labels.length < 2 || hostname.length > LONGEST_NAME) return false
  return labels.every((label) => LABEL.test(label)) && TOP_LABEL.test(top) && !INNER_ENDS.has(top)
}

/** Signs the content of a webhook: `v1,…` or `v1a,…`. */
export type WebhookKey = (bytes: Uint8Array<ArrayBuffer>) => Promise<string>

/**
 * Parses a signing key of Standard Webhooks: `whsk_` and base64 is an Ed25519 private key (v1a), `whsec_`
 * and base64 or any other text a shared secret (v1).
 *
 * @throws {TypeError} if it is not a valid key. The message does not contain the key.
 */
function webhookKey(secret: string): WebhookKey {
  if (typeof secret !== 'string' || secret === '') {
    throw new TypeError('webhookSink: secret must not be empty.')
  }
  return secret.startsWith('whsk_') ? asymmetric(secret) : symmetric(secret)
}

function symmetric(secret: string): WebhookKey {
  const bytes = secret.startsWith('whsec_')
    ? decoded(secret, 'whsec_')
    : new Uint8Array(new TextEncoder().encode(secret))
  if (bytes.length === 0) throw new TypeError('webhookSink: secret must not be empty.')
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  return async (signed) => {
    const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['sign'])
    return `v1,${base64(new Uint8Array(await crypto.subtle.sign('HMAC', key, signed)))}`
  }
}

// Some tools append the public key to the private one.
function asymmetric(secret: string): WebhookKey {
  const bytes = decoded(secret, 'whsk_')
  if (bytes.length !== 32 && bytes.length !== 64) {
    throw new TypeError('webhookSink: secret has whsk_ without an Ed25519 key.')
  }
  const seed = bytes.slice(0, 32)
  return async (signed) => `v1a,${base64(await sign(await importSeed(seed), signed))}`
}

function decoded(secret: string, prefix: string): Uint8Array<ArrayBuffer> {
  const text = secret.slice(prefix.length)
  const bytes = fromBase64(text + '='.repeat((4 - (text.length % 4)) % 4)) ?? fromBase64(text)
  if (bytes === null) throw new TypeError(`webhookSink: secret has ${prefix} without base64.`)
  return bytes
}
