import { fromBase64 } from '../../proof/encoding.ts'
import { isWithinTolerance, type WebhookRefusal, type WebhookRequest } from './webhook-request.ts'

/** A webhook whose signature fits: its id and its text. */
export type Checked =
  | { readonly verified: true; readonly id: string; readonly text: string }
  | { readonly verified: false; readonly reason: WebhookRefusal }

/**
 * Checks a webhook of Standard Webhooks, signed with a shared secret (`v1`). Each secret is tried as its
 * text and as the base64 after `whsec_`, because senders disagree.
 *
 * @see https://www.standardwebhooks.com
 */
export async function checkStandardWebhook(
  { body, headers, now }: WebhookRequest,
  secrets: readonly string[],
  toleranceSeconds: number
): Promise<Checked> {
  const id = headers.get('webhook-id') ?? ''
  const timestamp = headers.get('webhook-timestamp') ?? ''
  if (id === '' || !/^\d{1,12}$/.test(timestamp)) return { verified: false, reason: 'signature' }
  const signed = joined(`${id}.${timestamp}.`, body)
  const signatures = signaturesIn(headers.get('webhook-signature') ?? '')
  if (!(await isSigned(signed, signatures, secrets.flatMap(keysOf)))) {
    return { verified: false, reason: 'signature' }
  }
  if (!isWithinTolerance(Number(timestamp), now, toleranceSeconds)) {
    return { verified: false, reason: 'time' }
  }
  const text = textOf(body)
  return text === null ? { verified: false, reason: 'body' } : { verified: true, id, text }
}

const MOST_SIGNATURES = 10

function signaturesIn(header: string): readonly Uint8Array<ArrayBuffer>[] {
  return header
    .split(' ')
    .slice(0, MOST_SIGNATURES)
    .flatMap((part) => {
      const bytes = part.startsWith('v1,') ? fromBase64(part.slice(3)) : null
      return bytes === null ? [] : [bytes]
    })
}

async function isSigned(
  signed: Uint8Array<ArrayBuffer>,
  signatures: readonly Uint8Array<ArrayBuffer>[],
  keys: readonly Uint8Array<ArrayBuffer>[]
): Promise<boolean> {
  const algorithm = { name: 'HMAC', hash: 'SHA-256' }
  for (const bytes of keys) {
    const key = await crypto.subtle.importKey('raw', bytes, algorithm, false, ['verify'])
    for (const signature of signatures) {
      if (await crypto.subtle.verify('HMAC', key, signature, signed)) return true
    }
  }
  return false
}

function keysOf(secret: string): Uint8Array<ArrayBuffer>[] {
  const text = new Uint8Array(new TextEncoder().encode(secret))
  const decoded = fromBase64(secret.replace(/^whsec_/, ''))
  return decoded === null || decoded.length === 0 ? [text] : [text, decoded]
}

function joined(head: string, body: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = new TextEncoder().encode(head)
  const all = new Uint8Array(start.length + body.length)
  all.set(start)
  all.set(body, start.length)
  return all
}

function textOf(body: Uint8Array): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)
  } catch {
    return null
  }
}
