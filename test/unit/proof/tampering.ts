/**
 * Ways to tamper with an exported log, and what a verification must find: which line shows it first, and
 * how. The finding is told from the lines and from the log as it was, without hashing anything.
 *
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { Checkpoint } from '../../../src/proof/verify-proof.ts'
import type { Finding } from '../../../src/proof/verify-export.ts'
import { BETWEEN_CHECKPOINTS, endOf, resealed, sealed } from './sealed-log.ts'

const LARGEST = 60

/** From 0 up to, not including, `below`. */
type Random = (below: number) => number

/** A log as it was, with the line that ends it. */
interface Log extends ReturnType<typeof sealed> {
  readonly size: number
  readonly whole: readonly string[]
}

/** One that was tampered with, and what there is to be found. */
export interface Tampered {
  readonly lines: readonly string[]
  /** Those of the log as it was. */
  readonly checkpoints: readonly Checkpoint[]
  readonly finding: Finding
}

/** A log of each size, the smallest first. */
const logs: readonly Log[] = Array.from({ length: LARGEST }, (_, index) => {
  const log = sealed(index + 1)
  return { ...log, size: index + 1, whole: [...log.lines, endOf(index + 1)] }
})

/** What somebody does to a log of some size, such that it is another afterwards. */
export const WAYS: Record<string, (random: Random) => Tampered> = {
  'a flipped bit': rearranged(({ whole }, random) => flipped(whole, 1, random)),
  'several flipped bits': rearranged(({ whole }, random) => flipped(whole, 2 + random(8), random)),
  'a deletion': rearranged(({ whole }, random) =>
    whole.toSpliced(random(whole.length), 1 + random(3))
  ),
  'a copied line': rearranged(({ whole }, random) =>
    whole.toSpliced(random(whole.length + 1), 0, oneOf(whole, random))
  ),
  'two lines that change places': rearranged(({ whole }, random) => {
    const [one, other] = [random(whole.length), random(whole.length)]
    return whole.with(one, whole[other] ?? '').with(other, whole[one] ?? '')
  }),
  'a block that is moved': rearranged(({ whole }, random) => {
    const [from, length] = [random(whole.length), 1 + random(whole.length)]
    const rest = whole.toSpliced(from, length)
    return rest.toSpliced(random(rest.length + 1), 0, ...whole.slice(from, from + length))
  }),
  'a truncation': rearranged(({ whole, size }, random) => {
    const left = random(size + 1)
    return [...whole.slice(0, left), ...(random(2) === 0 && left < size ? [endOf(left)] : [])]
  }),
  'a forged event': (random) => forgery(oneOf(logs, random), random),
}

// What leaves the lines as they were is no tampering.
function rearranged(rearrange: (log: Log, random: Random) => readonly string[]) {
  return (random: Random): Tampered => {
    for (;;) {
      const log = oneOf(logs, random)
      const lines = rearrange(log, random)
      if (isDeepStrictEqual(lines, log.whole)) continue
      return { lines, checkpoints: log.checkpoints, finding: findingIn(log, lines) }
    }
  }
}

function oneOf<T>(all: readonly T[], random: Random): T {
  const one = all[random(all.length)]
  if (one === undefined) throw new Error('There is none.')
  return one
}

function flipped(lines: readonly string[], count: number, random: Random): readonly string[] {
  const bytes = new TextEncoder().encode(`${lines.join('\n')}\n`)
  // The last byte ends the last line, whichever it is.
  const places = new Set(Array.from({ length: count }, () => random(bytes.length - 1)))
  for (const place of places) bytes[place] = (bytes[place] ?? 0) ^ (1 << random(8))
  return new TextDecoder().decode(bytes).slice(0, -1).split('\n')
}

/**
 * A new event among those of the log, covered up ever better: not at all, with its hash, with the numbers
 * behind it, with everything but the checkpoints.
 */
function forgery({ lines, checkpoints, size }: Log, random: Random): Tampered {
  const at = 1 + random(size)
  const behind = lines.slice(at - 1).map((line) => JSON.parse(line))
  const renumbered = behind.map((each) => ({ ...each, sequence: each.sequence + 1 }))
  const event = { ...behind[0], id: 'forged', actorId: 'eve' }
  const before = at - 1 - ((at - 1) % BETWEEN_CHECKPOINTS)
  const checkpoint = Math.min(before + BETWEEN_CHECKPOINTS, size)
  const root: Finding = { kind: 'root', line: checkpoint, sequence: before + 1 }
  const shown = (kind: Finding['kind'], line: number): Finding =>
    line > checkpoint ? root : { kind, line, sequence: line }
  const coverings = [
    { told: [event, ...behind], finding: shown('altered', at) },
    { told: [resealed(event), ...behind], finding: shown('sequence', at + 1) },
    { told: [resealed(event), ...renumbered], finding: shown('altered', at + 1) },
    { told: [resealed(event), ...renumbered.map(resealed)], finding: root },
  ]
  const { told, finding } = oneOf(coverings, random)
  const forged = told.map((each) => JSON.stringify(each))
  return { lines: [...lines.slice(0, at - 1), ...forged, endOf(size + 1)], checkpoints, finding }
}

/** What there is to be found in lines that are not those of the log: the first of them that differs. */
function findingIn(log: Log, lines: readonly string[]): Finding {
  const { whole, size } = log
  const same = whole.findIndex((line, index) => line !== lines[index])
  const at = (same < 0 ? whole.length : same) + 1
  const sequence = Math.min(at, size + 1)
  const text = lines[at - 1]
  // Whole as far as it goes.
  if (text === undefined) {
    return { kind: at > size ? 'incomplete' : 'truncated', line: at, sequence }
  }
  if (at > whole.length) return { kind: 'incomplete', line: at, sequence }
  // An end that is true of what was left.
  if (text === endOf(at - 1) && lines.length === at) {
    return { kind: 'truncated', line: at + 1, sequence }
  }
  return { kind: kindOf(text, at, log), line: at, sequence }
}

/** What is wrong with the line that stands in the place of another. */
function kindOf(text: string, at: number, { lines }: Log): Finding['kind'] {
  const read = parsed(text)
  if (typeof read !== 'object' || read === null || Array.isArray(read)) return 'unreadable'
  const { personal: _personal, ...event } = read as Record<string, unknown>
  if (event['type'] === 'seatgate.audit.export' && event['sequence'] === undefined) {
    return 'incomplete'
  }
  if (event['sequence'] !== at) return 'sequence'
  const { personal: _was, ...original } = JSON.parse(lines[at - 1] ?? '')
  // The first line says whose log it is.
  const named = at === 1 && typeof event['organizationId'] === 'string'
  if (event['organizationId'] !== original.organizationId && !named) return 'organization'
  return isDeepStrictEqual(event, original) ? 'personal' : 'altered'
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
