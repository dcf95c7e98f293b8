import { base64, fromBase64 } from '../../proof/base64.ts'
import { importSeed, sign } from '../../proof/ed25519.ts'

/** Signs the content of a webhook: `v1,…` or `v1a,…`. */
export type WebhookKey = (bytes: Uint8Array<ArrayBuffer>) => Promise<string>

/**
 * Parses a signing key of Standard Webhooks: `whsk_` and base64 is an Ed25519 private key (v1a), `whsec_`
 * and base64 or any other text a shared secret (v1).
 *
 * @throws {TypeError} if it is not a valid key. The message does not contain the key.
 */
export function webhookKey(secret: string): WebhookKey {
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
    throw new TypeError('webhookSink: secret has whsk_ and then no Ed25519 key.')
  }
  const seed = bytes.slice(0, 32)
  return async (signed) => `v1a,${base64(await sign(await importSeed(seed), signed))}`
}

function decoded(secret: string, prefix: string): Uint8Array<ArrayBuffer> {
  const text = secret.slice(prefix.length)
  const bytes = fromBase64(text + '='.repeat((4 - (text.length % 4)) % 4)) ?? fromBase64(text)
  if (bytes === null) throw new TypeError(`webhookSink: secret has ${prefix} and then no base64.`)
  return bytes
}
