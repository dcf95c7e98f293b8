/**
 * The rule for names that one person chose and another one reads: in mail, and on the page of an
 * invitation. Inputs are checked in `input.ts`; this is for values of the host's tables.
 *
 * @module
 */

const LONGEST_NAME = 80

// Joiners shape letters and join emoji. Between other characters they are invisible, and are removed.
const JOINERS = /(?<![\p{L}\p{M}\p{Emoji}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{Emoji}])/gu
// Line and paragraph ends, tabs and every other blank become a space.
const BLANKS = /[\s\p{Z}\u0085\u2800\u115f\u1160\u3164\uffa0]+/gu
// Controls, lone surrogates, private characters, and invisible format characters: overrides and isolates
// of direction, zero-width characters, tags.
const UNSEEN = /[\p{Cc}\p{Cs}\p{Co}]|(?![\u200c\u200d])\p{Cf}/gu
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * Makes a name safe to show to a stranger: one line, without controls, invisible characters or changes of
 * direction, at most 80 characters long. Returns null if no visible character is left.
 *
 * @example
 * ```ts
 * shownName('Ann\u202e elpmaxe') // 'Ann elpmaxe'
 * shownName(' \u200b ') // null
 * ```
 */
export function shownName(name: string | null | undefined): string | null {
  if (typeof name !== 'string') return null
  const plain = name
    .replace(/[\t\n\v\f\r\u0085]/g, ' ')
    .replace(UNSEEN, '')
    .replace(JOINERS, '')
    .replace(BLANKS, ' ')
    .trim()
  return SEEN.test(plain) ? cut(plain) : null
}

/** Returns an organization as a non-member sees it: without a visible name, the slug stands for it. */
export function shownOrganization<T extends { readonly name: string; readonly slug: string }>(
  organization: T
): T {
  return { ...organization, name: shownName(organization.name) ?? organization.slug }
}

/**
 * Makes a name safe for mail as {@link shownName} does, and breaks addresses and hosts at their dots and
 * schemes, so that a mail program makes no link of them.
 *
 * @example
 * ```ts
 * unlinkedName('https://evil.example') // 'https: //evil. example'
 * ```
 */
export function unlinkedName(name: string | null | undefined): string | null {
  const shown = shownName(name)
  if (shown === null) return null
  return cut(shown.replace(SCHEME, '$& ').replace(DOT, '$& '))
}

// Every dot that the parser of a host name accepts, before a letter or a digit that continues the name.
const DOT = /[.\u3002\uff0e\uff61](?=[\p{L}\p{N}])(?<!\p{N}.(?=\p{N}))/gu
const SCHEME = /[a-z][a-z0-9+-]*:(?=\S)/giu

function cut(name: string): string {
  const characters = Array.from(name)
  if (characters.length <= LONGEST_NAME) return name
  return `${characters
    .slice(0, LONGEST_NAME - 1)
    .join('')
    .trimEnd()}…`
}

const SEPARATORS = /[\u0085\u2028\u2029]/g

/**
 * Formats a value as a line of NDJSON. The line ends with a line feed; other characters at which some
 * readers end a line (U+0085, U+2028, U+2029) are escaped.
 */
export function ndjsonLine(value: object): string {
  return `${JSON.stringify(value).replace(SEPARATORS, escaped)}\n`
}

/** Returns the escape of a UTF-16 code unit in JSON. */
export function escaped(char: string): string {
  return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
}
