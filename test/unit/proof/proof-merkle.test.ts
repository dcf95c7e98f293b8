import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  consistencySpans,
  GrowingTree,
  inclusionSpans,
  leafHash,
  nodeHash,
  rootOver,
  subtreesOf,
  type Hash,
  type Span,
} from '../../../src/proof/merkle.ts'
import type { InclusionProof } from '../../../src/index.ts'
import {
  originOf,
  signCheckpoint,
  verifyConsistency,
  verifyInclusion,
} from '../../../src/proof/verify-proof.ts'
import { generateLogKey, noteSigner } from '../../../src/proof/note.ts'

// The leaves and roots that the certificate transparency project tests its own implementation with.
const LEAVES = [
  '',
  '00',
  '10',
  '2021',
  '3031',
  '40414243',
  '5051525354555657',
  '606162636465666768696a6b6c6d6e6f',
].map((data) => leafHash(hexToBytes(data)))
const ROOTS = [
  'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
  'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
  'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
  'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
  '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
  '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
  'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
  '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
]

// As an answer has them, in base64.
const HASH = 'x'.repeat(44)

/** The root as the RFC defines it, straight from the definition. */
function rootOf(leaves: readonly Hash[]): Hash {
  if (leaves.length <= 1) return leaves[0] ?? rootOver([])
  let split = 1
  while (split * 2 < leaves.length) split *= 2
  return nodeHash(rootOf(leaves.slice(0, split)), rootOf(leaves.slice(split)))
}

const some = (count: number) => Array.from({ length: count }, (_, n) => leafHash(Uint8Array.of(n)))
const over = (leaves: readonly Hash[]) => (span: Span) => rootOf(leaves.slice(span.start, span.end))
const grown = (leaves: readonly Hash[]) => {
  const tree = new GrowingTree()
  const nodes = leaves.flatMap((leaf) => tree.append(leaf))
  return { tree, nodes }
}

describe('the tree', () => {
  it.each(ROOTS.map((root, size) => [size, root] as const))(
    'has the RFC’s root over %i leaves',
    (size, root) => {
      const { tree } = grown(LEAVES.slice(0, size))
      expect(tree.size).toBe(size)
      expect(bytesToHex(tree.root)).toBe(root)
      expect(bytesToHex(rootOf(LEAVES.slice(0, size)))).toBe(root)
    }
  )

  it('grows on from the stored nodes, and each subtree is complete once', () => {
    for (let size = 0; size <= 70; size++) {
      const leaves = some(size)
      const { tree, nodes } = grown(leaves)
      const stored = new Map(nodes.map((node) => [`${node.level}/${node.position}`, node.hash]))
      expect(stored.size).toBe(nodes.length)
      const hashes = subtreesOf({ start: 0, end: size }).map(({ level, position }) =>
        stored.get(`${level}/${position}`)!
      )
      const again = new GrowingTree(size, hashes)
      expect(again.root).toEqual(tree.root)
      again.append(leafHash(Uint8Array.of(1, 2)))
      tree.append(leafHash(Uint8Array.of(1, 2)))
      expect(again.root).toEqual(tree.root)
    }
    expect(() => new GrowingTree(3, some(1))).toThrow(RangeError)
  })

  it('stores less than two hashes for each leaf', () => {
    expect(grown(some(1000)).nodes.length).toBeLessThan(2000)
  })
})

describe('proofs', () => {
  it('are the RFC’s own [AUD-56]', () => {
    const hex = (spans: readonly Span[]) => spans.map(over(LEAVES)).map(bytesToHex)
    expect(hex(inclusionSpans(5, 8))).toEqual([
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    expect(hex(consistencySpans(6, 8))).toEqual([
      '0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
      'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
    ])
    expect(hex(consistencySpans(2, 5))).toEqual([
      '5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
      'bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b',
    ])
  })

  it('verify for every leaf and every pair of sizes up to 40 [AUD-56]', () => {
    const leaves = some(40)
    const trees = Array.from({ length: 41 }, (_, size) => ({
      size,
      root: rootOf(leaves.slice(0, size)),
    }))
    for (const tree of trees) {
      for (let index = 0; index < tree.size; index++) {
        const proof = inclusionSpans(index, tree.size).map(over(leaves))
        expect(verifyInclusion(leaves[index]!, index, tree, proof)).toBe(true)
      }
      for (const first of trees.slice(0, tree.size + 1)) {
        const proof = consistencySpans(first.size, tree.size).map(over(leaves))
        expect(verifyConsistency(first, tree, proof), `${first.size} ${tree.size}`).toBe(true)
      }
    }
  })

  it('fail for another leaf, place, size, root, hash, or a hash more or less [AUD-56]', () => {
    const leaves = some(64)
    const sizes = fc.integer({ min: 2, max: 64 })
    const flip = (hash: Hash, bit: number) =>
      hash.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))
    const bit = fc.integer({ min: 0, max: 255 })
    fc.assert(
      fc.property(sizes, fc.nat(), bit, fc.nat(), (size, at, bit, which) => {
        const tree = { size, root: rootOf(leaves.slice(0, size)) }
        const index = at % size
        const leaf = leaves[index]!
        const proof = inclusionSpans(index, size).map(over(leaves))
        const wrong = proof.map((hash, n) => (n === which % proof.length ? flip(hash, bit) : hash))
        expect(verifyInclusion(leaf, index, tree, proof)).toBe(true)
        expect(verifyInclusion(leaf, index, tree, wrong)).toBe(false)
        expect(verifyInclusion(flip(leaf, bit), index, tree, proof)).toBe(false)
        expect(verifyInclusion(leaf, (index + 1) % size, tree, proof)).toBe(false)
        expect(verifyInclusion(leaf, index + size, tree, proof)).toBe(false)
        expect(verifyInclusion(leaf, index, { ...tree, root: flip(tree.root, bit) }, proof)).toBe(
          false
        )
        expect(verifyInclusion(leaf, index, tree, proof.slice(1))).toBe(false)
        expect(verifyInclusion(leaf, index, tree, [...proof, leaf])).toBe(false)
        expect(verifyInclusion(leaf, index, tree, [leaf, ...proof])).toBe(false)

        const first = { size: index + 1, root: rootOf(leaves.slice(0, index + 1)) }
        const consistent = consistencySpans(first.size, size).map(over(leaves))
        const broken = consistent.map((hash, n) =>
          n === which % consistent.length ? flip(hash, bit) : hash
        )
        expect(verifyConsistency(first, tree, consistent)).toBe(true)
        expect(verifyConsistency({ ...first, root: flip(first.root, bit) }, tree, consistent)).toBe(
          false
        )
        expect(verifyConsistency(first, { ...tree, root: flip(tree.root, bit) }, consistent)).toBe(
          false
        )
        expect(verifyConsistency(first, tree, [...consistent, leaf])).toBe(false)
        if (consistent.length > 0) {
          expect(verifyConsistency(first, tree, broken)).toBe(false)
          expect(verifyConsistency(first, tree, consistent.slice(1))).toBe(false)
          expect(verifyConsistency(tree, first, consistent)).toBe(false)
        }
      }),
      { seed: 6962, numRuns: 500 }
    )
  })

  it('of a million events are at most 1 KB, from at most 40 hashes', () => {
    for (const size of [1_000_000, 999_999, 2 ** 20 - 1, 2 ** 20, 2 ** 20 + 1]) {
      for (const index of [0, 1, 499_999, size - 2, size - 1]) {
        const spans = inclusionSpans(index, size)
        expect(spans.length).toBeLessThanOrEqual(Math.ceil(Math.log2(size)))
        expect(JSON.stringify(spans.map(() => HASH)).length).toBeLessThanOrEqual(1024)
        expect(spans.flatMap(subtreesOf).length).toBeLessThanOrEqual(40)
        expect(consistencySpans(index + 1, size).flatMap(subtreesOf).length).toBeLessThanOrEqual(40)
      }
    }
  })

  it('of a million events make an answer of 1,289 bytes, 941 of them the hashes [AUD-56]', async () => {
    const { privateKey } = await generateLogKey('audit.example.com')
    const origin = originOf('audit.example.com', crypto.randomUUID())
    const size = 1_000_000
    const root = rootOver([])
    const answer: InclusionProof = {
      sequence: size,
      leafHash: HASH,
      size,
      hashes: Array.from({ length: 20 }, () => HASH),
      checkpoint: await signCheckpoint(await noteSigner(privateKey), { origin, size, root }),
    }
    const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length
    expect([bytesOf(answer), bytesOf(answer.hashes)]).toEqual([1289, 941])
  })

  it('are right where 32 bits do not reach', () => {
    const size = 2 ** 33 + 5
    const spans = inclusionSpans(2 ** 33 + 1, size)
    expect(spans.map(({ start, end }) => end - start)).toEqual([1, 2, 1, 2 ** 33])
    expect(subtreesOf({ start: 2 ** 33, end: size })).toEqual([
      { level: 2, position: 2 ** 31 },
      { level: 0, position: 2 ** 33 + 4 },
    ])
  })
})
