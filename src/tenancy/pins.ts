import { GROUP_COLUMN } from './for-group.ts'
import { ORGANIZATION_COLUMN } from './for-organization.ts'
import type { Token } from './tokens.ts'

/** Two columns that are equal in every row, or a column and {@link CONSTANT}. */
type Equality = readonly [string, string]

/** Stands for any parameter or literal. */
const CONSTANT = '?'

/** The facts that are known of a condition. */
export interface Condition {
  /** The equalities that hold in every row that passes the condition. */
  readonly equalities: readonly Equality[]
  /**
   * Whether the condition may contain more than was parsed: it names the column in raw SQL, or cannot be
   * read.
   */
  readonly opaque: boolean
}

/** A table that is joined, with the keys of the columns that must be pinned. */
export interface Joined {
  readonly joinType: string
  readonly columns: readonly string[]
  readonly on: Condition
}

const holdsNothing: readonly Equality[] = []

/** Parses a condition: `and`, `or`, brackets and equalities are understood, other parts are ignored. */
export function conditionOf(tokens: readonly Token[]): Condition {
  const broken = tokens.some(({ kind }) => kind === 'unknown') || !isBalanced(tokens)
  return {
    equalities: broken ? holdsNothing : equalitiesOf(tokens),
    opaque:
      broken ||
      tokens.some(
        ({ kind, text }) =>
          (kind === 'word' || kind === 'name') &&
          (text === ORGANIZATION_COLUMN || text === GROUP_COLUMN)
      ),
  }
}

/**
 * Returns the columns that are pinned to a parameter or literal in every row where their table has one. A
 * column that equals a pinned column is pinned too.
 *
 * The condition of an inner join holds in every row. The condition of a left join holds only in rows
 * where the joined table has one, so it can pin that table only. Right and full joins keep rows that do
 * not satisfy their condition: it pins no column.
 */
export function pinnedColumns(where: Condition, joins: readonly Joined[]): ReadonlySet<string> {
  const always = joins
    .filter(({ joinType }) => joinType === 'inner')
    .reduce((all, { on }) => [...all, ...on.equalities], where.equalities)
  const left = joins.filter(({ joinType }) => joinType === 'left')
  let pinned = spread(new Set([CONSTANT]), always)
  for (let size = 0; size < pinned.size;) {
    size = pinned.size
    for (const { columns, on } of left) {
      const here = spread(pinned, [...always, ...on.equalities])
      pinned = spread(new Set([...pinned, ...columns.filter((key) => here.has(key))]), always)
    }
  }
  return pinned
}

function spread(pinned: ReadonlySet<string>, equalities: readonly Equality[]): ReadonlySet<string> {
  const all = new Set(pinned)
  for (let size = 0; size < all.size;) {
    size = all.size
    for (const [one, other] of equalities) {
      if (all.has(one)) all.add(other)
      if (all.has(other)) all.add(one)
    }
  }
  return all
}

// Follows SQL's precedence instead of Drizzle's nesting: `and()` puts no brackets around raw SQL, so an
// `or` inside it reaches out of it.
function equalitiesOf(tokens: readonly Token[]): readonly Equality[] {
  const inner = unwrapped(tokens)
  if (isWord(inner[0], 'select', 'with', 'values')) return holdsNothing
  const [first = holdsNothing, ...others] = split(inner, 'or').map((either) =>
    split(either, 'and').flatMap((part) =>
      part.length < inner.length ? equalitiesOf(part) : equality(part)
    )
  )
  return others.reduce(
    (all, next) => all.filter((here) => next.some((there) => isSame(here, there))),
    first
  )
}

function equality(tokens: readonly Token[]): readonly Equality[] {
  const [left, operator, right, ...rest] = tokens
  const isEquality = operator?.text === '=' || operator?.text === '=='
  if (!isEquality || operator.kind !== 'symbol' || rest.length > 0) return holdsNothing
  const [one, other] = [side(left), side(right)]
  return one === null || other === null ? holdsNothing : [[one, other]]
}

function side(token: Token | undefined): string | null {
  if (token?.kind === 'column') return token.text
  return token?.kind === 'value' || token?.kind === 'literal' ? CONSTANT : null
}

function isSame([a, b]: Equality, [c, d]: Equality): boolean {
  return (a === c && b === d) || (a === d && b === c)
}

/** Splits at a word, but not inside brackets, `case … end` or `between … and …`. */
function split(tokens: readonly Token[], word: 'and' | 'or'): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]]
  let depth = 0
  let betweens = 0
  for (const token of tokens) {
    depth += step(token)
    if (depth === 0 && isWord(token, 'between')) betweens += 1
    const ofBetween = depth === 0 && isWord(token, 'and') && betweens > 0
    if (ofBetween) betweens -= 1
    if (depth === 0 && isWord(token, word) && !ofBetween) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts
}

function unwrapped(tokens: readonly Token[]): readonly Token[] {
  if (tokens[0]?.text !== '(' || tokens[0].kind !== 'symbol') return tokens
  let depth = 0
  const end = tokens.findIndex((token) => (depth += step(token)) === 0)
  return end === tokens.length - 1 ? unwrapped(tokens.slice(1, -1)) : tokens
}

function isBalanced(tokens: readonly Token[]): boolean {
  let depth = 0
  return tokens.every((token) => (depth += step(token)) >= 0) && depth === 0
}

function step(token: Token): number {
  if (isWord(token, 'case') || (token.kind === 'symbol' && token.text === '(')) return 1
  return isWord(token, 'end') || (token.kind === 'symbol' && token.text === ')') ? -1 : 0
}

function isWord(token: Token | undefined, ...words: readonly string[]): boolean {
  return token?.kind === 'word' && words.includes(token.text)
}
