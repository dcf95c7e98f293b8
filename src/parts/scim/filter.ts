/**
 * Filters and paths of SCIM (RFC 7644, figure 1 and 7), read into a tree. Length, depth and the number of
 * comparisons are limited before and while they are read.
 *
 * @module
 */
import { lowerCase } from '../../base/input.ts'
import { ok, type Result } from '../../base/result.ts'
import { scimInvalid, type ScimType } from './scim-invalid.ts'

/** A comparison, or several of them. `attribute` is in lower case. */
export type Filter =
  | { readonly kind: 'all' | 'any'; readonly filters: readonly Filter[] }
  | { readonly kind: 'not'; readonly filter: Filter }
  | {
      readonly kind: 'compare'
      readonly attribute: string
      readonly operator: string
      readonly value: FilterValue
    }
  /** Some value of a list fulfills the filter. */
  | { readonly kind: 'some'; readonly attribute: string; readonly filter: Filter }

export type FilterValue = string | number | boolean | null

/** The path of a change: an attribute, a filter of its values, and a sub-attribute. */
export interface FilterPath {
  readonly attribute: string
  readonly filter: Filter | null
  readonly sub: string | null
}

const LONGEST = 1000
const DEEPEST = 10
const MOST_COMPARISONS = 20
const OPERATORS = new Set(['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le', 'pr'])
const NAME = /^[a-z$][\w$.:-]*$/i
const TOKEN = /\s*(?:([()[\]])|("(?:[^"\\]|\\.)*")|([^\s()[\]"]+))/y

type Failed = Result<never, 'scim_invalid'>

/** Thrown inside of this file only. */
class Malformed extends Error {}

/** Reads a filter. Refuses one that is malformed, too long or too deep with `invalidFilter`. */
export function readFilter(text: string): Result<Filter, 'scim_invalid'> {
  return reading('invalidFilter', text, (tokens) => tokens.filter(0))
}

/** Reads a path. Refuses one that is malformed, too long or too deep with `invalidPath`. */
export function readPath(text: string): Result<FilterPath, 'scim_invalid'> {
  return reading('invalidPath', text, (tokens) => tokens.path())
}

function reading<T>(
  scimType: ScimType,
  text: string,
  read: (tokens: Tokens) => T
): Result<T, 'scim_invalid'> {
  const failed = (why: string): Failed => scimInvalid(scimType, why)
  if (text.length > LONGEST) return failed(`Must be at most ${LONGEST} characters long.`)
  try {
    const tokens = new Tokens(text)
    const value = read(tokens)
    tokens.end()
    return ok(value)
  } catch (error) {
    if (error instanceof Malformed) return failed(error.message)
    throw error
  }
}

function tokensOf(text: string): readonly string[] {
  const tokens: string[] = []
  let end = 0
  TOKEN.lastIndex = 0
  for (let match = TOKEN.exec(text); match; match = TOKEN.exec(text)) {
    tokens.push(match[0].trim())
    end = TOKEN.lastIndex
  }
  if (text.slice(end).trim() !== '') throw new Malformed('Unexpected character.')
  return tokens
}

class Tokens {
  readonly #tokens: readonly string[]
  #at = 0
  #comparisons = 0

  constructor(text: string) {
    this.#tokens = tokensOf(text)
  }

  end(): void {
    if (this.#at < this.#tokens.length) throw new Malformed(`"${this.#next()}" is not expected.`)
  }

  path(): FilterPath {
    const attribute = this.#name()
    const filter = this.#take('[') ? this.filter(0) : null
    if (filter !== null) this.#demand(']')
    if (filter === null || this.#peek() === '') return { attribute, filter, sub: null }
    const sub = this.#next()
    if (!/^\.[a-z$][\w$-]*$/i.test(sub)) throw new Malformed(`"${sub}" is not expected.`)
    return { attribute, filter, sub: lowerCase(sub.slice(1)) }
  }

  filter(depth: number): Filter {
    const filters = [this.#all(depth)]
    while (this.#take('or')) filters.push(this.#all(depth))
    return joined('any', filters)
  }

  #all(depth: number): Filter {
    const filters = [this.#one(depth)]
    while (this.#take('and')) filters.push(this.#one(depth))
    return joined('all', filters)
  }

  #one(depth: number): Filter {
    if (depth > DEEPEST) throw new Malformed(`Must be at most ${DEEPEST} levels deep.`)
    if (this.#peek() === 'not' && this.#tokens[this.#at + 1] === '(') {
      this.#at += 1
      return { kind: 'not', filter: this.#group(depth) }
    }
    if (this.#peek() === '(') return this.#group(depth)
    const attribute = this.#name()
    if (this.#take('[')) {
      const filter = this.filter(depth + 1)
      this.#demand(']')
      return this.#withSub(attribute, filter)
    }
    return this.#comparison(attribute)
  }

  // As in `emails[type eq "work"].value eq "ann@acme.example"`, which Entra sends.
  #withSub(attribute: string, filter: Filter): Filter {
    const sub = this.#tokens[this.#at]
    if (sub === undefined || !/^\.[a-z$][\w$-]*$/i.test(sub)) {
      return { kind: 'some', attribute, filter }
    }
    this.#at += 1
    const compared = this.#comparison(lowerCase(sub.slice(1)))
    return { kind: 'some', attribute, filter: joined('all', [filter, compared]) }
  }

  #comparison(attribute: string): Filter {
    this.#comparisons += 1
    if (this.#comparisons > MOST_COMPARISONS) {
      throw new Malformed(`Must have at most ${MOST_COMPARISONS} comparisons.`)
    }
    const operator = lowerCase(this.#next())
    if (!OPERATORS.has(operator)) throw new Malformed(`"${operator}" is not an operator.`)
    const value = operator === 'pr' ? null : this.#value()
    return { kind: 'compare', attribute, operator, value }
  }

  #group(depth: number): Filter {
    this.#demand('(')
    const filter = this.filter(depth + 1)
    this.#demand(')')
    return filter
  }

  #value(): FilterValue {
    const token = this.#next()
    try {
      const value: unknown = JSON.parse(
        /^(?:true|false|null)$/i.test(token) ? lowerCase(token) : token
      )
      if (typeof value !== 'object' || value === null) return value as FilterValue
    } catch {
      // Said below.
    }
    throw new Malformed(`"${token}" is not a value.`)
  }

  #name(): string {
    const name = this.#next()
    if (!NAME.test(name)) throw new Malformed(`"${name}" is not an attribute.`)
    return lowerCase(name)
  }

  #peek(): string {
    return lowerCase(this.#tokens[this.#at] ?? '')
  }

  #take(token: string): boolean {
    if (this.#peek() !== token) return false
    this.#at += 1
    return true
  }

  #demand(token: string): void {
    if (!this.#take(token)) throw new Malformed(`"${token}" is expected.`)
  }

  #next(): string {
    const token = this.#tokens[this.#at]
    if (token === undefined) throw new Malformed('Unexpected end.')
    this.#at += 1
    return token
  }
}

function joined(kind: 'all' | 'any', filters: readonly Filter[]): Filter {
  const [only, ...others] = filters
  return only && others.length === 0 ? only : { kind, filters }
}
