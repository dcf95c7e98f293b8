import { utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from './canonical.ts'
import { leafHash, type Hash } from './merkle.ts'

/**
 * Fields that an event's hash does not cover: the personal part, which may be erased, and the hash
 * itself.
 */
const BESIDE = new Set(['personal', 'leafHash'])

/**
 * Returns the leaf of an event: the RFC 6962 hash of its canonical JSON without `personal`. The event
 * contains the salted digest of that part.
 */
export function eventLeaf(event: object): Hash {
  const covered = Object.entries(event).filter(([name]) => !BESIDE.has(name))
  return leafHash(utf8ToBytes(canonicalJson(Object.fromEntries(covered))))
}
