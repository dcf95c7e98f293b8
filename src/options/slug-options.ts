import type { SlugRules } from '../engine/model/slug.ts'
import {
  ANY,
  checkOptions,
  groupOf,
  isList,
  wholeNumber,
  type Rule,
  type Rules,
} from './option-group.ts'

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

const TEXTS: Rule = [
  'be a list of texts',
  (value) => isList(value, (item) => typeof item === 'string'),
]

const RULES: Rules<SlugRuleOptions> = {
  // With these flags an expression keeps its position, and the next slug would be matched from there.
  format: [
    'be a regular expression that is not global or sticky',
    (value) => value instanceof RegExp && !value.global && !value.sticky,
  ],
  length: ANY,
  reserved: TEXTS,
  additionalReserved: TEXTS,
  aliasDays: wholeNumber(0),
}

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
  } = groupOf('slugs', options, RULES)
  checkOptions(length, { min: wholeNumber(1), max: wholeNumber(length.min) }, 'slugs.length')
  return {
    format,
    shortest: length.min,
    longest: length.max,
    reserved: new Set([...reserved, ...additionalReserved]),
    aliasDays,
  }
}
