import { describe, expect, it } from 'vitest'
import { avoidedIn, commentsOf, proseOf, titlesOf, wordCount } from './words.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const sources = import.meta.glob(['../../src/**/*.{ts,tsx}'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
const tests = import.meta.glob(['../**/*.test.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})
// What is generated has the words of what it is generated from.
const pages = import.meta.glob(
  ['../../*.md', '../../docs/*.md', '!../../CHANGELOG.md', '!../../docs/conformance.md'],
  { query: '?raw', import: 'default', eager: true }
)

/** How many of the words there may be. These numbers may only shrink. */
const BUDGET = { comments: 0, titles: 0 }

/** How many of the words a page may have, for each thousand of its words. */
const PER_THOUSAND = 3

function total(texts: Iterable<string>): number {
  return [...avoidedIn([...texts].join('\n\n')).values()].reduce((sum, count) => sum + count, 0)
}

describe('the list of words to avoid', () => {
  it('finds a word, a clause as a subject, and no question', () => {
    const text = 'Nobody is told.\nWho leaves frees a seat. What is a seat? `none` is code.'
    expect([...avoidedIn(proseOf(text)).keys()]).toEqual(['nobody', 'told', 'who leaves frees'])
  })

  it('reads comments and titles only', () => {
    const source = "/** Tells it. */\nconst nothing = 1 // none\n  // anew\nit('mends', () => {})"
    expect([...avoidedIn(commentsOf(source)).keys()]).toEqual(['tells', 'anew'])
    expect([...avoidedIn(titlesOf(source)).keys()]).toEqual(['mends'])
  })
})

it('comments of src use the words at most as often as the budget allows', () => {
  const comments = Object.values(sources).map((source) => proseOf(commentsOf(source)))
  expect(total(comments)).toBeLessThanOrEqual(BUDGET.comments)
})

it('titles of tests use the words at most as often as the budget allows', () => {
  expect(total(Object.values(tests).map(titlesOf))).toBeLessThanOrEqual(BUDGET.titles)
})

it.each(Object.entries(pages).map(([path, text]) => [path.replace('../../', ''), text]))(
  '%s uses the words at most as often as a page may',
  (_path, text) => {
    const prose = proseOf(text)
    const found = avoidedIn(prose)
    const count = [...found.values()].reduce((sum, each) => sum + each, 0)
    const allowed = Math.ceil((wordCount(prose) * PER_THOUSAND) / 1000)
    expect(count, [...found].join(' · ')).toBeLessThanOrEqual(allowed)
  }
)
