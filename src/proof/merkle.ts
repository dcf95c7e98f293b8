/**
 * Merkle trees of RFC 6962. A tree only grows and the hash of a complete subtree never changes, so that
 * only these hashes are stored.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js'
import { canonicalJson } from './encoding.ts'

export type Hash = Uint8Array

/** A complete subtree: the one at `position` among those with 2^level leaves. */
export interface Node {
  readonly level: number
  readonly position: number
}

/** A complete subtree with its hash. */
export interface HashedNode extends Node {
  readonly hash: Hash
}

/** The leaves from `start` up to but without `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/**
 * Returns the hash of a leaf.
 *
 * @example
 * ```ts
 * const leaf = leafHash(new TextEncoder().encode('an entry'))
 * ```
 */
export function leafHash(data: Uint8Array): Hash {
  return sha256(concatBytes(Uint8Array.of(0), data))
}

/**
 * Returns the hash over two subtrees.
 *
 * @example
 * ```ts
 * const root = nodeHash(leafHash(first), leafHash(second))
 * ```
 */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(concatBytes(Uint8Array.of(1), left, right))
}

/** Returns the root over adjacent subtrees, largest first; for an empty list that of an empty tree. */
export function rootOver(subtrees: readonly Hash[]): Hash {
  const last = subtrees.at(-1)
  if (last === undefined) return sha256(new Uint8Array())
  return subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
}

/**
 * Returns the complete subtrees of a span, largest first. The span must begin at a multiple of the
 * largest power of two that is not above its size.
 */
export function subtreesOf({ start, end }: Span): Node[] {
  const nodes: Node[] = []
  for (let at = start; at < end;) {
    const level = Math.floor(Math.log2(end - at))
    nodes.push({ level, position: at / 2 ** level })
    at += 2 ** level
  }
  return nodes
}

/** A tree that grows: its size and complete subtrees. */
export class GrowingTree {
  #size: number
  readonly #subtrees: HashedNode[]

  /** @throws {RangeError} if these are not the subtrees of a tree of this size. */
  constructor(size = 0, hashes: readonly Hash[] = []) {
    const nodes = subtreesOf({ start: 0, end: size })
    if (nodes.length !== hashes.length) throw new RangeError('A subtree is missing.')
    this.#size = size
    this.#subtrees = nodes.map((node, index) => ({ ...node, hash: hashes[index] as Hash }))
  }

  get size(): number {
    return this.#size
  }

  get root(): Hash {
    return rootOver(this.#subtrees.map(({ hash }) => hash))
  }

  /** Appends a leaf, and returns the subtrees that it completes, the leaf first. */
  append(hash: Hash): HashedNode[] {
    let node: HashedNode = { level: 0, position: this.#size, hash }
    const complete = [node]
    for (let left = this.#subtrees.at(-1); left?.level === node.level;) {
      this.#subtrees.pop()
      const { level, position } = left
      node = { level: level + 1, position: position / 2, hash: nodeHash(left.hash, node.hash) }
      complete.push(node)
      left = this.#subtrees.at(-1)
    }
    this.#subtrees.push(node)
    this.#size += 1
    return complete
  }
}

/** Returns the spans whose roots, in this order, prove that a leaf is in a tree. */
export function inclusionSpans(index: number, size: number): Span[] {
  const spans: Span[] = []
  let [start, end] = [0, size]
  while (end - start > 1) {
    const middle = start + splitOf(end - start)
    if (index < middle) {
      spans.unshift({ start: middle, end })
      end = middle
    } else {
      spans.unshift({ start, end: middle })
      start = middle
    }
  }
  return spans
}

/** Returns the spans whose roots prove that a tree is the beginning of a larger one. */
export function consistencySpans(first: number, second: number): Span[] {
  if (first === 0 || first === second) return []
  const spans: Span[] = []
  let [start, end] = [0, second]
  let whole = true
  while (first !== end) {
    const middle = start + splitOf(end - start)
    if (first <= middle) {
      spans.unshift({ start: middle, end })
      end = middle
    } else {
      spans.unshift({ start, end: middle })
      start = middle
      whole = false
    }
  }
  return whole ? spans : [{ start, end }, ...spans]
}

// Returns the largest power of two that is less than the size.
function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1)
}

/**
 * Fields that an event's hash does not cover: the personal part, which may be erased, and the hash
 * itself.
 */
const BESIDE = new Set(['personal', 'leafHash'])

/**
 * Returns the leaf of an event: the RFC 6962 hash of its canonical JSON without `personal`. The event
 * contains the salted digest of that part.
 *
 * @example
 * ```ts
 * const leaf = eventLeaf(JSON.parse(line))
 * ```
 */
export function eventLeaf(event: object): Hash {
  const covered = Object.entries(event).filter(([name]) => !BESIDE.has(name))
  return leafHash(utf8ToBytes(canonicalJson(Object.fromEntries(covered))))
}
