import { describe, expect, it } from 'vitest'
import { conformanceDocument, differingIds } from '../conformance/document.ts'
import { GROUPS as ALL_GROUPS } from '../conformance/checklist.ts'
import ownLines from '../conformance/own-lines.md?raw'
import { examine, openLines, type TestOutcome } from '../conformance/findings.ts'
import { idsIn, listed, withoutIds } from '../conformance/titles.ts'

const GROUPS = { ORG: 3, PIPE: 2 }

function passing(...titles: string[]): TestOutcome {
  return { titles, file: 'test/a.test.ts', passed: true }
}

function pageOf(outcomes: readonly TestOutcome[], leftOut: Record<string, string> = {}): string {
  return conformanceDocument(examine(outcomes, { groups: GROUPS, leftOut }).lines)
}

describe('a title', () => {
  it.each([
    ['one', 'says no [ORG-1]', ['ORG-1'], 'says no'],
    ['several at the end', 'says no [ORG-1 A5 PIPE-2]', ['ORG-1', 'PIPE-2'], 'says no'],
    ['one at the start', 'ORG-1 says no', ['ORG-1'], 'says no'],
    ['a colon', 'ORG-1: says no', ['ORG-1'], 'says no'],
    ['several', 'ORG-1 PIPE-2 says no', ['ORG-1', 'PIPE-2'], 'says no'],
    ['commas', 'ORG-1, PIPE-2: says no', ['ORG-1', 'PIPE-2'], 'says no'],
    ['one inside', 'ORG-1: says no, and ORG-2: yes', ['ORG-1', 'ORG-2'], 'says no, and yes'],
    ['one in the sentence', 'says what ORG-1 asks for', ['ORG-1'], 'says what ORG-1 asks for'],
    ['nothing else', 'ORG-1', ['ORG-1'], ''],
    ['leading zeros', 'ORG-01: says no', ['ORG-1'], 'says no'],
    ['another group', 'SEAT-2 ORG-1: says no', ['ORG-1'], 'says no'],
    ['the name of a hash', 'keeps a SHA-256', [], 'keeps a SHA-256'],
    ['a number beyond', 'ORG-99 says no', ['ORG-99'], 'says no'],
  ])('has ids and a sentence: %s', (_what, title, ids, sentence) => {
    expect(idsIn(title, GROUPS)).toEqual(ids)
    expect(withoutIds(title)).toBe(sentence)
  })
})

it('lists ids in a row by the first and the last', () => {
  expect(listed(['ORG-1', 'ORG-2', 'ORG-4', 'ORG-8', 'ORG-9', 'ORG-10', 'PIPE-11'])).toBe(
    'ORG-1, ORG-2, ORG-4, ORG-8 to ORG-10, PIPE-11'
  )
  expect(listed(['ORG-1', 'PIPE-2', 'PIPE-3', 'PIPE-4'])).toBe('ORG-1, PIPE-2 to PIPE-4')
})

describe('the findings', () => {
  const all = [passing('ORG-1 ORG-2: a'), passing('ORG-3: b'), passing('PIPE-1 PIPE-2: c')]

  it('have no complaint when every line has a test that passes', () => {
    const { lines, problems } = examine(all, { groups: GROUPS, leftOut: {} })
    expect(problems).toEqual([])
    expect(openLines(lines)).toEqual([])
    expect(lines.map(({ id }) => id)).toEqual(['ORG-1', 'ORG-2', 'ORG-3', 'PIPE-1', 'PIPE-2'])
  })

  it('name lines with neither a test nor a reason', () => {
    const { lines, problems } = examine(all.slice(0, 1), {
      groups: GROUPS,
      leftOut: { 'PIPE-1': 'There is no pipe.' },
    })
    expect(problems).toEqual([
      'neither a test nor a reason in test/conformance/left-out.ts: ORG-3, PIPE-2',
    ])
    expect(openLines(lines).map(({ id }) => id)).toEqual(['ORG-3', 'PIPE-2'])
  })

  it('name lines with both', () => {
    const leftOut = { 'PIPE-1': 'There is no pipe.' }
    expect(examine(all, { groups: GROUPS, leftOut }).problems).toEqual([
      'both a test and a reason in test/conformance/left-out.ts: PIPE-1',
    ])
  })

  it('name each line with a failed test', () => {
    const { lines, problems } = examine([...all, { ...passing('ORG-2: d'), passed: false }], {
      groups: GROUPS,
      leftOut: {},
    })
    expect(problems).toEqual(['a test that did not pass: ORG-2'])
    expect(openLines(lines).map(({ id }) => id)).toEqual(['ORG-2'])
  })

  it('name each claim that has no test, or that is not on the checklist [C12]', () => {
    const otherwise = { 'ORG-1': 'One way.', 'ORG-9': 'No line.', 'PIPE-2': 'No test.' }
    const { lines, problems } = examine(all.slice(0, 2), {
      groups: GROUPS,
      leftOut: { 'PIPE-1': 'No pipe.', 'PIPE-2': 'No pipe.' },
      otherwise,
    })
    expect(problems).toEqual([
      'in test/conformance/otherwise.ts, and without a test or not on the checklist: ORG-9, PIPE-2',
    ])
    const row = conformanceDocument(lines)
      .split('\n')
      .find((line) => line.startsWith('| ORG-1 '))
    expect(row).toMatch(/\| One way\. \|$/)
  })

  it('name ids that are not on the checklist', () => {
    const outcomes = [...all, passing('ORG-4: d'), passing('PIPE-0: e')]
    expect(examine(outcomes, { groups: GROUPS, leftOut: {} }).problems).toEqual([
      'in a title, and not on the checklist: ORG-4, PIPE-0',
    ])
  })

  it('count a suite’s ids for all tests in it', () => {
    const { lines } = examine([passing('ORG-1: the doors', 'are shut')], {
      groups: GROUPS,
      leftOut: {},
    })
    expect(lines[0]).toMatchObject({ verdict: 'pass', titles: ['the doors > are shut'] })
  })
})

describe('the page', () => {
  const outcomes = [
    passing('ORG-1: d'),
    { ...passing('ORG-1: c'), file: 'test/b.test.ts' },
    passing('ORG-1: b'),
    passing('ORG-1: a | b'),
    passing('ORG-1: b'),
    { ...passing('ORG-2: *skipped*\n'), passed: false },
    passing('PIPE-1: e'),
  ]
  const page = pageOf(outcomes, { 'ORG-3': 'There is no <such> thing.', 'PIPE-2': 'No pipe.' })

  it('counts passed, left out and open lines', () => {
    expect(page).toContain('\n| ORG | 3 | 1 | 1 | 1 |\n| PIPE | 2 | 1 | 1 | 0 |\n')
    expect(page).toContain('\n| all | 5 | 2 | 2 | 1 |\n')
  })

  it('shows two titles of each line, in order, each once, and how many more there are', () => {
    expect(page).toContain(
      String.raw`| ORG-1 | a \| b<br>b<br>+2 more | ${'`test/a.test.ts`<br>`test/b.test.ts`'} |`
    )
  })

  it('marks each open line', () => {
    expect(page).toContain(String.raw`| ORG-2 | **fails**<br>\*skipped\* |`)
    expect(pageOf([])).toContain('| PIPE-2 | **missing** |  |')
  })

  it('gives a reason for each line that is left out', () => {
    expect(page).toContain(
      '### Left out of ORG\n\n| id | reason |\n| --- | --- |\n' +
        String.raw`| ORG-3 | There is no \<such> thing. |`
    )
  })

  it('is the same for any order of the tests', () => {
    const leftOut = { 'ORG-3': 'There is no <such> thing.', 'PIPE-2': 'No pipe.' }
    expect(pageOf([...outcomes].reverse(), leftOut)).toBe(page)
  })

  it('is compared line by line, regardless of the padding', () => {
    expect(differingIds(page, page.replaceAll(' |', '   |'))).toEqual([])
    expect(differingIds(page, page.replace('<br>b<br>', '<br>x<br>'))).toEqual(['ORG-1'])
    expect(differingIds('', pageOf([]))).toEqual(['ORG-1', 'ORG-2', 'ORG-3', 'PIPE-1', 'PIPE-2'])
  })
})

describe('the project’s own lines', () => {
  it('are numbered without a gap, as many as the checklist has', () => {
    const ids = [...ownLines.matchAll(/^- \*\*([A-Z]+)-(\d+)\*\* \S/gm)]
    const groups = Map.groupBy(ids, ([, group = '']) => group)
    expect(groups.size).toBeGreaterThan(0)
    for (const [group, lines] of groups) {
      const numbers = lines.map(([, , number]) => Number(number))
      expect(numbers).toEqual(Array.from(numbers, (_, index) => index + 1))
      expect([group, (ALL_GROUPS as Record<string, number>)[group]]).toEqual([group, lines.length])
    }
  })
})
