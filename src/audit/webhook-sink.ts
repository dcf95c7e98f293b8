import type { AuditEvent } from './event.ts'
import type { Delivery, Sink } from './sink.ts'

/** Options of {@link webhookSink}. */
export interface WebhookSinkOptions {
  /** Names the sink's cursor. Default `"webhook"`. */
  readonly id?: string
  /** Where events are posted to: https, without credentials in the address. */
  readonly url: string
  /**
   * The signing secret: `whsec_` and base64, or any text, whose UTF-8 bytes are the key. Null, on
   * purpose: nothing is signed, and the receiver cannot tell who is speaking.
   */
  readonly secret: string | null
  /** Whether plain http to this machine is allowed. For local development; default false. */
  readonly allowLoopback?: boolean
  /** Which actions are sent. Default all. */
  readonly accepts?: (action: string) => boolean
  /** Posts a request. Default `fetch`. */
  readonly fetch?: typeof fetch
  /** The time of an attempt. Default the system's clock. */
  readonly now?: () => Date
}

const TIMEOUT_MS = 10_000

/**
 * Forwards events to a webhook, one request each, signed as Standard Webhooks has it: the headers
 * `webhook-id` (the event's id), `webhook-timestamp` (seconds) and `webhook-signature`
 * (`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`); the body is `{ type, timestamp, data }`.
 * Any 2xx is a delivery; redirects are not followed.
 *
 * @see https://www.standardwebhooks.com
 * @throws {TypeError} naming the option that is wrong.
 *
 * @example
 * ```ts
 * webhookSink({ url: 'https://logs.example.com/audit', secret: env.AUDIT_WEBHOOK_SECRET })
 * ```
 */
export function webhookSink({
  id = 'webhook',
  url,
  secret,
  allowLoopback = false,
  accepts = () => true,
  fetch: post = (...request) => fetch(...request),
  now = () => new Date(),
}: WebhookSinkOptions): Sink {
  const address = checkedAddress(url, allowLoopback)
  const key = secret === null ? null : keyBytes(secret)
  return {
    id,
    accepts,
    async deliver(event) {
      const timestamp = Math.floor(now().getTime() / 1000)
      const body = JSON.stringify(envelope(event))
      const response = await post(address, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'webhook-id': event.id,
          'webhook-timestamp': String(timestamp),
          ...(key && {
            'webhook-signature': `v1,${await sign(key, `${event.id}.${timestamp}.${body}`)}`,
          }),
        },
        body,
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      })
      await response.body?.cancel()
      return delivery(response)
    },
  }
}

function envelope(event: AuditEvent) {
  return { type: event.action, timestamp: event.occurredAt, data: event }
}

function delivery(response: Response): Delivery {
  if (response.ok) return { outcome: 'delivered' }
  const after = Number(response.headers.get('retry-after'))
  return {
    outcome: 'retry',
    reason: `status_${response.status}`,
    ...(after > 0 && after <= 86_400 && { afterSeconds: after }),
  }
}

function checkedAddress(url: string, allowLoopback: boolean): string {
  if (!URL.canParse(url)) throw new TypeError('webhookSink: url is not an address.')
  const { protocol, hostname, username, password } = new URL(url)
  if (username || password) throw new TypeError('webhookSink: url must not hold credentials.')
  const loopback = /^((.+\.)?localhost\.?|127(\.\d+){3}|\[::1\])$/.test(hostname)
  if (loopback && allowLoopback && /^https?:$/.test(protocol)) return url
  if (protocol !== 'https:') throw new TypeError('webhookSink: url must be https.')
  if (loopback || /^(\d+(\.\d+){3}|\[.*\])$/.test(hostname)) {
    throw new TypeError('webhookSink: url must name a public host, not an address.')
  }
  return url
}

function keyBytes(secret: string): Uint8Array<ArrayBuffer> {
  const key = decoded(secret ?? '')
  if (key.length === 0) throw new TypeError('webhookSink: secret must not be empty.')
  return key
}

function decoded(secret: string): Uint8Array<ArrayBuffer> {
  if (!secret.startsWith('whsec_')) return new Uint8Array(new TextEncoder().encode(secret))
  try {
    return Uint8Array.from(atob(secret.slice('whsec_'.length)), (char) => char.charCodeAt(0))
  } catch {
    throw new TypeError('webhookSink: secret has whsec_ and then no base64.')
  }
}

async function sign(key: Uint8Array<ArrayBuffer>, text: string): Promise<string> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  const imported = await crypto.subtle.importKey('raw', key, algorithm, false, ['sign'])
  const signature = await crypto.subtle.sign('HMAC', imported, new TextEncoder().encode(text))
  return btoa(String.fromCharCode(...new Uint8Array(signature)))
}
