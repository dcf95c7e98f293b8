import * as v from 'valibot'
import {
  invalid,
  ok,
  refused,
  type BodyRefusal,
  type InputRefusal,
  type Refusal,
  type RefusalCode,
  type RefusalOf,
  type Refused,
  type Result,
} from './result.ts'

/**
 * Stands for an input that could not be read (broken JSON, a body that is too large), so that it is
 * refused in the usual order: after authentication, absence and role.
 */
export class UnreadableInput {
  readonly refusal: RefusalOf<InputRefusal | BodyRefusal>

  constructor(refusal: RefusalOf<InputRefusal | BodyRefusal>) {
    this.refusal = refusal
  }

  /**
   * Refuses an operation. The type has no code: only a route passes such an input, and a route answers
   * any code.
   */
  refuse(): Refused<never> {
    return refused<never>(this.refusal as never)
  }
}

/** Checks an input against its schema; unknown keys are ignored. */
export function parseInput<S extends v.GenericSchema>(
  schema: S,
  input: unknown
): Result<v.InferOutput<S>, InputRefusal> {
  if (input instanceof UnreadableInput) return input.refuse()
  const parsed = v.safeParse(schema, input)
  return parsed.success ? ok(parsed.output) : refused(invalid(errorsOf(parsed.issues)))
}

/**
 * Groups the messages of a failed check by field, without duplicates. A missing field gets `Is required.`
 * in place of its schema's message.
 */
export function errorsOf(
  issues: readonly v.BaseIssue<unknown>[],
  whole = 'body'
): Record<string, readonly string[]> {
  const errors = new Map<string, Set<string>>()
  for (const issue of issues) {
    const field = v.getDotPath(issue) ?? whole
    const messages = errors.get(field) ?? new Set()
    errors.set(field, messages.add(isMissing(issue) ? 'Is required.' : issue.message))
  }
  return Object.fromEntries(Array.from(errors, ([field, messages]) => [field, [...messages]]))
}

function isMissing({ kind, input, path }: v.BaseIssue<unknown>): boolean {
  return kind === 'schema' && input === undefined && path !== undefined
}

/** Combines two checks of one input: both values, or the errors of both. */
export function bothOf<A, B, Code extends RefusalCode>(
  a: Result<A, Code>,
  b: Result<B, Code>
): Result<A & B, Code | 'validation_error'> {
  if (a.ok) return b.ok ? ok({ ...a.value, ...b.value }) : b
  if (b.ok) return a
  const [first, second]: readonly [Refusal, Refusal] = [a.error, b.error]
  if (first.code !== 'validation_error' || second.code !== 'validation_error') return a
  return refused(invalid({ ...second.errors, ...first.errors }))
}

/**
 * Text on one line, without control characters or lone surrogates. SQLite ends a text at a NUL, and
 * stores a lone surrogate as another character.
 */
export const LineOfText = v.pipe(
  v.string('Must be a string.'),
  v.regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'Must not have control characters.')
)

/** Limits a text to a number of code points: an emoji counts once. */
export function atMost(most: number) {
  return v.maxCodePoints<string, number, string>(most, `Must be at most ${most} characters long.`)
}

/** Requires a number of code points. */
export function atLeast(least: number) {
  return v.minCodePoints<string, number, string>(
    least,
    least === 1 ? 'Must not be empty.' : `Must be at least ${least} characters long.`
  )
}

/** A {@link LineOfText} of 1 to `most` characters, as ids and reasons are. */
export function shortText(most = 255) {
  return v.pipe(LineOfText, atLeast(1), atMost(most))
}

/**
 * A name or a reason that other people read, of 1 to `most` characters: trimmed, with a visible character,
 * and without overrides of direction, by which one name looks like another.
 */
export function visibleText(most = 255) {
  return v.pipe(
    LineOfText,
    v.trim(),
    atLeast(1),
    atMost(most),
    v.regex(
      /[^\p{Cf}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]|^$/u,
      'Must have a visible character.'
    ),
    v.regex(/^[^\u202a-\u202e\u2066-\u2069]*$/u, 'Must not have direction overrides.')
  )
}

/** A secret, which is compared and never shown: well-formed text of 1 to `most` characters. */
export function secretText(most: number, least = 1) {
  return v.pipe(
    v.string('Must be a string.'),
    v.regex(/^\P{Cs}*$/u, 'Must be well-formed Unicode.'),
    atLeast(least),
    atMost(most)
  )
}

// The two code points whose lower case has an ASCII letter: U+0130 and U+212A.
const EXCEPT_ASCII_IN_DISGUISE = /[^\u0130\u212a]+/g

/**
 * Returns a text in lower case, for comparison. No other letter becomes an ASCII one: the Kelvin sign
 * does not become a `k`.
 */
export function lowerCase(text: string): string {
  return text.replace(EXCEPT_ASCII_IN_DISGUISE, (part) => part.toLowerCase())
}

/** The range of a number. */
export interface Range {
  readonly min: number
  readonly max?: number
}

/**
 * A whole number of a query: decimal digits only, so that `0x5`, `1e1` and `+5` are refused. A caller of
 * the function may pass a number too.
 */
export function wholeNumber(range: Range) {
  const message = rangeMessage(range)
  return v.pipe(
    v.union([v.string(), v.number()], message),
    v.transform((value) => (typeof value === 'number' ? value : numberOf(value))),
    ...inRangeOf(range, message)
  )
}

/** A whole number of a JSON body; a string of digits is refused. */
export function jsonNumber(range: Range) {
  return v.pipe(v.number('Must be a number.'), ...inRangeOf(range, rangeMessage(range)))
}

function numberOf(digits: string): number {
  return /^[0-9]{1,16}$/.test(digits) ? Number(digits) : NaN
}

function inRangeOf({ min, max = Number.MAX_SAFE_INTEGER }: Range, message: string) {
  return [
    v.safeInteger<number, string>(message),
    v.minValue<number, number, string>(min, message),
    v.maxValue<number, number, string>(max, message),
  ] as const
}

function rangeMessage({ min, max }: Range): string {
  return max === undefined
    ? `Must be a whole number from ${min}.`
    : `Must be a whole number from ${min} to ${max}.`
}
