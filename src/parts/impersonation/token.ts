import { hasChecksum, hashOfToken, tokenText } from '../../base/token-text.ts'

/** How the token of an impersonation begins. */
export const BEGINNING = 'sg_impersonation-'

const TOKEN = /^sg_impersonation-[0-9A-Za-z]{49}$/

/**
 * Returns whether a text has the form and the checksum of an impersonation token, for secret scanners. The
 * impersonation may have ended.
 *
 * @example
 * ```ts
 * const leaked = text.match(/\bsg_impersonation-[0-9A-Za-z]{49}\b/g)?.filter(isImpersonationToken)
 * ```
 */
export function isImpersonationToken(text: unknown): text is string {
  return typeof text === 'string' && TOKEN.test(text) && hasChecksum(text)
}

/** Returns the token of a new impersonation. */
export function newToken(secret: Uint8Array): string {
  return tokenText(BEGINNING, secret)
}

/** Returns the hash that a token is stored and found by. */
export function hashOf(token: string): string {
  return hashOfToken('seatgate-impersonation/v1', token)
}
