import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import type { TestModule } from 'vitest/node'
import { wholeNumber } from '../../scripts/arguments.ts'
import type { Outcome } from '../scoreboard/outcome.ts'
import { ScoreboardReporter } from '../scoreboard/reporter.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))

const SCRIPTS = {
  simulate: 'test/simulation/simulate.ts',
  'simulate:replay': 'test/simulation/replay.ts',
  'simulate:exhaustive': 'test/simulation/explore-all.ts',
  mutate: 'test/mutations/run.ts',
  conformance: 'scripts/conformance.ts',
  dev: 'scripts/dev.ts',
  demo: 'scripts/demo.ts',
} as const

/** Runs a script as its npm script does; one that takes its arguments after all is ended. */
async function run(script: keyof typeof SCRIPTS, ...args: string[]) {
  const child = spawn(process.execPath, ['--no-warnings', SCRIPTS[script], ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const timer = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), 60_000)
  let [out, err] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text
  })
  const exitCode = await new Promise<number | null>((resolve) => child.on('close', resolve))
  clearTimeout(timer)
  return { exitCode, out, err }
}

describe('a script [D10]', () => {
  test.each<[keyof typeof SCRIPTS, string, string[]]>([
    ['simulate', '--seed', ['--histories', '1', '--seed', 'abc']],
    ['simulate', '--seed', ['--seed', '4294967296']],
    ['simulate', '--seed', ['--seed']],
    ['simulate', '--histories', ['--histories', 'none']],
    ['simulate', '--histories', ['--histories', '0']],
    ['simulate', '--histories', ['--histories', '1e3']],
    ['simulate', '--histories', ['--histories=']],
    ['simulate', '--workers', ['--workers', '0']],
    ['simulate', '--operations', ['--operations', '0x10']],
    ['simulate', '--mutation', ['--mutation', 'no such mutation']],
    ['simulate', '--summary', ['--summary', '/no/such/directory/summary.json']],
    ['simulate', '--history', ['--history', '1']],
    ['simulate', '17', ['17']],
    ['simulate:replay', 'SEED', ['abc']],
    ['simulate:replay', 'SEED', []],
    ['simulate:replay', 'OPERATIONS', ['1', 'many']],
    ['simulate:replay', 'MUTATION', ['1', '200', 'no such mutation']],
    [
      'simulate:replay',
      'one too many',
      ['1', '200', 'a late write is let past its fence', 'one too many'],
    ],
    ['simulate:replay', '--seed', ['--seed', '1']],
    ['simulate:exhaustive', '--faults', ['--faults', 'abc']],
    ['simulate:exhaustive', '--rings', ['--rings', '1.5']],
    ['simulate:exhaustive', '--share', ['--share', '5/4']],
    ['simulate:exhaustive', '--share', ['--share', '1']],
    ['simulate:exhaustive', '--only', ['--only', 'add,no such act']],
    ['simulate:exhaustive', '--mutation', ['--mutation', 'no such mutation']],
    ['mutate', '--lanes', ['--lanes', '0']],
    ['mutate', '--only', ['--only', 'no such file']],
    ['mutate', '--again', ['--again', '/no/such/report.json']],
    ['mutate', '--report', ['--report', '/no/such/directory/report.json']],
    ['mutate', '--fast', ['--fast']],
    ['conformance', '--driver', ['--driver', 'nobody']],
    ['conformance', '--driver', ['--driver', '']],
    ['conformance', '--drivers', ['--drivers', 'naive']],
    ['dev', '--port', ['--port', 'abc']],
    ['dev', '--port', ['--port', '99999']],
    ['dev', '--env', ['--env']],
    ['demo', '--people', ['--people', '40']],
  ])('%s ends with 2 and names %s, given %j', async (script, named, args) => {
    const { exitCode, out, err } = await run(script, ...args)
    expect({ exitCode, out }, err).toEqual({ exitCode: 2, out: '' })
    expect(err.split('\n')[0]).toContain(named)
  })

  test('dev ends with 2 and names a flag that wrangler does not know', async () => {
    const { exitCode, err } = await run('dev', '--port', '28931', '--such-flag')
    expect({ exitCode, err }).toMatchObject({
      exitCode: 2,
      err: expect.stringMatching(/such-flag/),
    })
  })

  test('simulate runs the requested seeds and prints them', async () => {
    const { exitCode, out } = await run('simulate', '--histories', '1', '--seed', '0')
    expect({ exitCode, out }).toMatchObject({
      exitCode: 0,
      out: expect.stringMatching(/^1 histories, \d{3,} operations/m),
    })
  })
})

test.each(['', ' ', '1 ', '+1', '-1', '1.0', '1e3', '0x1', '１', '9007199254740993', 'NaN'])(
  '%j is no whole number [D10]',
  (text) => {
    expect(() => wholeNumber('--n', text)).toThrow(/^--n must be a whole number from 0, not/)
  }
)

describe('the scoreboard [D10]', () => {
  const exitCodeOf = (strict: boolean, ...results: Outcome['result'][]) => {
    let exitCode = 0
    const fail = () => {
      exitCode = 1
    }
    const tests = results.map((result) => ({
      meta: () => ({ outcome: { driver: 'one', id: 'MUSEUM-1', title: '', result, reason: '' } }),
    }))
    const module = { children: { allTests: () => tests } } as unknown as TestModule
    new ScoreboardReporter({ strict, fail }).onTestRunEnd([module])
    return exitCode
  }

  test('fails for a lost case if it is strict, and not otherwise', () => {
    expect(exitCodeOf(true, 'pass', 'fail')).toBe(1)
    expect(exitCodeOf(false, 'pass', 'fail')).toBe(0)
  })

  test('does not fail for cases that are won or do not apply', () => {
    expect(exitCodeOf(true, 'pass', 'not applicable')).toBe(0)
  })

  test('fails if it is strict and no case was played', () => {
    expect(exitCodeOf(true, 'not applicable')).toBe(1)
    expect(exitCodeOf(true)).toBe(1)
  })
})
