/**
 * Applies each mutation of the list to a copy of the project and runs the tests that concern it.
 * `npm run mutate`; `npm run mutate -- --only seats/` for some, `--lanes 2` for two at a time,
 * `--trust` without running the tests on the unchanged source first, `--quick` with the few tests that
 * know a file best. The verdicts are printed and, with `--report PATH`, written as JSON; `--again PATH`
 * goes on from there.
 *
 * @module
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { readArguments, wholeNumber, WrongArgument, writableFile } from '../../scripts/arguments.ts'
import { MUTATIONS, type Mutation } from './list.ts'
import { WITHOUT_LONG, testsFor } from './tests.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const vitest = join(root, 'node_modules/vitest/vitest.mjs')
const COPIED = [
  'src',
  'host',
  'test',
  'bench',
  'migrations',
  'scripts',
  'package.json',
  'openapi.json',
]
const CONFIGURATION = ['wrangler.toml', 'vitest.config.ts', 'tsconfig.json', 'tsconfig.test.json']
const LIMIT_MS = 300_000

/** What became of a mutation: a test failed, none did, or it did not even run. */
interface Verdict extends Mutation {
  readonly outcome: 'killed' | 'survived' | 'unclear'
  readonly by: string
  readonly seconds: number
}

const SURVIVED = ['survived', ''] as const

const USAGE =
  'npm run mutate -- [--only TEXT] [--lanes 1] [--report FILE] [--again FILE] [--quick] [--trust]'

const values = readArguments(USAGE, () => {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', default: '' },
      lanes: { type: 'string', default: '1' },
      report: { type: 'string' },
      again: { type: 'string' },
      quick: { type: 'boolean', default: false },
      trust: { type: 'boolean', default: false },
    },
  })
  const { only, lanes, report, again } = values
  if (!MUTATIONS.some((mutation) => isAbout(mutation, only))) {
    throw new WrongArgument(`--only: no mutation has "${only}" in its file or its mistake.`)
  }
  return {
    ...values,
    lanes: wholeNumber('--lanes', lanes, { from: 1 }),
    // Read first: it may be the file that the report is written to.
    found: again === undefined ? [] : verdictsIn(again),
    report: report === undefined ? undefined : writableFile('--report', report),
  }
})

// What an earlier run found stands, but for what it let survive: that has to pass the other tests.
const { found } = values
const verdicts: Verdict[] = found.filter(({ outcome }) => outcome === 'killed')
const earlier = new Set(
  found.flatMap(({ outcome, mistake }) => (outcome === 'survived' ? [mistake] : []))
)
const isKilled = new Set(verdicts.map(({ mistake }) => mistake))
const queue = MUTATIONS.filter(
  (mutation) => isAbout(mutation, values.only) && !isKilled.has(mutation.mistake)
)
const total = verdicts.length + queue.length
// The files take turns, so that a run that is cut short has something to say about each.
const turn = (one: Mutation) => MUTATIONS.filter(({ file }) => file === one.file).indexOf(one)
queue.sort((a, b) => turn(a) - turn(b))
// A test that fails anyway kills nothing.
if (!values.trust) {
  const tests = new Set(queue.flatMap(({ file }) => Object.values(testsFor(file)).flat()))
  const [unchanged, failing] = await inCopy((copy) => run(copy, [...tests], [], 10 * LIMIT_MS))
  if (unchanged !== 'survived') throw new Error(`A test fails without a mutation: ${failing}`)
}
await Promise.all(Array.from({ length: values.lanes }, lane))
const killed = verdicts.filter(({ outcome }) => outcome === 'killed').length
console.log(`${killed} of ${total} killed`)
if (values.report !== undefined) await writeReport(values.report)
process.exitCode = killed === total ? 0 : 1

function isAbout({ file, mistake }: Mutation, text: string): boolean {
  return `${file} ${mistake}`.includes(text)
}

function verdictsIn(path: string): Verdict[] {
  try {
    const verdicts: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (Array.isArray(verdicts)) return verdicts as Verdict[]
  } catch (error) {
    throw new WrongArgument(`--again cannot be read: ${(error as Error).message}`)
  }
  throw new WrongArgument(`--again: ${path} is not a report of an earlier run.`)
}

function lane(): Promise<void> {
  return inCopy(async (copy) => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      const verdict = await judge(copy, next)
      verdicts.push(verdict)
      const { outcome, file, mistake, by, seconds } = verdict
      console.log(
        `${verdicts.length}/${total} ${outcome} ${file}: ${mistake} (${seconds} s)${by && `\n    by ${by}`}`
      )
      if (values.report !== undefined) await writeReport(values.report)
    }
  })
}

async function inCopy<T>(act: (copy: string) => Promise<T>): Promise<T> {
  const copy = await mkdtemp(join(tmpdir(), 'seatgate-mutations-'))
  try {
    for (const path of [...COPIED, ...CONFIGURATION]) {
      await cp(join(root, path), join(copy, path), { recursive: true })
    }
    await linkPackages(copy)
    return await act(copy)
  } finally {
    await rm(copy, { recursive: true, force: true })
  }
}

// One by one: what Vite bundles beforehand is kept beside them, and is each copy's own.
async function linkPackages(copy: string): Promise<void> {
  const packages = join(root, 'node_modules')
  await mkdir(join(copy, 'node_modules'))
  for (const name of await readdir(packages)) {
    if (name === '.vite') continue
    await symlink(join(packages, name), join(copy, 'node_modules', name))
  }
}

async function judge(copy: string, mutation: Mutation): Promise<Verdict> {
  const { file, from, to } = mutation
  const path = join(copy, 'src', file)
  const source = await readFile(path, 'utf8')
  const started = Date.now()
  if (source.split(from).length !== 2) {
    return {
      ...mutation,
      outcome: 'unclear',
      by: 'what is to be changed is not there once',
      seconds: 0,
    }
  }
  await writeFile(
    path,
    source.replace(from, () => to)
  )
  try {
    const { first, more } = testsFor(file)
    const [soon, byFirst] = earlier.has(mutation.mistake)
      ? SURVIVED
      : await run(copy, first, ['-t', WITHOUT_LONG])
    const [outcome, by] =
      soon === 'survived' && !values.quick
        ? await run(copy, [...first, ...more])
        : ([soon, byFirst] as const)
    return { ...mutation, outcome, by, seconds: Math.round((Date.now() - started) / 1000) }
  } finally {
    await writeFile(path, source)
  }
}

/** Runs tests until one fails. */
async function run(
  copy: string,
  tests: readonly string[],
  flags: readonly string[] = [],
  limitMs = LIMIT_MS
): Promise<readonly [Verdict['outcome'], string]> {
  const report = join(copy, 'report.json')
  await rm(report, { force: true })
  const args = [
    'run',
    '--bail',
    '1',
    '--maxWorkers',
    '1',
    '--reporter=json',
    `--outputFile=${report}`,
    ...flags,
    ...tests,
  ]
  // A group of its own: what it has started ends with it.
  // With the sizes of `npm test`: those of a thorough run would take longer than the limit.
  const env = { ...process.env, SCALE: 'share' }
  const options = { cwd: copy, env, stdio: 'ignore', detached: true } as const
  const child = spawn(process.execPath, [vitest, ...args], options)
  const end = () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL')
  const timer = setTimeout(end, limitMs)
  const exitCode = await new Promise((ended) => child.on('close', ended))
  clearTimeout(timer)
  if (exitCode === 0) return SURVIVED
  if (exitCode === null) return ['unclear', `${limitMs / 1000} s without an end`]
  const text = await readFile(report, 'utf8').catch(() => '{"testResults":[]}')
  const { testResults } = JSON.parse(text) as {
    testResults: { assertionResults: { status: string; fullName: string }[] }[]
  }
  const failed = testResults
    .flatMap(({ assertionResults }) => assertionResults)
    .find(({ status }) => status === 'failed')
  return failed ? ['killed', failed.fullName] : ['unclear', 'no test ran']
}

async function writeReport(path: string): Promise<void> {
  await writeFile(path, `${JSON.stringify(verdicts, null, 2)}\n`)
}
