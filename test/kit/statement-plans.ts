/**
 * Keeps the statements that are sent to D1, and reads how SQLite would execute them.
 *
 * @module
 */
import type { Around } from '../../bench/meter.ts'
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

/** The columns of the unique keys of each table. */
export type UniqueKeys = ReadonlyMap<string, readonly (readonly string[])[]>

/** Reads the unique keys of the library's tables. A partial one is a key too: its condition is in the search. */
export async function readUniqueKeys(): Promise<UniqueKeys> {
  const all = async <Row>(text: string) => (await testEnv.DB.prepare(text).all<Row>()).results
  const tables = await all<{ name: string }>(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'seatgate_%'"
  )
  const keys = new Map<string, (readonly string[])[]>()
  for (const { name } of tables) {
    const indexes = await all<{ name: string; unique: number }>(`PRAGMA index_list(${name})`)
    const unique = indexes.filter((index) => index.unique === 1)
    const columns = unique.map((index) => all<{ name: string }>(`PRAGMA index_info(${index.name})`))
    keys.set(
      name,
      (await Promise.all(columns)).map((key) => key.map((column) => column.name))
    )
  }
  return keys
}

/**
 * Returns the range that a step reads, as the table with the columns by which it is searched; null if it is
 * no search, or one for a single row by a unique key.
 */
export function rangeOf({ text, detail }: Step, keys: UniqueKeys): string | null {
  const [, name = '', columns] = /^SEARCH (\S+) USING [^(]*\((.*)\)/.exec(detail) ?? []
  if (columns === undefined || detail.includes('VIRTUAL TABLE')) return null
  const [, aliased] = new RegExp(`(seatgate_\\w+)"? (?:as )?"?${name}\\b`).exec(text) ?? []
  const table = name.startsWith('seatgate_') ? name : (aliased ?? name)
  const terms = columns.split(' AND ')
  const equal = terms.flatMap((term) => (term.endsWith('=?') ? [term.slice(0, -2)] : []))
  const isOne = (keys.get(table) ?? []).some((key) => key.every((each) => equal.includes(each)))
  return isOne || terms.includes('rowid=?') ? null : `${table} (${columns})`
}
