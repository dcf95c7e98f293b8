/**
 * Merkle trees as RFC 6962 hashes them. A tree only grows: the hash of a complete subtree never
 * changes, so that these are all that is ever stored.
 *
 * @see https://www.rfc-editor.org/rfc/rfc6962#section-2.1
 * @module
 */
import { sha256 } from '@noble/hashes/sha2.js'
import { concatBytes } from '@noble/hashes/utils.js'

export type Hash = Uint8Array

/** A complete subtree: the one at `position` of those that have 2^level leaves. */
export interface Node {
  readonly level: number
  readonly position: number
}

/** A complete subtree with its hash. */
export interface HashedNode extends Node {
  readonly hash: Hash
}

/** Leaves from `start` up to and without `end`. */
export interface Span {
  readonly start: number
  readonly end: number
}

/** The hash of a leaf. */
export function leafHash(data: Uint8Array): Hash {
  return sha256(concatBytes(Uint8Array.of(0), data))
}

/** The hash over two subtrees. */
export function nodeHash(left: Hash, right: Hash): Hash {
  return sha256(concatBytes(Uint8Array.of(1), left, right))
}

/** The root over some subtrees that lie side by side, largest first; of none, that of an empty tree. */
export function rootOver(subtrees: readonly Hash[]): Hash {
  const last = subtrees.at(-1)
  if (last === undefined) return sha256(new Uint8Array())
  return subtrees.slice(0, -1).reduceRight((right, left) => nodeHash(left, right), last)
}

/** The complete subtrees of a span, largest first. It must begin where a tree of its size may. */
export function subtreesOf({ start, end }: Span): Node[] {
  const nodes: Node[] = []
  for (let at = start; at < end;) {
    const level = Math.floor(Math.log2(end - at))
    nodes.push({ level, position: at / 2 ** level })
    at += 2 ** level
  }
  return nodes
}

/** Builds on a tree: its size and complete subtrees, and what each leaf adds. */
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

  /** Appends a leaf, and answers the subtrees that are complete with it, the leaf first. */
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

/** What proves that a leaf is in a tree: the roots over these spans, in this order. */
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

/** What proves that a tree is the beginning of a larger one: the roots over these spans. */
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

// The largest power of two that is less.
function splitOf(size: number): number {
  return 2 ** Math.ceil(Math.log2(size) - 1)
}
