import type { Checklist } from './checklist.ts'
import { idsIn, listed, withoutIds } from './titles.ts'

/** How one test of the run ended. */
export interface TestOutcome {
  /** The titles of the suites around the test, outermost first, and then its own. */
  readonly titles: readonly string[]
  /** Relative to the root of the project. */
  readonly file: string
  readonly passed: boolean
}

/** What the tests show of one line. Lines that fail or are missing are open: no run may have one. */
export interface Line {
  readonly id: string
  readonly group: string
  readonly verdict: 'pass' | 'fails' | 'missing' | 'left out'
  /** Sorted, each once. */
  readonly titles: readonly string[]
  readonly files: readonly string[]
  /** Why it is left out. */
  readonly reason?: string
  /** How it holds otherwise than it is written. */
  readonly otherwise?: string
}

export interface Findings {
  readonly lines: readonly Line[]
  /** What is wrong with the checklist's tests, a sentence each. */
  readonly problems: readonly string[]
}

/** Holds the outcome of a full run against the checklist. */
export function examine(outcomes: readonly TestOutcome[], checklist: Checklist): Findings {
  const { groups, leftOut, otherwise = {} } = checklist
  const byId = Map.groupBy(
    outcomes.flatMap((test) =>
      idsIn(test.titles.join(' '), groups).map((id) => ({ id, ...test, title: titleOf(test) }))
    ),
    ({ id }) => id
  )

  const lines = Object.entries(groups).flatMap(([group, last]) =>
    Array.from({ length: last }, (_, index): Line => {
      const id = `${group}-${index + 1}`
      const tests = byId.get(id) ?? []
      const reason = leftOut[id]
      return {
        id,
        group,
        verdict: verdictOn(tests, reason),
        titles: distinct(tests.map(({ title }) => title)),
        files: distinct(tests.map(({ file }) => file)),
        ...(reason !== undefined && { reason }),
        ...(otherwise[id] !== undefined && { otherwise: otherwise[id] }),
      }
    })
  )

  const onChecklist = new Set(lines.map(({ id }) => id))
  const idsWhere = (holds: (line: Line) => boolean) => lines.filter(holds).map(({ id }) => id)
  const problems = [
    complaint(
      'neither a test nor a reason in test/conformance/left-out.ts',
      idsWhere(({ verdict }) => verdict === 'missing')
    ),
    complaint(
      'a test that did not pass',
      idsWhere(({ verdict }) => verdict === 'fails')
    ),
    complaint(
      'both a test and a reason in test/conformance/left-out.ts',
      idsWhere(({ titles, reason }) => titles.length > 0 && reason !== undefined)
    ),
    complaint(
      'in test/conformance/otherwise.ts, and without a test or not on the checklist',
      Object.keys(otherwise).filter(
        (id) => !onChecklist.has(id) || idsWhere(({ titles }) => titles.length === 0).includes(id)
      )
    ),
    complaint(
      'in a title, and not on the checklist',
      distinct([...byId.keys()].filter((id) => !onChecklist.has(id)))
    ),
  ]
  return { lines, problems: problems.filter((problem) => problem !== undefined) }
}

/** The lines that neither passing tests show nor a reason leaves out. */
export function openLines(lines: readonly Line[]): Line[] {
  return lines.filter(({ verdict }) => verdict === 'fails' || verdict === 'missing')
}

function verdictOn(tests: readonly TestOutcome[], reason: string | undefined): Line['verdict'] {
  if (tests.some(({ passed }) => !passed)) return 'fails'
  if (tests.length > 0) return 'pass'
  return reason === undefined ? 'missing' : 'left out'
}

function titleOf({ titles }: TestOutcome): string {
  return titles
    .map(withoutIds)
    .filter((title) => title !== '')
    .join(' > ')
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)].sort()
}

function complaint(what: string, ids: readonly string[]): string | undefined {
  return ids.length === 0 ? undefined : `${what}: ${listed(ids)}`
}
