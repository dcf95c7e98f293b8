import type { Reporter, TestModule } from 'vitest/node'
import type { Outcome } from './outcome.ts'

const MARKS = { pass: 'pass', fail: 'FAIL', 'not applicable': '–' } as const

/**
 * Prints the scoreboard, a line for each case and a column for each driver, and then the reasons. If it
 * is strict, a lost case makes the exit code 1, as does a run without any case.
 */
export class ScoreboardReporter implements Reporter {
  readonly #strict: boolean
  readonly #fail: () => void

  constructor({ strict = false, fail = exitWithOne } = {}) {
    this.#strict = strict
    this.#fail = fail
  }

  onTestRunEnd(modules: readonly TestModule[]) {
    const outcomes = modules.flatMap((module) =>
      [...module.children.allTests()].flatMap((test) => {
        const { outcome } = test.meta() as { outcome?: Outcome }
        return outcome ? [outcome] : []
      })
    )
    console.log(scoreboard(outcomes))
    const played = outcomes.filter(({ result }) => result !== 'not applicable')
    const isLost = played.length === 0 || played.some(({ result }) => result === 'fail')
    if (this.#strict && isLost) this.#fail()
  }
}

function exitWithOne(): void {
  process.exitCode = 1
}

function scoreboard(outcomes: readonly Outcome[]): string {
  const drivers = [...new Set(outcomes.map(({ driver }) => driver))]
  const cases = new Map(outcomes.map(({ id, title }) => [id, title]))
  const width = Math.max(...drivers.map((driver) => driver.length), 4)
  const row = (cells: readonly string[], rest: string) =>
    `${cells.map((cell) => cell.padEnd(width)).join('  ')}  ${rest}`.trimEnd()
  const of = (driver: string, id: string) =>
    outcomes.find((outcome) => outcome.driver === driver && outcome.id === id)
  const lines = [...cases].map(([id, title]) =>
    row(
      drivers.map((driver) => MARKS[of(driver, id)?.result ?? 'not applicable']),
      `${id} ${title}`
    )
  )
  const totals = drivers.map((driver) => {
    const count = (result: Outcome['result']) =>
      outcomes.filter((outcome) => outcome.driver === driver && outcome.result === result).length
    return `${driver}: ${count('pass')} pass, ${count('fail')} fail, ${count('not applicable')} not applicable`
  })
  const reasons = outcomes
    .filter(({ reason }) => reason !== '')
    .map(({ driver, id, result, reason }) => `${driver} ${id} ${result}: ${reason}`)
  return ['', row(drivers, 'case'), ...lines, '', ...totals, '', ...reasons, ''].join('\n')
}
