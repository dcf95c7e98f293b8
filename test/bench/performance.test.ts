import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { priceOfAMillion, type Count } from '../../bench/cost.ts'
import { pageOf } from '../../bench/page.ts'
import { bars, lines } from '../../bench/plots.ts'
import { BEFORE, LATEST, readResults } from '../../bench/results.ts'
import { median } from '../../bench/statistics.ts'

const NOTHING: Count = {
  trips: 0,
  statements: 0,
  rowsRead: 0,
  rowsWritten: 0,
  objectCalls: 0,
  objectRowsRead: 0,
  objectRowsWritten: 0,
  messages: 0,
}
const written = (path: string) => readFileSync(join(import.meta.dirname, '../..', path), 'utf8')

test('docs/performance.md and its plots are those of the numbers in bench/results', () => {
  const { markdown, plots } = pageOf(readResults(BEFORE), readResults(LATEST))
  expect(written('docs/performance.md')).toBe(markdown)
  expect(Object.keys(plots).length).toBeGreaterThan(0)
  for (const [name, svg] of Object.entries(plots)) {
    expect(written(`docs/performance/${name}`)).toBe(svg)
  }
})

test('the page names the operations that cost more here than elsewhere', () => {
  const latest = readResults(LATEST)
  const slow = { ...latest.sizes, ledger: { minified: 1, minifiedAndZipped: 9e9, zipped: 1 } }
  const { markdown } = pageOf(readResults(BEFORE), { ...latest, sizes: slow })
  const [, behind = ''] = markdown.split('## Where another product is ahead')
  expect(behind).toMatch(/\| Worker, minified and zipped +\| size +\| ledgerSeats +\| floor/)
  expect(behind).toMatch(/\| Worker, minified and zipped +\| size +\| ledgerSeats +\| better-auth/)
})

test('the price of a million counts every store, before the answer and after it', () => {
  expect(priceOfAMillion({ inSequence: 0, answer: NOTHING, after: NOTHING })).toBeCloseTo(0.3)
  const answer = { ...NOTHING, rowsRead: 1000, rowsWritten: 2, objectCalls: 2, messages: 1 }
  const after = { ...NOTHING, rowsWritten: 1, objectRowsRead: 1000, objectRowsWritten: 4 }
  expect(priceOfAMillion({ inSequence: 2, answer, after })).toBeCloseTo(
    0.3 + 1 + 2 + 0.3 + 1.2 + 1 + 1 + 4
  )
})

test('a median is the middle, or between the two in the middle', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
})

test('a plot leaves out rows without a value, and its longest bar is the largest value', () => {
  const plot = {
    title: 'A & B',
    groups: ['one', 'two'],
    series: [
      { name: 'x', color: '#000', values: [10, null] },
      { name: 'y', color: '#111', values: [5, 20] },
    ],
    unit: String,
  }
  const widths = [...bars(plot).matchAll(/width="([\d.]+)" height="9"/g)].map(([, width]) =>
    Number(width)
  )
  expect(widths).toHaveLength(3)
  expect(widths[0]! / widths[2]!).toBeCloseTo(0.5)
  expect(bars(plot)).toContain('A &amp; B')
  expect(lines(plot).match(/<circle/g)).toHaveLength(3)
})
