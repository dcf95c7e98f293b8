/**
 * Invitation tokens: 32 random bytes in an envelope that only this host can have sealed. Nothing but
 * a hash of them is ever stored.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import * as v from 'valibot'

/** What an envelope says. */
export interface Envelope {
  readonly invitationId: string
  readonly expiresAt: Date
  /** SHA-256 of the token's text, in hex: what the invitation's row has. */
  readonly tokenHash: string
  /** Whether it was made out to this address. */
  isFor(email: string): boolean
}

/** A token that was just made: the envelope goes to the person, the hash into the database. */
export interface NewToken {
  readonly envelope: string
  readonly tokenHash: string
}

const PURPOSE = 'seatgate/invitation/1'
const EMAIL_PURPOSE = 'seatgate/invitation-email/1'
const MAC_BYTES = 32
const LONGEST_ENVELOPE = 1024

const Payload = v.strictTuple([
  v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
  v.pipe(v.string(), v.minLength(1)),
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
])

/** Seals a token for an invitation. The address is bound by a keyed digest: the link does not tell it. */
export function sealToken(
  secret: string,
  random: Uint8Array,
  {
    id,
    expiresAt,
    email,
  }: {
    readonly id: string
    readonly expiresAt: Date
    readonly email: string
  }
): NewToken {
  const raw = toBase64Url(random)
  const payload: v.InferOutput<typeof Payload> = [
    raw,
    id,
    expiresAt.getTime(),
    emailDigest(secret, email),
  ]
  const bytes = utf8ToBytes(JSON.stringify(payload))
  const envelope = toBase64Url(concatBytes(mac(secret, PURPOSE, bytes), bytes))
  return { envelope, tokenHash: hashOf(raw) }
}

/** Opens an envelope; null for whatever was not sealed here for this purpose, without a word why. */
export function openToken(secret: string, text: unknown): Envelope | null {
  if (typeof text !== 'string' || text.length > LONGEST_ENVELOPE) return null
  const sealed = fromBase64Url(text)
  if (sealed === null || sealed.length <= MAC_BYTES || toBase64Url(sealed) !== text) return null
  const bytes = sealed.subarray(MAC_BYTES)
  if (!equal(sealed.subarray(0, MAC_BYTES), mac(secret, PURPOSE, bytes))) return null
  const payload = v.safeParse(Payload, parse(bytes))
  if (!payload.success) return null
  const [raw, invitationId, expiresAt, digest] = payload.output
  return {
    invitationId,
    expiresAt: new Date(expiresAt),
    tokenHash: hashOf(raw),
    isFor: (email) => equal(utf8ToBytes(digest), utf8ToBytes(emailDigest(secret, email))),
  }
}

/** Whether two hashes in hex are the same, in a time that does not tell where they differ. */
export function sameHash(a: string, b: string): boolean {
  return equal(utf8ToBytes(a), utf8ToBytes(b))
}

function mac(secret: string, purpose: string, bytes: Uint8Array): Uint8Array {
  return hmac(sha256, utf8ToBytes(secret), concatBytes(utf8ToBytes(`${purpose}\n`), bytes))
}

function emailDigest(secret: string, email: string): string {
  return bytesToHex(mac(secret, EMAIL_PURPOSE, utf8ToBytes(email)))
}

function hashOf(raw: string): string {
  return bytesToHex(sha256(utf8ToBytes(raw)))
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length
  for (const [index, byte] of a.entries()) difference |= byte ^ (b[index] ?? 0)
  return difference === 0
}

function parse(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
  } catch {
    return null
  }
}

function toBase64Url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replace(/=+$/, '')
}

function fromBase64Url(text: string): Uint8Array | null {
  if (!/^[\w-]+$/.test(text)) return null
  try {
    const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'))
    return Uint8Array.from(binary, (char) => char.charCodeAt(0))
  } catch {
    return null
  }
}
