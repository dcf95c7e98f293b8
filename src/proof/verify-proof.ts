/**
 * Verifies proofs as RFC 9162 describes: without the tree, and without trusting the sender.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9162#section-2.1.3.2
 * @module
 */
import { nodeHash, rootOver, type Hash } from './merkle.ts'
import { base64, fromBase64 } from './encoding.ts'
import { openNote, type NoteSigner } from './note.ts'

/**
 * Returns whether the proof shows that the leaf stands at `index` (from 0) in the tree of this size and root.
 *
 * @example
 * ```ts
 * const isIn = verifyInclusion(eventLeaf(event), event.sequence - 1, checkpoint, hashes)
 * ```
 */
export function verifyInclusion(
  leaf: Hash,
  index: number,
  { size, root }: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[]
): boolean {
  if (!isSize(index) || !isSize(size) || index >= size) return false
  let [at, last, hash] = [index, size - 1, leaf]
  for (const sibling of proof) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      hash = nodeHash(sibling, hash)
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      hash = nodeHash(hash, sibling)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && same(hash, root)
}

/**
 * Returns whether the proof shows that the first tree is the beginning of the second.
 *
 * @example
 * ```ts
 * const grown = verifyConsistency(earlier, later, hashes)
 * ```
 */
export function verifyConsistency(
  first: { readonly size: number; readonly root: Hash },
  second: { readonly size: number; readonly root: Hash },
  proof: readonly Hash[]
): boolean {
  if (!isSize(first.size) || !isSize(second.size) || first.size > second.size) return false
  if (first.size === second.size) return proof.length === 0 && same(first.root, second.root)
  if (first.size === 0) return proof.length === 0 && same(first.root, rootOver([]))
  // A complete tree is a subtree of every larger one, so its root is not sent.
  const path = Number.isInteger(Math.log2(first.size)) ? [first.root, ...proof] : [...proof]
  const [start, ...rest] = path
  if (start === undefined) return false
  let [at, last] = [first.size - 1, second.size - 1]
  while (at % 2 === 1) [at, last] = [half(at), half(last)]
  let [older, newer] = [start, start]
  for (const hash of rest) {
    if (last === 0) return false
    if (at % 2 === 1 || at === last) {
      older = nodeHash(hash, older)
      newer = nodeHash(hash, newer)
      while (at % 2 === 0 && at !== 0) [at, last] = [half(at), half(last)]
    } else {
      newer = nodeHash(newer, hash)
    }
    ;[at, last] = [half(at), half(last)]
  }
  return last === 0 && same(older, first.root) && same(newer, second.root)
}

/** Whether two hashes are the same. */
export function same(a: Hash, b: Hash): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index])
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}

function half(value: number): number {
  return Math.floor(value / 2)
}

/** A checkpoint: the size of a log and its root at that size. */
export interface Checkpoint {
  /** The name of the key, a slash, and the organization's id. */
  readonly origin: string
  readonly size: number
  readonly root: Hash
}

/**
 * Returns the name of an organization's log.
 *
 * @example
 * ```ts
 * originOf('audit.example.com', organizationId) === checkpoint.origin
 * ```
 */
export function originOf(keyName: string, organizationId: string): string {
  return `${keyName}/${organizationId}`
}

/** Writes a checkpoint and signs it. */
export function signCheckpoint(
  signer: NoteSigner,
  { origin, size, root }: Checkpoint
): Promise<string> {
  return signer.sign(`${origin}\n${size}\n${base64(root)}\n`)
}

/**
 * Verifies a signed checkpoint and parses it. Returns null if it is not signed with one of these keys.
 *
 * @example
 * ```ts
 * const checkpoint = await openCheckpoint(note, ['audit.example.com+1a2b3c4d+AR…'])
 * ```
 */
export async function openCheckpoint(
  note: string,
  publicKeys: readonly string[]
): Promise<Checkpoint | null> {
  const text = await openNote(note, publicKeys)
  const [origin = '', size = '', root = ''] = text?.split('\n') ?? []
  const hash = fromBase64(root)
  if (origin === '' || !/^(0|[1-9]\d{0,14})$/.test(size) || hash?.length !== 32) return null
  return { origin, size: Number(size), root: hash }
}
