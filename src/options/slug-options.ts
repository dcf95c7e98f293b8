import { checkOptionNames, namesOf } from '../base/names.ts'
import type { SlugRules } from '../engine/model/slug.ts'
import { groupOf, wrong } from './option-group.ts'

/** The rules of slugs. */
export interface SlugRuleOptions {
  /** The format of a slug. Default `/^[a-z][a-z0-9-]*[a-z0-9]$/`. */
  readonly format?: RegExp
  /** The length of a slug, in characters. Default 3 to 63. */
  readonly length?: { readonly min: number; readonly max: number }
  /** Reserved slugs, in place of the library's own list. */
  readonly reserved?: readonly string[]
  /** Reserved slugs, in addition to the list. */
  readonly additionalReserved?: readonly string[]
  /** For how many days an old slug redirects members to the new one. Default 7. */
  readonly aliasDays?: number
}

const NAMES = namesOf<SlugRuleOptions>({
  format: true,
  length: true,
  reserved: true,
  additionalReserved: true,
  aliasDays: true,
})

const RESERVED =
  'admin api app auth billing blog cdn dashboard docs help login logout new oauth register ' +
  'settings signup static status support system webhooks www'

/** @throws {TypeError} if one of the options is invalid. */
export function checkedSlugs(options: SlugRuleOptions | undefined): SlugRules {
  const {
    format = /^[a-z][a-z0-9-]*[a-z0-9]$/,
    length = { min: 3, max: 63 },
    reserved = RESERVED.split(' '),
    additionalReserved = [],
    aliasDays = 7,
  } = groupOf('slugs', options, NAMES)
  const wholeNumber = (name: string, value: unknown, least: number) => {
    if (Number.isInteger(value) && (value as number) >= least) return
    throw wrong(`slugs.${name} must be a whole number from ${least}.`)
  }
  checkFormat(format)
  checkOptionNames('createSeatgate', length, ['min', 'max'], 'slugs.length')
  wholeNumber('length.min', length.min, 1)
  wholeNumber('length.max', length.max, length.min)
  wholeNumber('aliasDays', aliasDays, 0)
  for (const [name, slugs] of Object.entries({ reserved, additionalReserved })) {
    if (!Array.isArray(slugs) || !slugs.every((slug) => typeof slug === 'string')) {
      throw wrong(`slugs.${name} must be a list of texts.`)
    }
  }
  return {
    format,
    shortest: length.min,
    longest: length.max,
    reserved: new Set([...reserved, ...additionalReserved]),
    aliasDays,
  }
}

function checkFormat(format: unknown): void {
  if (!(format instanceof RegExp)) throw wrong('slugs.format must be a regular expression.')
  // With these flags an expression keeps its position, and the next slug would be matched from there.
  if (format.global || format.sticky) throw wrong('slugs.format must not be global or sticky.')
}
