/**
 * Keeps the statements that are sent to D1, and reads how SQLite would execute them.
 *
 * @module
 */
import type { Around } from '../../bench/meter.ts'
import { OWN_UNIQUE } from '../../src/database/commit.ts'
import { testEnv } from './environment.ts'

/** A step of a plan, with the statement that it is a step of. */
export interface Step {
  readonly text: string
  readonly detail: string
}

/** Creates a recorder: `around` keeps each text with the parameters that it was first sent with. */
export function statementRecorder() {
  const sent = new Map<string, readonly unknown[]>()
  const around: Around = (trip, run) => {
    if (trip.store === 'd1') {
      for (const [index, text] of trip.asked.entries()) {
        if (!sent.has(text)) sent.set(text, trip.bound?.[index] ?? [])
      }
    }
    return run()
  }
  /** Reads the plan of each statement that was sent. */
  async function readSteps(): Promise<readonly Step[]> {
    const steps: Step[] = []
    for (const [text, bound] of sent) {
      const { results } = await testEnv.DB.prepare(`EXPLAIN QUERY PLAN ${text}`)
        .bind(...bound)
        .all<{ detail: string }>()
      steps.push(...results.map(({ detail }) => ({ text, detail })))
    }
    return steps
  }
  return { around, sent, readSteps }
}

/** Whether a step reads a whole table or index, or sorts. */
function isSuspicious({ detail }: Step): boolean {
  const isScan = /^SCAN (?!CONSTANT ROW|\()/.test(detail) && !detail.includes('VIRTUAL TABLE')
  return isScan || detail.startsWith('USE TEMP B-TREE')
}

/** A plan that is kept, and why. */
export interface PlanException {
  readonly step: RegExp
  readonly text: RegExp
  readonly because: string
}

/** Sorts the suspicious steps: those without an exception, and the exceptions that no step needs. */
export function judgePlans(steps: readonly Step[], exceptions: readonly PlanException[]) {
  const isOf = ({ text, detail }: Step, { step, text: about }: PlanException) =>
    step.test(detail) && about.test(text)
  const suspicious = steps.filter(isSuspicious)
  return {
    wrong: suspicious
      .filter((step) => !exceptions.some((one) => isOf(step, one)))
      .map(({ text, detail }) => `${detail} in ${text.replaceAll(/\s+/g, ' ')}`),
    needless: exceptions
      .filter((one) => !suspicious.some((step) => isOf(step, one)))
      .map(({ because }) => because),
  }
}

/**
 * Returns the range that a step reads, as the table with the columns by which it is searched; null if it is
 * no search, or one for a single row by a unique key.
 */
export function rangeOf({ text, detail }: Step): string | null {
  const [, name = '', columns] = /^SEARCH (\S+) USING [^(]*\((.*)\)/.exec(detail) ?? []
  if (columns === undefined || detail.includes('VIRTUAL TABLE')) return null
  const [, aliased] = new RegExp(`(seatgate_\\w+)"? (?:as )?"?${name}\\b`).exec(text) ?? []
  const table = name.startsWith('seatgate_') ? name : (aliased ?? name)
  const terms = columns.split(' AND ')
  const equal = terms.flatMap((term) => (term.endsWith('=?') ? [term.slice(0, -2)] : []))
  const isOne = [...OWN_UNIQUE].some((key) =>
    key.split(', ').every((column) => equal.some((each) => column === `${table}.${each}`))
  )
  return isOne || terms.includes('rowid=?') ? null : `${table} (${columns})`
}
