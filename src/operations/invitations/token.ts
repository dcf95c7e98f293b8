/**
 * Invitation tokens: 32 random bytes in an envelope that only this host can seal. Only their hash is
 * stored.
 *
 * An invitation has two tokens. The inviter's token (`told`) is returned to the inviter and admits its
 * holder. The mailed token is sent by the mailer and also proves that its holder reads the mail of the
 * address. The seal covers the kind, and the bytes of the inviter's token are a digest of those of the
 * mailed one: the mailed token cannot be derived from it, not even with the secret.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import * as v from 'valibot'
import type { Sealing } from '../../engine/changes/idempotency.ts'
import { ok, refused } from '../../base/result.ts'
import type { InvitationWithToken } from '../../engine/model/invitation.ts'
import type { InvitationContext } from './invitation-config.ts'

/** How a token reached its holder: passed on by the inviter, or mailed to the address. */
export type TokenKind = 'told' | 'mailed'

/** The content of an envelope. */
export interface Envelope {
  /** Whether the token was mailed: then its holder reads the mail of the address. */
  readonly provesMailbox: boolean
  readonly invitationId: string
  readonly expiresAt: Date
  /** SHA-256 of the inviter's token, in hex, as the invitation's row stores it. */
  readonly tokenHash: string
  /** Whether it was made out to this address. */
  isFor(email: string): boolean
}

/** A new token: the envelope is sent, the hash is stored. */
export interface NewToken {
  readonly envelope: string
  readonly tokenHash: string
}

const PURPOSES: Readonly<Record<TokenKind, string>> = {
  told: 'seatgate/invitation/1',
  mailed: 'seatgate/invitation-mail/1',
}
const TOLD_PURPOSE = 'seatgate/invitation-told/1\n'
const EMAIL_PURPOSE = 'seatgate/invitation-email/1'
const MAC_BYTES = 32
const LONGEST_ENVELOPE = 1024

const Payload = v.strictTuple([
  v.pipe(v.string(), v.regex(/^[\w-]{43}$/)),
  v.pipe(v.string(), v.minLength(1)),
  v.pipe(v.number(), v.safeInteger()),
  v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
])

/** Derives the bytes of the inviter's token from those of the mailed one. */
export function toldBytes(mailed: Uint8Array): Uint8Array {
  return sha256(concatBytes(utf8ToBytes(TOLD_PURPOSE), mailed))
}

/**
 * Seals a token for an invitation. The address is bound by a keyed digest, so that the link does not
 * reveal it.
 */
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
  },
  kind: TokenKind = 'told'
): NewToken {
  const raw = toBase64Url(random)
  const payload: v.InferOutput<typeof Payload> = [
    raw,
    id,
    expiresAt.getTime(),
    emailDigest(secret, email),
  ]
  const bytes = utf8ToBytes(JSON.stringify(payload))
  const envelope = toBase64Url(concatBytes(mac(secret, PURPOSES[kind], bytes), bytes))
  return { envelope, tokenHash: storedHash(kind, raw) }
}

/** Opens an envelope. Returns null for any text that was not sealed here as a token, without a reason. */
export function openToken(secret: string, text: unknown): Envelope | null {
  if (typeof text !== 'string' || text.length > LONGEST_ENVELOPE) return null
  const sealed = fromBase64Url(text)
  if (sealed === null || sealed.length <= MAC_BYTES || toBase64Url(sealed) !== text) return null
  const bytes = sealed.subarray(MAC_BYTES)
  const kind = kindOf(secret, sealed.subarray(0, MAC_BYTES), bytes)
  if (kind === null) return null
  const payload = v.safeParse(Payload, parse(bytes))
  if (!payload.success) return null
  const [raw, invitationId, expiresAt, digest] = payload.output
  return {
    provesMailbox: kind === 'mailed',
    invitationId,
    expiresAt: new Date(expiresAt),
    tokenHash: storedHash(kind, raw),
    isFor: (email) => equal(utf8ToBytes(digest), utf8ToBytes(emailDigest(secret, email))),
  }
}

/** Compares two hashes in hex in constant time. */
export function sameHash(a: string, b: string): boolean {
  return equal(utf8ToBytes(a), utf8ToBytes(b))
}

function mac(secret: string, purpose: string, bytes: Uint8Array): Uint8Array {
  return hmac(sha256, utf8ToBytes(secret), concatBytes(utf8ToBytes(`${purpose}\n`), bytes))
}

function kindOf(secret: string, seal: Uint8Array, bytes: Uint8Array): TokenKind | null {
  if (equal(seal, mac(secret, PURPOSES.told, bytes))) return 'told'
  return equal(seal, mac(secret, PURPOSES.mailed, bytes)) ? 'mailed' : null
}

function emailDigest(secret: string, email: string): string {
  return bytesToHex(mac(secret, EMAIL_PURPOSE, utf8ToBytes(email)))
}

// Both tokens of an invitation have the same hash in its row.
function storedHash(kind: TokenKind, raw: string): string {
  const told =
    kind === 'told' ? raw : toBase64Url(toldBytes(fromBase64Url(raw) ?? new Uint8Array()))
  return bytesToHex(sha256(utf8ToBytes(told)))
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

/** 32 bytes that both tokens of an invitation are made from, and their encrypted form. */
export interface TokenSeed {
  readonly encrypted: string
  /** Seals the tokens of an invitation; deterministic for the same bytes and invitation. */
  seal(invitation: SealedFor): NewTokens
}

/** The tokens of an invitation, and the parts that its row stores. */
export interface NewTokens {
  readonly token: string
  readonly mailToken: string
  readonly tokenHash: string
}

/** The facts that a token is bound to. */
export interface SealedFor {
  readonly id: string
  readonly email: string
  readonly expiresAt: Date
}

/** Draws the bytes of a new token. */
export async function drawToken(
  context: Pick<InvitationContext, 'invitations' | 'newSecret'>
): Promise<TokenSeed> {
  const { secret } = context.invitations
  const bytes = context.newSecret()
  return {
    encrypted: await encrypt(secret, bytes),
    seal: (invitation) => sealTokens(secret, bytes, invitation),
  }
}

/** Restores the tokens of an earlier attempt from the stored form. */
export async function recallTokens(
  context: Pick<InvitationContext, 'invitations'>,
  encrypted: string,
  invitation: SealedFor
): Promise<NewTokens> {
  const { secret } = context.invitations
  return sealTokens(secret, await decrypt(secret, encrypted), invitation)
}

function sealTokens(secret: string, bytes: Uint8Array, invitation: SealedFor): NewTokens {
  const told = sealToken(secret, toldBytes(bytes), invitation, 'told')
  const mailed = sealToken(secret, bytes, invitation, 'mailed')
  return { token: told.envelope, mailToken: mailed.envelope, tokenHash: told.tokenHash }
}

/** Returns how a result with tokens is stored for a repeated operation: encrypted. */
export function tokenSealing(
  context: Pick<InvitationContext, 'invitations'>,
  { encrypted }: TokenSeed
): Sealing<InvitationWithToken, 'stored_result_unreadable'> {
  return {
    seal: ({ mailToken: _mailToken, ...value }) => ({ ...value, token: encrypted }),
    async open(kept) {
      const value = kept as Omit<InvitationWithToken, 'mailToken'>
      const draft = { ...value, expiresAt: new Date(value.expiresAt) }
      try {
        const { token, mailToken } = await recallTokens(context, value.token, draft)
        return ok({ ...value, token, mailToken })
      } catch (error) {
        // Encrypted with a secret that the host no longer has.
        if (error instanceof DOMException && error.name === 'OperationError') {
          return refused({ code: 'stored_result_unreadable' })
        }
        throw error
      }
    },
  }
}

const INFO = new TextEncoder().encode('seatgate/invitation-outbox/1')
const NONCE_BYTES = 12

/**
 * Encrypts a token for storage (AES-256-GCM with a key derived from the secret): until its mail is sent,
 * or for the stored result of an operation.
 */
export async function encrypt(secret: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES))
  const key = await keyOf(secret)
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv: nonce }, key, bytes)
  return btoa(String.fromCharCode(...nonce, ...new Uint8Array(sealed)))
}

/** @throws if it was encrypted with another secret. */
export async function decrypt(secret: string, sealed: string): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = Uint8Array.from(atob(sealed), (char) => char.charCodeAt(0))
  const opened = await crypto.subtle.decrypt(
    { name: 'AES-GCM', iv: bytes.subarray(0, NONCE_BYTES) },
    await keyOf(secret),
    bytes.subarray(NONCE_BYTES)
  )
  return new Uint8Array(opened)
}

async function keyOf(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey(
    'raw',
    new TextEncoder().encode(secret),
    'HKDF',
    false,
    ['deriveKey']
  )
  return crypto.subtle.deriveKey(
    { name: 'HKDF', hash: 'SHA-256', salt: new Uint8Array(), info: INFO },
    material,
    { name: 'AES-GCM', length: 256 },
    false,
    ['encrypt', 'decrypt']
  )
}
