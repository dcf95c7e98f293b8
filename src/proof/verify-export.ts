import { base64 } from './base64.ts'
import { canonicalJson } from './canonical.ts'
import type { Checkpoint } from './checkpoint.ts'
import { HORIZON, tellsOfPurge, treeAtHorizon } from './horizon.ts'
import { eventLeaf } from './leaf.ts'
import { GrowingTree } from './merkle.ts'
import { personalDigest, type SaltedData } from './personal.ts'
import { same } from './verify-proof.ts'

/** What is wrong, and where. */
export interface Finding {
  /**
   * `unreadable`: no event. `sequence`: one is missing, one too many, or out of order. `organization`:
   * it is another's. `altered`: it is not what was sealed. `personal`: the personal part is not what
   * the event commits to. `root`: what came up to here is not what the checkpoint says. `truncated`:
   * the checkpoint has more. `horizon`: the beginning is gone, and the trail itself does not say so, or no
   * checkpoint that was given reaches behind it. `incomplete`: the export broke off, was cut off, or has other lines than
   * it says.
   */
  readonly kind:
    | 'unreadable'
    | 'sequence'
    | 'organization'
    | 'altered'
    | 'personal'
    | 'root'
    | 'truncated'
    | 'horizon'
    | 'incomplete'
  /** The line, from 1. */
  readonly line: number
  /** The sequence that was due. For `root` the first that is not covered by an earlier checkpoint. */
  readonly sequence: number
}

/** What came of a verification. */
export interface Verification {
  readonly organizationId: string | null
  /** Up to here the trail is gone by retention; 0 if it is there from its beginning. */
  readonly horizon: number
  /** How many events were read. */
  readonly events: number
  /** How many of them are proven by a checkpoint. Those behind it are not wrong, only younger. */
  readonly proven: number
  /** The first thing that is wrong; null if nothing is. */
  readonly finding: Finding | null
}

const END = 'seatgate.audit.export'

/**
 * Verifies a complete NDJSON export, line by line in constant memory, against checkpoints that were
 * opened with a key that is trusted. Altering, deleting, inserting, reordering and truncating are found
 * at the first line that shows it. Where retention has taken the beginning away, what is left must tie up
 * with the hashes of it that a checkpoint covers, and must have the record of the run that took it.
 *
 * @example
 * ```ts
 * const checkpoint = await openCheckpoint(note, [publicKey])
 * const { finding, proven } = await verifyExport(lines, checkpoint ? [checkpoint] : [])
 * ```
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  checkpoints: readonly Checkpoint[]
): Promise<Verification> {
  const ahead = checkpoints.toSorted((a, b) => a.size - b.size)
  let tree = new GrowingTree()
  let horizon = 0
  let admitted = true
  let organizationId: string | null = null
  let provenThrough = 0
  let line = 0
  let ended = false
  const result = (kind?: Finding['kind'], sequence = tree.size + 1): Verification => ({
    organizationId,
    horizon,
    events: tree.size - horizon,
    proven: Math.max(0, provenThrough - horizon),
    finding: kind === undefined ? null : { kind, line, sequence },
  })
  const checked = (): boolean => {
    for (; ahead[0]?.size === tree.size; ahead.shift()) {
      if (!same(ahead[0].root, tree.root)) return false
      provenThrough = tree.size
    }
    return true
  }

  if (!checked()) return result('root')
  for await (const text of lines) {
    line += 1
    const read = readLine(text)
    if (read === null || ended) return result(ended ? 'incomplete' : 'unreadable')
    if (isEnd(read)) {
      ended = true
      if (canonicalJson(read) !== canonicalJson(endOf(horizon, tree.size)))
        return result('incomplete')
      continue
    }
    if (line === 1 && read['type'] === HORIZON) {
      const begun = treeAtHorizon(read)
      if (begun === null) return result('unreadable')
      tree = begun
      horizon = begun.size
      admitted = false
      // What is older than the horizon can be held against nothing that is here.
      while (ahead[0] !== undefined && ahead[0].size < horizon) ahead.shift()
      if (ahead.length === 0 && checkpoints.length > 0) return result('horizon', horizon)
      if (!checked()) return result('root', 1)
      continue
    }
    if (read['sequence'] !== tree.size + 1) return result('sequence')
    organizationId ??= String(read['organizationId'])
    if (read['organizationId'] !== organizationId) return result('organization')
    const leaf = eventLeaf(read)
    // Null is what was not sealed when it was exported; an export without it is not ours.
    if (read['leafHash'] !== null && read['leafHash'] !== base64(leaf)) return result('altered')
    if (!isCommitted(read)) return result('personal')
    admitted ||= tellsOfPurge(read, horizon)
    tree.append(leaf)
    if (!checked()) return result('root', provenThrough + 1)
  }
  line += 1
  if (ahead.length > 0) return result('truncated')
  if (!ended) return result('incomplete')
  if (!admitted) return result('horizon', horizon)
  const elsewhere = checkpoints.some(
    ({ origin, size }) => size > 0 && !origin.endsWith(`/${organizationId}`)
  )
  return elsewhere ? result('organization', 1) : result()
}

function readLine(text: string): Record<string, unknown> | null {
  try {
    const read: unknown = JSON.parse(text)
    const isObject = typeof read === 'object' && read !== null && !Array.isArray(read)
    return isObject ? (read as Record<string, unknown>) : null
  } catch {
    return null
  }
}

// The end of an export of the whole trail, or of what retention has left of it.
function endOf(horizon: number, size: number): object {
  const counted = { events: size - horizon, truncated: false, throughSequence: size }
  return { type: END, version: 1, ...counted }
}

function isEnd(read: Record<string, unknown>): boolean {
  return read['type'] === END && read['sequence'] === undefined
}

// Erased data prove nothing and harm nothing; data that are there must be those.
function isCommitted({ personal, personalDigest: digest }: Record<string, unknown>): boolean {
  if (personal === null || personal === undefined) return true
  if (typeof personal !== 'object') return false
  const { salt, ipAddress, userAgent, ...rest } = personal as SaltedData
  return Object.keys(rest).length === 0 && personalDigest({ salt, ipAddress, userAgent }) === digest
}
