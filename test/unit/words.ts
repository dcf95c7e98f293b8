/** A word that the texts of the project avoid, and what to write instead. */
export interface Avoided {
  readonly pattern: RegExp
  readonly instead: string
}

// A clause as a subject: "Who is a member already gets …". A question is none.
const clause = (word: string) => new RegExp(`(?:^|[.:;] )${word} [^?.;]*[.;]`, 'gm')

/** The words, as the section on words of CONTRIBUTING.md explains them. */
const AVOIDED: readonly Avoided[] = [
  { pattern: /\bnobody\b/gi, instead: 'no user, no caller' },
  { pattern: /\bsomebody\b/gi, instead: 'a user, a person' },
  { pattern: /\beverybody\b/gi, instead: 'every caller, all members' },
  { pattern: /\bwho(?:m|so)?ever\b/gi, instead: 'the caller who, a user who' },
  { pattern: /\bwhatever\b/gi, instead: 'every, any' },
  { pattern: /\bnone\b/gi, instead: 'no …, null' },
  { pattern: /\bnothing\b/gi, instead: 'no row, no call' },
  { pattern: /\b(?:re)?(?:tells?|told|telling)\b/gi, instead: 'returns, records, reports' },
  { pattern: /\banew\b/gi, instead: 'again' },
  { pattern: /\bmend(?:s|ed|ing)?\b/gi, instead: 'repair' },
  { pattern: /\bhea(?:rs?|rd|ring)\b/gi, instead: 'receives' },
  { pattern: /\bbeliev(?:es?|ed|ing)\b/gi, instead: 'trusts, assumes' },
  { pattern: /\bat hand\b/gi, instead: 'available' },
  { pattern: /\bfor ever\b/gi, instead: 'without a limit' },
  { pattern: /\bonce more\b/gi, instead: 'again' },
  { pattern: /\balike\b/gi, instead: 'in the same way' },
  { pattern: /\bmeanwhile\b/gi, instead: 'since then, between the read and the batch' },
  { pattern: /\ba moment ago\b/gi, instead: 'before, less than … ago' },
  { pattern: /\bat the same moment\b/gi, instead: 'at once, concurrently' },
  { pattern: /\blest\b/gi, instead: 'so that … not' },
  { pattern: /\b(?:comes?|came) to be\b/gi, instead: 'is created' },
  { pattern: /\b(?:there|where)(?:of|in|by|upon)\b/gi, instead: 'of it, in it, by it' },
  { pattern: clause('Who(?:m|se)?'), instead: 'the user who' },
  { pattern: clause('What'), instead: 'a noun' },
]

/** How often a text uses the words, by the word as it stands there. */
export function avoidedIn(text: string): Map<string, number> {
  const found = AVOIDED.flatMap(({ pattern }) => text.match(pattern) ?? [])
  const words = found.map((match) => match.trim().split(/\s+/).slice(0, 3).join(' ').toLowerCase())
  return new Map([...Map.groupBy(words, (word) => word)].map(([word, all]) => [word, all.length]))
}

/** The prose of a Markdown page: no code, no targets of links. */
export function proseOf(page: string): string {
  return page
    .replaceAll(/^```[^]*?^```$/gm, '')
    .replaceAll(/`[^`\n]*`/g, '')
    .replaceAll(/\]\([^)]*\)/g, ']')
}

/** The comments of a source file. */
export function commentsOf(source: string): string {
  const comments = source.match(/\/\*\*?[^]*?\*\/|^\s*\/\/.*$/gm) ?? []
  return comments
    .map((comment) => comment.replaceAll(/^\s*(?:\/\*\*?|\*\/?|\/\/) ?/gm, ''))
    .join('\n')
}

/** The titles of the tests of a file. */
export function titlesOf(source: string): string {
  const calls = /(?:\b(?:it|test|describe)(?:\.\w+)?\(|\)\()\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1,/g
  return [...source.matchAll(calls)].map(([, , title]) => `${title}\n`).join('')
}

export function wordCount(text: string): number {
  return text.split(/\s+/).filter((word) => /\w/.test(word)).length
}
