/**
 * What may happen next where every order is tried, and which of it may change places.
 *
 * @module
 */
import type { Fate, Held } from './stepping.ts'

/** A step that may be taken next. */
export interface Choice {
  /** For people to read. */
  readonly label: string
  /** The same in every order in which it can be taken. */
  readonly name: string
  readonly kind: 'arrival' | 'fault' | 'alarm'
  /** Whose step it is. */
  readonly by: string
  readonly touches: 'nothing' | 'reads d1' | 'writes d1' | 'ledger' | 'everything'
  readonly take: () => void
}

const FAULTS = ['crashes before', 'crashes after', 'late'] as const
// One that changes nothing there might as well not have arrived.
const FAULTS_OF_A_READ = ['crashes before', 'lost'] as const

/** What can become of what is under way. */
export function choicesOf(held: readonly Held[], faultsAllowed: boolean): readonly Choice[] {
  const arrivals = held.map((one) => toChoice(one, 'arrives'))
  if (!faultsAllowed) return arrivals
  const awaited = held.filter(({ late }) => !late)
  const faults = awaited.flatMap((one) =>
    (one.writes ? FAULTS : FAULTS_OF_A_READ).map((fate) => toChoice(one, fate))
  )
  return [...arrivals, ...faults]
}

function toChoice(held: Held, fate: Fate): Choice {
  return {
    label: `${held.label} ${fate}`,
    name: `${held.name} ${held.late ? 'late ' : ''}${fate}`,
    kind: fate === 'arrives' ? 'arrival' : 'fault',
    by: held.isolate.name,
    touches: touchedBy(held, fate),
    take: () => held.go(fate),
  }
}

function touchedBy({ isolate, to, writes }: Held, fate: Fate): Choice['touches'] {
  // What becomes of the ledger's own requests, those who wait for it are told.
  if (isolate.name.startsWith('ledger ')) return 'everything'
  if (fate !== 'arrives' && fate !== 'crashes after') return 'nothing'
  if (to === 'ledger') return 'ledger'
  if (to !== 'd1') return 'everything'
  return writes ? 'writes d1' : 'reads d1'
}

/**
 * Whether two steps lead to the same state in either order, and neither makes the other impossible.
 * Where that is not plain, they do not.
 */
export function commute(one: Choice, other: Choice): boolean {
  if (one.by === other.by) return false
  if (one.kind === 'fault' && other.kind === 'fault') return false
  const touched = [one.touches, other.touches]
  if (touched.includes('everything')) return false
  if (touched.includes('writes d1')) return !touched.every((what) => what.endsWith('d1'))
  return !touched.every((what) => what === 'ledger')
}
