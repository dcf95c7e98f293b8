/**
 * The rule for names that one person chose and another one reads: in mail, and on the page of an
 * invitation. What comes in is checked in `text.ts`; this is for what the host's own tables say.
 *
 * @module
 */

const LONGEST_NAME = 80

// Joiners shape letters and join emoji; between other characters they are invisible, and go.
const JOINERS = /(?<![\p{L}\p{M}\p{Emoji}])[\u200c\u200d]|[\u200c\u200d](?![\p{L}\p{Emoji}])/gu
// Line and paragraph ends, tabs and every other blank become a space.
const BLANKS = /[\s\p{Z}\u0085\u2800\u115f\u1160\u3164\uffa0]+/gu
// Controls, lone surrogates, private characters, and what formats without being seen: overrides and
// isolates of direction, zero-width characters, tags.
const UNSEEN = /[\p{Cc}\p{Cs}\p{Co}]|(?![\u200c\u200d])\p{Cf}/gu
const SEEN = /[\p{L}\p{N}\p{P}\p{S}]/u

/**
 * Makes a name fit to be shown to a stranger: one line, without controls, invisible characters or
 * changes of direction, and at most 80 characters long. Returns null if nothing visible is left.
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

/** An organization as it is shown to those who are not in it: without a visible name, by its slug. */
export function shownOrganization<T extends { readonly name: string; readonly slug: string }>(
  organization: T
): T {
  return { ...organization, name: shownName(organization.name) ?? organization.slug }
}

/**
 * The same, with nothing in it that a mail program makes a link of: addresses and hosts are broken
 * at their dots and schemes.
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

// Every dot that a name of a host is read with, before a letter or a digit that continues it.
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
