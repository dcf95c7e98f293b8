/**
 * The text of an API key: a prefix, 32 random bytes and a checksum, in base 62.
 *
 * @module
 */
import {
  CHECKSUM_LENGTH,
  hasChecksum,
  hashOfToken,
  RANDOM_LENGTH,
  tokenText,
} from '../../base/token-text.ts'

const KEY = /^[a-z][a-z0-9]*(?:_[a-z0-9]+)*_[0-9A-Za-z]{49}$/
const LONGEST_KEY = 100

/** The form of a prefix. */
export const PREFIX = /^(?=.{1,32}$)[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/

/**
 * Returns whether a text has the form and the checksum of an API key, of this prefix or of any, for secret
 * scanners. The key may have expired or been revoked.
 *
 * @example
 * ```ts
 * const leaked = text.match(/\bacme_live_[0-9A-Za-z]{49}\b/g)?.filter((each) => isApiKey(each))
 * ```
 */
export function isApiKey(text: unknown, prefix?: string): boolean {
  if (typeof text !== 'string' || text.length > LONGEST_KEY) return false
  const beginning = text.slice(0, -RANDOM_LENGTH - CHECKSUM_LENGTH)
  if (prefix !== undefined && beginning !== `${prefix}_`) return false
  return KEY.test(text) && hasChecksum(text)
}

/** Returns the text of a new key. */
export function newKey(prefix: string, secret: Uint8Array): string {
  return tokenText(`${prefix}_`, secret)
}

const SHOWN_CHARACTERS = 4

/** Returns the prefix of a key and its first characters. */
export function startOf(key: string): string {
  return key.slice(0, SHOWN_CHARACTERS - RANDOM_LENGTH - CHECKSUM_LENGTH)
}

/** Returns the hash that a key is stored and found by. */
export function hashOfKey(key: string): string {
  return hashOfToken('seatgate-key/v1', key)
}
