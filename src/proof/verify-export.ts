import { base64 } from './base64.ts'
import { canonicalJson } from './canonical.ts'
import type { Checkpoint } from './checkpoint.ts'
import { HORIZON, tellsOfPurge, treeAtHorizon } from './horizon.ts'
import { eventLeaf } from './leaf.ts'
import { GrowingTree } from './merkle.ts'
import { personalDigest, type SaltedData } from './personal.ts'
import { parseStrictJson } from './strict-json.ts'
import { same } from './verify-proof.ts'

/** What is wrong, and where. */
export interface Finding {
  /**
   * `unreadable`: no event, or JSON that readers may read differently (a duplicate key, a number in
   * another notation). `sequence`: one is missing, one too many, or out of order. `organization`: it is
   * another's. `altered`: it is not what was sealed. `personal`: the personal part is not what the event
   * commits to. `root`: what came up to here is not what the checkpoint says. `truncated`: the checkpoint
   * has more. `horizon`: the beginning is gone, and no checkpoint that was given covers both that and the
   * event that records it. `unproven`: there are events, and no checkpoint covers any of them.
   * `incomplete`: the export broke off, was cut off, or has other lines than it says.
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
    | 'unproven'
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

type Kind = Finding['kind']

const END = 'seatgate.audit.export'

/**
 * Verifies a complete NDJSON export, line by line in constant memory, against checkpoints that were
 * opened with a key that is trusted. Altering, deleting, inserting, reordering and truncating are found
 * at the first line that shows it. Where retention has taken the beginning away, what is left must tie up
 * with the hashes of it that a checkpoint covers, and a checkpoint must also cover the record of the run
 * that took it. Events of which no checkpoint covers any are `unproven`. Events behind the last
 * checkpoint are not proven, and their absence is not found.
 *
 * @example
 * ```ts
 * const checkpoint = await openCheckpoint(note, [publicKey])
 * if (checkpoint === null) throw new Error('The checkpoint is not signed with this key.')
 * const { finding, proven } = await verifyExport(exportLines(response.body), [checkpoint])
 * ```
 */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  checkpoints: readonly Checkpoint[]
): Promise<Verification> {
  const reading = new Reading(checkpoints)
  let line = 0
  let kind = reading.check()
  if (kind !== null) return reading.result(kind, line)
  for await (const text of lines) {
    line += 1
    kind = reading.take(text, line === 1)
    if (kind !== null) return reading.result(kind, line)
  }
  return reading.result(reading.finish(checkpoints), line + 1)
}

/** An export as far as it was read. */
class Reading {
  #tree = new GrowingTree()
  #horizon = 0
  #organizationId: string | null = null
  #provenThrough = 0
  // Where the trail itself records that what is up to the horizon was purged.
  #purgedAt = Infinity
  #ended = false
  readonly #ahead: Checkpoint[]

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#ahead = checkpoints.toSorted((a, b) => a.size - b.size)
  }

  /** Compares what was read with the checkpoints of exactly this size. */
  check(): Kind | null {
    for (; this.#ahead[0]?.size === this.#tree.size; this.#ahead.shift()) {
      if (!same(this.#ahead[0].root, this.#tree.root)) return 'root'
      this.#provenThrough = this.#tree.size
    }
    return null
  }

  /** Reads a line. */
  take(text: string, first: boolean): Kind | null {
    const read = readLine(text)
    if (this.#ended) return 'incomplete'
    if (read === null) return 'unreadable'
    if (isEnd(read)) return this.#end(read)
    return first && read['type'] === HORIZON ? this.#begin(read) : this.#append(read)
  }

  #end(read: Record<string, unknown>): Kind | null {
    this.#ended = true
    const end = endOf(this.#horizon, this.#tree.size)
    return canonicalJson(read) === canonicalJson(end) ? null : 'incomplete'
  }

  #begin(read: Record<string, unknown>): Kind | null {
    const begun = treeAtHorizon(read)
    if (begun === null) return 'unreadable'
    this.#tree = begun
    this.#horizon = begun.size
    // A checkpoint that is older than the horizon can be compared with nothing that is left.
    while (this.#ahead[0] !== undefined && this.#ahead[0].size < this.#horizon) this.#ahead.shift()
    return this.check()
  }

  #append(event: Record<string, unknown>): Kind | null {
    const sequence = this.#tree.size + 1
    if (event['sequence'] !== sequence) return 'sequence'
    this.#organizationId ??= String(event['organizationId'])
    if (event['organizationId'] !== this.#organizationId) return 'organization'
    const leaf = eventLeaf(event)
    // Null is what was not sealed when it was exported; an export without it is not ours.
    if (event['leafHash'] !== null && event['leafHash'] !== base64(leaf)) return 'altered'
    if (!isCommitted(event)) return 'personal'
    if (tellsOfPurge(event, this.#horizon)) this.#purgedAt = Math.min(this.#purgedAt, sequence)
    this.#tree.append(leaf)
    return this.check()
  }

  /** What is wrong with the whole, once every line was read. */
  finish(checkpoints: readonly Checkpoint[]): Kind | null {
    if (this.#ahead.length > 0) return 'truncated'
    if (!this.#ended) return 'incomplete'
    // Anyone can append a record that is not sealed: one counts if a checkpoint covers it.
    if (this.#horizon > 0 && this.#purgedAt > this.#provenThrough) return 'horizon'
    if (this.#tree.size > this.#horizon && this.#provenThrough <= this.#horizon) return 'unproven'
    const elsewhere = checkpoints.some(({ origin }) => !origin.endsWith(`/${this.#organizationId}`))
    return this.#organizationId !== null && elsewhere ? 'organization' : null
  }

  result(kind: Kind | null, line: number): Verification {
    return {
      organizationId: this.#organizationId,
      horizon: this.#horizon,
      events: this.#tree.size - this.#horizon,
      proven: Math.max(0, this.#provenThrough - this.#horizon),
      finding: kind === null ? null : { kind, line, sequence: this.#sequenceOf(kind) },
    }
  }

  #sequenceOf(kind: Kind): number {
    if (kind === 'horizon') return this.#horizon
    if (kind === 'root') return this.#provenThrough + 1
    if (kind === 'unproven' || (kind === 'organization' && this.#ended)) return this.#horizon + 1
    return this.#tree.size + 1
  }
}

function readLine(text: string): Record<string, unknown> | null {
  try {
    const read = parseStrictJson(text)
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
