/**
 * Cursors of an organization's trail. They are signed over the organization, the order and the filters: a
 * cursor of another list, or a forged one, is refused.
 *
 * @module
 */
import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { utf8ToBytes } from '@noble/hashes/utils.js'
import { base64url, fromBase64url } from '../../proof/base64.ts'
import { canonicalJson } from '../../proof/canonical.ts'

/** The list that a cursor belongs to. */
export interface Trail {
  readonly organization: string
  readonly order: 'newest' | 'oldest'
  readonly filters: object
}

const MAC_BYTES = 16
// Without a secret of the host a cursor can be forged. It is only a position in a list, and grants no
// access.
const NO_SECRET = 'seatgate'

/** Returns the key that cursors are signed with. */
export function cursorKey(secret: string | undefined): Uint8Array {
  return sha256(utf8ToBytes(`seatgate-cursor/v1\n${secret ?? NO_SECRET}`))
}

/** The position of a list in each of its trails: after a sequence, or (null) before the beginning. */
export type Places = readonly (number | null)[]

/** Returns the cursor of the page after these positions. */
export function placeAfter(key: Uint8Array, trail: Trail, places: Places): string {
  const place = utf8ToBytes(places.map((sequence) => sequence ?? '').join(' '))
  return `${base64url(place)}.${base64url(seal(key, trail, place))}`
}

/** Returns the positions of a cursor; null if it does not belong to this list. */
export function placesAt(key: Uint8Array, trail: Trail, cursor: unknown): Places | null {
  if (typeof cursor !== 'string' || cursor.length > 100) return null
  const [left = '', right = '', ...rest] = cursor.split('.')
  const place = fromBase64url(left)
  if (place === null || rest.length > 0) return null
  if (right !== base64url(seal(key, trail, place))) return null
  const texts = new TextDecoder().decode(place).split(' ')
  return texts.map((text) => (text === '' ? null : Number(text)))
}

function seal(key: Uint8Array, trail: Trail, place: Uint8Array): Uint8Array {
  const said = utf8ToBytes(`${canonicalJson(trail)}\n`)
  const text = new Uint8Array([...said, ...place])
  return hmac(sha256, key, text).slice(0, MAC_BYTES)
}
