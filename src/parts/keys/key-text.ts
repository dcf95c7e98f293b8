/**
 * The text of an API key: a prefix, 32 random bytes and a checksum, in base 62.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const RANDOM_LENGTH = 43
const CHECKSUM_LENGTH = 6
const KEY = /^([a-z][a-z0-9]*(?:_[a-z0-9]+)*_[0-9A-Za-z]{43})([0-9A-Za-z]{6})$/
const LONGEST_KEY = 100

/** The form of a prefix. */
export const PREFIX = /^(?=.{1,32}$)[a-z][a-z0-9]*(?:_[a-z0-9]+)*$/

/**
 * Whether a text has the form of an API key of this prefix, or of any, and the right checksum: for secret
 * scanners. The key may have expired or been revoked.
 *
 * @example
 * ```ts
 * const leaked = text.match(/\bacme_live_[0-9A-Za-z]{49}\b/g)?.filter((each) => isApiKey(each))
 * ```
 */
export function isApiKey(text: unknown, prefix?: string): boolean {
  if (typeof text !== 'string' || text.length > LONGEST_KEY) return false
  const [, body = '', checksum] = KEY.exec(text) ?? []
  if (prefix !== undefined && body.slice(0, -RANDOM_LENGTH) !== `${prefix}_`) return false
  return checksum !== undefined && checksum === checksumOf(body)
}

/** Returns the text of a new key. */
export function newKey(prefix: string, secret: Uint8Array): string {
  const body = `${prefix}_${inBase62(BigInt(`0x${bytesToHex(secret)}`), RANDOM_LENGTH)}`
  return body + checksumOf(body)
}

const SHOWN_CHARACTERS = 4

/** Returns the prefix of a key and its first characters. */
export function startOf(key: string): string {
  return key.slice(0, SHOWN_CHARACTERS - RANDOM_LENGTH - CHECKSUM_LENGTH)
}

/** Returns the hash that a key is stored and found by. */
export function hashOfKey(key: string): string {
  return bytesToHex(sha256(utf8ToBytes(`seatgate-key/v1\n${key}`)))
}

function checksumOf(body: string): string {
  return inBase62(BigInt(crc32(body)), CHECKSUM_LENGTH)
}

// CRC-32 as in IEEE 802.3, of ASCII.
function crc32(text: string): number {
  let crc = 0xffffffff
  for (let place = 0; place < text.length; place++) {
    crc ^= text.charCodeAt(place)
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0)
  }
  return ~crc >>> 0
}

function inBase62(number: bigint, length: number): string {
  let text = ''
  for (let rest = number; text.length < length; rest /= 62n)
    text = DIGITS[Number(rest % 62n)] + text
  return text
}
