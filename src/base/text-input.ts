/**
 * The rules for text in an input. Lengths are counted in code points, and text that a store or a reader
 * would take for other text is refused.
 *
 * @module
 */
import * as v from 'valibot'

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
