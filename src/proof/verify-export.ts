import { base64, canonicalJson } from './encoding.ts'
import { parseStrictJson } from './strict-json.ts'
import { same, type Checkpoint } from './verify-proof.ts'
import { HORIZON, tellsOfPurge, treeAtHorizon } from './horizon.ts'
import { GrowingTree, eventLeaf } from './merkle.ts'
import { personalDigest, type SaltedData } from './personal.ts'

/** An error in an export, with its position. */
export interface Finding {
  /**
   * `unreadable`: not an event, or JSON that parsers may read differently (a duplicate key, a number in
   * another notation). `sequence`: an event is missing, repeated or out of order. `organization`: an
   * event of another organization. `altered`: not the event that was sealed. `personal`: the personal
   * part does not match the digest in the event. `root`: the events up to here do not have the root of
   * the checkpoint. `truncated`: the checkpoint covers more events. `horizon`: the beginning was purged,
   * and no given checkpoint covers both it and the event that records the purge. `unproven`: there are
   * events, and no checkpoint covers any of them. `incomplete`: the export broke off, was cut off, or has
   * other lines than its end states.
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
  /** The expected sequence. For `root` the first one that no earlier checkpoint covers. */
  readonly sequence: number
}

/** The result of a verification. */
export interface Verification {
  readonly organizationId: string | null
  /** The sequence up to which retention purged the trail; 0 if it is complete. */
  readonly horizon: number
  /** How many events were read. */
  readonly events: number
  /**
   * How many of them a checkpoint proves. Events after the last checkpoint are not wrong, only younger.
   */
  readonly proven: number
  /** The first error; null if the export has no error. */
  readonly finding: Finding | null
}

type Kind = Finding['kind']

const END = 'seatgate.audit.export'

/**
 * Verifies a complete NDJSON export, line by line in constant memory, against checkpoints that were
 * opened with a trusted key. Altered, deleted, inserted, reordered and truncated events are found at the
 * first line that shows it. If retention has purged the beginning, the remaining events must continue the
 * purged hashes that a checkpoint covers, and a checkpoint must also cover the event that records the
 * purge. Without a checkpoint that covers any event the result is `unproven`. Events after the last
 * checkpoint are not proven, and their absence is not detected.
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

/** An export, as far as it was read. */
class Reading {
  #tree = new GrowingTree()
  #horizon = 0
  #organizationId: string | null = null
  #provenThrough = 0
  // The sequence of the event that records the purge up to the horizon.
  #purgedAt = Infinity
  #ended = false
  readonly #ahead: Checkpoint[]

  constructor(checkpoints: readonly Checkpoint[]) {
    this.#ahead = checkpoints.toSorted((a, b) => a.size - b.size)
  }

  /** Compares the events read so far with the checkpoints of exactly this size. */
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
    // A checkpoint that is older than the horizon cannot be compared with the remaining events.
    while (this.#ahead[0] !== undefined && this.#ahead[0].size < this.#horizon) this.#ahead.shift()
    return this.check()
  }

  #append(event: Record<string, unknown>): Kind | null {
    const sequence = this.#tree.size + 1
    if (event['sequence'] !== sequence) return 'sequence'
    this.#organizationId ??= String(event['organizationId'])
    if (event['organizationId'] !== this.#organizationId) return 'organization'
    const leaf = eventLeaf(event)
    // Null marks an event that was not sealed at the export. An event without the field is not of an
    // export.
    if (event['leafHash'] !== null && event['leafHash'] !== base64(leaf)) return 'altered'
    if (!isCommitted(event)) return 'personal'
    if (tellsOfPurge(event, this.#horizon)) this.#purgedAt = Math.min(this.#purgedAt, sequence)
    this.#tree.append(leaf)
    return this.check()
  }

  /** Returns the error of the export as a whole, after its last line. */
  finish(checkpoints: readonly Checkpoint[]): Kind | null {
    if (this.#ahead.length > 0) return 'truncated'
    if (!this.#ended) return 'incomplete'
    // Anyone can append an event that is not sealed: the record of a purge counts only if a checkpoint
    // covers it.
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

// The last line of an export of the whole trail, or of the part after the horizon.
function endOf(horizon: number, size: number): object {
  const counted = { events: size - horizon, truncated: false, throughSequence: size }
  return { type: END, version: 1, ...counted }
}

function isEnd(read: Record<string, unknown>): boolean {
  return read['type'] === END && read['sequence'] === undefined
}

// Erased data are allowed; data that are present must match the digest.
function isCommitted({ personal, personalDigest: digest }: Record<string, unknown>): boolean {
  if (personal === null || personal === undefined) return true
  if (typeof personal !== 'object') return false
  const { salt, ipAddress, userAgent, ...rest } = personal as SaltedData
  return Object.keys(rest).length === 0 && personalDigest({ salt, ipAddress, userAgent }) === digest
}

/** Longer than any line of an export: a row of D1 has at most 2 MB, which JSON may make six times as long. */
const LONGEST_LINE = 16 * 1024 * 1024

const LINE_FEED = 10

// Not valid JSON, so it is never taken for a line of an export.
const UNREADABLE = ''

/**
 * Splits the bytes of an NDJSON export into lines for {@link verifyExport}, in bounded memory. Only a
 * line feed ends a line. A line that is not UTF-8, or longer than 16 MiB, becomes an empty text, which no
 * export has. A byte order mark at the beginning is removed.
 *
 * @example
 * ```ts
 * const lines = exportLines(response.body)
 * const { finding } = await verifyExport(lines, checkpoints)
 * ```
 */
export async function* exportLines(
  bytes: AsyncIterable<Uint8Array> | Iterable<Uint8Array>
): AsyncGenerator<string> {
  let begun: Uint8Array[] = []
  let size = 0
  let first = true
  for await (const chunk of bytes) {
    let start = 0
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      yield textOf([...begun, chunk.subarray(start, end)], first)
      begun = []
      size = 0
      first = false
      start = end + 1
    }
    begun.push(chunk.subarray(start))
    size += chunk.length - start
    if (size > LONGEST_LINE) return yield UNREADABLE
  }
  if (size > 0) yield textOf(begun, first)
}

function textOf(parts: readonly Uint8Array[], first: boolean): string {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: !first })
  try {
    return parts.map((part) => decoder.decode(part, { stream: true })).join('') + decoder.decode()
  } catch {
    return UNREADABLE
  }
}
