import { readFile, writeFile } from 'node:fs/promises'
import { join, posix } from 'node:path'
import type { FormatConfig } from 'oxfmt'
import type { Reporter, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node'
import { GROUPS } from './checklist.ts'
import { conformanceDocument, differingIds } from './document.ts'
import { examine, openLines, type Findings, type TestOutcome } from './findings.ts'
import { LEFT_OUT } from './left-out.ts'
import { OTHERWISE } from './otherwise.ts'
import { listed } from './titles.ts'

const PAGE = 'docs/conformance.md'

/**
 * After a full run, fails it if a line of the checklist is open or the page says something else
 * than the tests. With `writes`, writes the page instead of comparing it. A run of some tests only
 * says nothing about the checklist.
 */
export class ConformanceReporter implements Reporter {
  #vitest: Vitest | undefined
  readonly #writes: boolean

  constructor({ writes = false } = {}) {
    this.#writes = writes
  }

  onInit(vitest: Vitest) {
    this.#vitest = vitest
  }

  async onTestRunEnd(modules: readonly TestModule[], _errors: unknown, reason: TestRunEndReason) {
    const vitest = this.#vitest
    if (vitest === undefined) return
    if (reason === 'interrupted' || !(await isFullRun(vitest, modules))) {
      if (this.#writes) fail(vitest, [`${PAGE} is written after a full run only`])
      return
    }

    const { root } = vitest.config
    const outcomes = modules.flatMap((module) =>
      [...module.children.allTests()].map((test) => outcomeOf(test, root))
    )
    const findings = examine(outcomes, {
      groups: GROUPS,
      leftOut: LEFT_OUT,
      otherwise: OTHERWISE,
    })
    const page = await formatted(conformanceDocument(findings.lines), root)
    const complaints = [...findings.problems]
    if (this.#writes) await writeFile(join(root, PAGE), page)
    else complaints.push(...staleness(await readPage(root), page, findings))
    fail(vitest, complaints)
  }
}

async function isFullRun(vitest: Vitest, modules: readonly TestModule[]): Promise<boolean> {
  const { watch, project, tagsFilter, cliExclude } = vitest.config
  if (watch || [project, tagsFilter, cliExclude].some((filter) => filter?.length)) return false
  if (vitest.getGlobalTestNamePattern() !== undefined) return false
  // Whatever else leaves out files, such as a path, --changed or --shard, shows in their number.
  return modules.length === (await vitest.globTestSpecifications()).length
}

function outcomeOf(test: TestCase, root: string): TestOutcome {
  const titles = [test.name]
  for (let around = test.parent; around.type === 'suite'; around = around.parent) {
    titles.unshift(around.name)
  }
  return {
    titles,
    file: posix.relative(root, test.module.moduleId),
    passed: test.result().state === 'passed',
  }
}

/** As `oxfmt --check` wants it. */
async function formatted(page: string, root: string): Promise<string> {
  // Partial runs, which are most of them, need not wait for the formatter to load.
  const { format } = await import('oxfmt')
  const options = await readFile(join(root, '.oxfmtrc.json'), 'utf8')
  return (await format(PAGE, page, JSON.parse(options) as FormatConfig)).code
}

async function readPage(root: string): Promise<string> {
  return readFile(join(root, PAGE), 'utf8').catch(() => '')
}

function staleness(present: string, right: string, { lines }: Findings): string[] {
  const open = new Set(openLines(lines).map(({ id }) => id))
  // Writing the page anew would be the wrong advice about a line that is open.
  const stale = differingIds(present, right).filter((id) => !open.has(id))
  if (stale.length === 0 && (open.size > 0 || present === right)) return []
  const where = stale.length === 0 ? 'outside of its lines' : `for ${listed(stale)}`
  return [`${PAGE} is out of date ${where}; npm run conformance:write writes it anew`]
}

function fail(vitest: Vitest, complaints: readonly string[]) {
  if (complaints.length === 0) return
  for (const complaint of complaints) vitest.logger.error(`Conformance: ${complaint}`)
  process.exitCode = 1
}
