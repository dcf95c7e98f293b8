/**
 * Exports as they may come to a verifier: honest ones, and ones that were forged, cut, put in another
 * order, merged or doctored. The library and the command are both held against this table.
 *
 * @module
 */
import { base64, fromBase64 } from '../../../src/proof/encoding.ts'
import type { Checkpoint } from '../../../src/proof/verify-proof.ts'
import { GrowingTree } from '../../../src/proof/merkle.ts'
import type { Finding } from '../../../src/proof/verify-export.ts'
import { endOf, EVENTS, resealed, sealed } from './sealed-log.ts'

/** An export, the checkpoints that it is compared with, and what there is to be found: null for nothing. */
export interface ExportCase {
  readonly name: string
  readonly bytes: () => Iterable<Uint8Array>
  readonly checkpoints: readonly Checkpoint[]
  readonly kind: Finding['kind'] | null
  /** Which line shows it, where that matters. */
  readonly line?: number
}

type Event = Readonly<Record<string, unknown>>

const ODD =
  '{"":0,"__proto__":{"a":1},"a\\"b":"\\\\","constructor":"x","n":[1e+21,0.1,1e-7,-1.5],"toString":null}'

/** A trail in which the event at `recordedAt` records that retention took everything up to `purged`. */
function trail(purged: number, recordedAt: number, action = 'audit.purge_run') {
  return sealed(EVENTS, (event, sequence) => {
    if (sequence === recordedAt) return { ...event, action, metadata: { last_sequence: purged } }
    if (sequence === 15) return { ...event, metadata: JSON.parse(ODD) }
    if (sequence === 16) return { ...event, metadata: { name: '\ufffd', lines: 'a\u2028b\u2029c' } }
    return event
  })
}

const log = trail(8, 13)
const { lines, checkpoints } = log
const whole = [...lines, endOf(EVENTS)]
const up = (...sizes: number[]) => checkpoints.filter(({ size }) => sizes.includes(size))
const text = (all: readonly string[]) => `${all.join('\n')}\n`

/** What the lines say that they were sealed with is enough to make a horizon of them. */
function horizonOf(gone: readonly string[], change: Event = {}): string {
  const tree = new GrowingTree()
  const nodes = gone.flatMap((line) => tree.append(fromBase64(JSON.parse(line).leafHash)!))
  const hashes: string[] = []
  for (let at = 0; at < gone.length;) {
    const level = Math.floor(Math.log2(gone.length - at))
    const node = nodes.find((each) => each.level === level && each.position === at / 2 ** level)
    hashes.push(base64(node!.hash))
    at += 2 ** level
  }
  const horizon = { type: 'seatgate.audit.horizon', version: 1, sequence: gone.length, hashes }
  return JSON.stringify({ ...horizon, ...change })
}

/** The lines from behind a horizon on, with further ones at the end. */
function behind(horizon: number, more: readonly string[] = [], of = lines, change: Event = {}) {
  const last = EVENTS + more.length
  const end = { ...JSON.parse(endOf(last)), events: last - horizon }
  return [
    horizonOf(of.slice(0, horizon), change),
    ...of.slice(horizon),
    ...more,
    JSON.stringify(end),
  ]
}

const next = { ...JSON.parse(lines[EVENTS - 1]!), id: 'next', sequence: EVENTS + 1, personal: null }
const record = (last: number): Event => ({
  ...next,
  action: 'audit.purge_run',
  metadata: { last_sequence: last },
  personalDigest: null,
})
const unsealed = (event: Event) => JSON.stringify({ ...event, leafHash: null })
const sealedLine = (event: Event) => JSON.stringify(resealed(event))

function caseOf(kind: ExportCase['kind']) {
  return (
    name: string,
    given: readonly string[] | string | (() => Iterable<Uint8Array>),
    held: readonly Checkpoint[] = checkpoints,
    line?: number
  ): ExportCase => {
    const written = typeof given === 'string' ? given : typeof given === 'object' ? text(given) : ''
    const bytes = typeof given === 'function' ? given : () => [new TextEncoder().encode(written)]
    return { name, bytes, checkpoints: held, kind, ...(line !== undefined && { line }) }
  }
}

const honest = caseOf(null)
const horizon = caseOf('horizon')
const unproven = caseOf('unproven')
const unreadable = caseOf('unreadable')

const purgedAtCheckpoint = trail(12, 14)
const forced = trail(8, 13, 'audit.forced_purge')

export const HONEST: readonly ExportCase[] = [
  honest('whole', whole),
  ...checkpoints.map((each) => honest(`with the checkpoint of ${each.size} alone`, whole, [each])),
  honest(
    'with younger events that are not sealed yet',
    [...lines, unsealed(next), endOf(EVENTS + 1)],
    up(18, 24)
  ),
  honest('from a horizon on', behind(8), up(18, 24)),
  honest('from a horizon on, with an older checkpoint as well', behind(8)),
  honest('from a horizon on, with one checkpoint behind the record', behind(8), up(18)),
  honest(
    'from a horizon on that a checkpoint has exactly',
    behind(12, [], purgedAtCheckpoint.lines),
    purgedAtCheckpoint.checkpoints
  ),
  honest('from a forced horizon on', behind(8, [], forced.lines), forced.checkpoints),
  honest('with CR LF at the end of lines', text(whole).replaceAll('\n', '\r\n')),
  honest('with a byte order mark at the beginning', `\ufeff${text(whole)}`),
  honest('without a line feed at the end', whole.join('\n')),
  honest('byte by byte', () =>
    Array.from(new TextEncoder().encode(text(whole)), (byte) => Uint8Array.of(byte))
  ),
  honest('with members in another order', [
    ...lines.map((line) =>
      JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(line)).reverse()))
    ),
    endOf(EVENTS),
  ]),
  honest('with blanks around colons', text(whole).replaceAll('":', '" : ')),
  honest(
    'with separators that are escaped',
    text(whole).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
  ),
  honest('with personal data erased', [
    ...lines.map((line) => JSON.stringify({ ...JSON.parse(line), personal: null })),
    endOf(EVENTS),
  ]),
]

function replaced(sequence: number, from: string, to: string): readonly string[] {
  const line = lines[sequence - 1] ?? ''
  if (!line.includes(from)) throw new Error(`Line ${sequence} has no ${from}`)
  return whole.with(
    sequence - 1,
    line.replace(from, () => to)
  )
}

// In place of the replacement character come bytes that are no UTF-8.
function withBytes(bad: readonly number[]) {
  return () => {
    const [before = '', after = ''] = text(whole).split('\ufffd')
    const encoder = new TextEncoder()
    return [encoder.encode(before), Uint8Array.from(bad), encoder.encode(after)]
  }
}

function* endless(): Generator<Uint8Array> {
  for (;;) yield new Uint8Array(1024 * 1024).fill(97)
}

const deep = `${'['.repeat(200_000)}${']'.repeat(200_000)}`
const other = sealed(EVENTS, (event) => ({ ...event, organizationId: 'other' }))
const [empty] = checkpoints.map((each) => ({ ...each, size: 0, root: new GrowingTree().root }))

export const FORGED: readonly ExportCase[] = [
  // Cut off at the beginning, and covered up.
  horizon('five lines cut, an unsealed record', behind(5, [unsealed(record(5))])),
  horizon('five lines cut, a record with a hash of its own', behind(5, [sealedLine(record(5))])),
  horizon('five lines cut, no record', behind(5)),
  horizon('five lines cut, the record of another run', behind(5), up(24)),
  horizon('all lines cut, an unsealed record', behind(24, [unsealed(record(24))])),
  horizon('all lines cut, no record', behind(24)),
  horizon('a record that no checkpoint reaches', behind(8), up(12)),
  horizon('a record that no checkpoint reaches, one being at the horizon', behind(6), up(6)),
  horizon('checkpoints that are all older', behind(8), up(6)),
  horizon('no checkpoint', behind(8), []),
  caseOf('root')(
    'a record among the sealed events',
    behind(
      5,
      [],
      lines.with(9, sealedLine({ ...JSON.parse(lines[9]!), ...record(5), sequence: 10 }))
    )
  ),
  caseOf('root')(
    'other hashes of what is gone',
    behind(8, [], lines, { hashes: [JSON.parse(lines[0]!).leafHash] })
  ),
  ...(
    [
      ['a hash too many', { hashes: Array(2).fill(JSON.parse(lines[0]!).leafHash) }],
      ['no hash', { hashes: [] }],
      ['a hash in a list', { hashes: [[JSON.parse(horizonOf(lines.slice(0, 8))).hashes[0]]] }],
      ['another version', { version: 2 }],
      ['a further member', { note: 'x' }],
      ['a sequence that is a text', { sequence: '8' }],
      ['the sequence 0', { sequence: 0, hashes: [] }],
      ['a sequence below 0', { sequence: -8 }],
      ['half a sequence', { sequence: 8.5 }],
    ] as const
  ).map(([what, change]) =>
    unreadable(`a horizon with ${what}`, behind(8, [], lines, change), checkpoints, 1)
  ),
  caseOf('sequence')('a horizon before a whole trail', [horizonOf(lines.slice(0, 8)), ...whole]),
  caseOf('sequence')('a horizon on the second line', [lines[0]!, ...behind(8)]),
  caseOf('sequence')('two horizons', [horizonOf(lines.slice(0, 8)), ...behind(8)]),
  caseOf('sequence')('the first line cut', whole.slice(1)),

  // Nothing is proven.
  unproven('no checkpoint', whole, []),
  unproven('a checkpoint of nothing', whole, [empty!]),
  unproven('unsealed events alone', [unsealed({ ...next, sequence: 1 }), endOf(1)], [empty!]),

  // Cut off at the end, merged, put in another order.
  caseOf('truncated')('a shorter trail with an end of its own', [...lines.slice(0, 20), endOf(20)]),
  caseOf('truncated')('an end alone', [endOf(0)]),
  caseOf('incomplete')('no end', lines),
  caseOf('incomplete')('the end of a longer trail', [...lines, endOf(EVENTS + 1)]),
  caseOf('incomplete')('two exports', [...whole, ...whole]),
  caseOf('incomplete')('an end with a further member', [
    ...lines,
    JSON.stringify({ ...JSON.parse(endOf(EVENTS)), note: 'x' }),
  ]),
  caseOf('organization')('events of another organization between', [
    ...lines.slice(0, 12),
    ...other.lines.slice(12),
    endOf(EVENTS),
  ]),
  caseOf('organization')('checkpoints of another organization', whole, [
    { ...checkpoints[0]!, origin: 'audit.example/other' },
  ]),
  caseOf('organization')('a checkpoint of another organization among them', whole, [
    { ...empty!, origin: 'audit.example/other' },
    ...checkpoints,
  ]),
  caseOf('root')('another organization’s events', [...other.lines, endOf(EVENTS)]),
  caseOf('sequence')('two lines in each other’s place', [
    ...lines.with(3, lines[4]!).with(4, lines[3]!),
    endOf(EVENTS),
  ]),
  caseOf('sequence')('a line twice', whole.toSpliced(6, 0, lines[5]!)),
  caseOf('altered')('another actor', replaced(3, '"actorId":"ada"', '"actorId":"eve"')),
  caseOf('altered')('a sealed event that says it has no hash yet', [
    ...lines.with(20, lines[20]!.replace(/"leafHash":"[^"]*"/, '"leafHash":""')),
    endOf(EVENTS),
  ]),

  // A reader may take it for something else than what was verified.
  ...(
    [
      ['a second action in front', 3, '{', '{"action":"billing.refund","actorId":"eve",'],
      ['a second action behind', 3, '"outcome"', '"action":"billing.refund","outcome"'],
      ['the same member twice', 3, '{', '{"actorId":"ada",'],
      ['a duplicate that is spelled otherwise', 3, '{', '{"\\u0061ction":"billing.refund",'],
      ['a duplicate with a blank before the colon', 3, '{', '{"action" :"billing.refund",'],
      ['a duplicate in metadata', 3, '"old_name"', '"old_name":"x","old_name"'],
      ['a duplicate in the personal part', 3, '"salt"', '"salt":"x","salt"'],
      ['a duplicate below a list', 15, '"n":[', '"m":[[{"a":1,"a":1}]],"n":['],
      ['a duplicate __proto__', 15, '"__proto__"', '"__proto__":1,"__proto__"'],
      ['a sequence as 3.0', 3, '"sequence":3', '"sequence":3.0'],
      ['a sequence as 30e-1', 3, '"sequence":3', '"sequence":30e-1'],
      ['a number as 1E21', 15, '1e+21', '1E21'],
      ['a number with digits that are lost', 15, '1e+21', '1000000000000000000001'],
      ['a number with digits behind that are lost', 15, '0.1', '0.1000000000000000055'],
      ['zero below zero', 15, '"":0', '"":-0'],
      ['200,000 levels', 15, '"n":[', `"n":[${deep},`],
      ['a byte order mark within', 3, '{', '\ufeff{'],
      ['a text', 3, '{', '"text'],
    ] as const
  ).map(([what, sequence, from, to]) =>
    unreadable(what, replaced(sequence, from, to), checkpoints, sequence)
  ),
  unreadable('a duplicate in the end', [...lines, endOf(EVENTS).replace('{', '{"events":24,')]),
  unreadable(
    'a duplicate in the horizon',
    behind(8).with(0, behind(8)[0]!.replace('{', '{"sequence":5,')),
    checkpoints,
    1
  ),
  unreadable('a byte that is no UTF-8', withBytes([0xe9]), checkpoints, 16),
  unreadable('a surrogate as bytes', withBytes([0xed, 0xa0, 0x80]), checkpoints, 16),
  unreadable('an overlong byte', withBytes([0xc0, 0xaf]), checkpoints, 16),
  caseOf('altered')(
    'a lone surrogate, escaped',
    replaced(16, '\ufffd', '\\ud800'),
    checkpoints,
    16
  ),
  unreadable('a blank line', whole.toSpliced(4, 0, ''), checkpoints, 5),
  caseOf('incomplete')('a blank line at the end', [...whole, '']),
  unreadable('lines that end with U+2028', lines.join('\u2028'), checkpoints, 1),
  unreadable('lines that end with CR', whole.join('\r'), checkpoints, 1),
  unreadable('a list', whole.with(2, '[]'), checkpoints, 3),
  unreadable('null', whole.with(2, 'null'), checkpoints, 3),
  unreadable('a number', whole.with(2, '3'), checkpoints, 3),
  unreadable('a line without an end', endless, checkpoints, 1),
  unreadable('a line that breaks off', text(whole).slice(0, 5000), checkpoints),
  caseOf('truncated')('nothing', ''),
]
