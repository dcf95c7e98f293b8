import { utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from './canonical.ts'
import { leafHash, type Hash } from './merkle.ts'

/** What an event's hash does not cover: its personal part, which may be erased, and the hash itself. */
const BESIDE = new Set(['personal', 'leafHash'])

/**
 * The leaf of an event: the RFC 6962 hash of the event as canonical JSON without `personal`, of which
 * it has the salted digest.
 */
export function eventLeaf(event: object): Hash {
  const covered = Object.entries(event).filter(([name]) => !BESIDE.has(name))
  return leafHash(utf8ToBytes(canonicalJson(Object.fromEntries(covered))))
}
