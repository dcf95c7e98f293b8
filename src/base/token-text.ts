/**
 * The text of a token: a beginning, 32 random bytes and a checksum, in base 62.
 *
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'

/** How many digits the random bytes have. */
export const RANDOM_LENGTH = 43
/** How many digits the checksum has. */
export const CHECKSUM_LENGTH = 6

/** Returns the text of a token. */
export function tokenText(beginning: string, secret: Uint8Array): string {
  const body = beginning + inBase62(BigInt(`0x${bytesToHex(secret)}`), RANDOM_LENGTH)
  return body + checksumOf(body)
}

/** Whether a text ends with the checksum of what is before it. */
export function hasChecksum(text: string): boolean {
  return text.slice(-CHECKSUM_LENGTH) === checksumOf(text.slice(0, -CHECKSUM_LENGTH))
}

/** Returns the hash that a token is stored and found by. Tokens of different kinds have different hashes. */
export function hashOfToken(kind: string, token: string): string {
  return bytesToHex(sha256(utf8ToBytes(`${kind}\n${token}`)))
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
