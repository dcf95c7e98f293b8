import * as v from 'valibot'
import { LineOfText, visibleText } from '../../base/input.ts'
import {
  generateSlug,
  slugErrors,
  type SlugContext,
  type SlugRules,
} from '../../engine/model/slug.ts'

const OrganizationName = visibleText()

function slugInput(rules: SlugRules) {
  const { format, shortest, longest } = rules
  return v.pipe(
    LineOfText,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      for (const message of slugErrors(rules, dataset.value)) addIssue({ message })
    }),
    v.metadata({ minLength: shortest, maxLength: longest, pattern: format.source })
  )
}

/** Creates the schema of the input of `createOrganization`. */
export function createOrganizationInput(rules: SlugRules) {
  return v.object(
    { name: OrganizationName, slug: v.nullish(slugInput(rules)) },
    'Must be an object.'
  )
}

/** The schema of the input of `renameOrganization`. */
export const RenameOrganizationInput = v.object({ name: OrganizationName }, 'Must be an object.')

/** The schema of the input of `updateOrganization`, which refuses a slug. */
export const UpdateOrganizationInput = /* @__PURE__ */ (() =>
  v.object(
    {
      name: OrganizationName,
      slug: v.optional(
        v.never('Cannot be changed here: use the slug route, with a password and a confirmation.')
      ),
    },
    'Must be an object.'
  ))()

/** Creates the schema of the input of `updateSlug` without the proof. */
export function updateSlugInput(rules: SlugRules) {
  return v.object(
    { slug: slugInput(rules), confirmSlug: v.string('Must be the current slug.') },
    'Must be an object.'
  )
}

/** The schema of the input of `softDeleteOrganization` without the proof. */
export const DeleteOrganizationInput = v.object(
  { confirmName: v.string('Must be the name of the organization.') },
  'Must be an object.'
)

const SUFFIX_LETTERS = 6
// For names without a letter or digit that a slug may contain.
const WITHOUT_LETTERS = 'org'

/**
 * Generates slugs from a name, the plainest first. The last has random letters, so that it is free even
 * if many organizations have the name. Empty if the host's format accepts no candidate.
 */
export function slugCandidates(context: SlugContext, name: string): readonly string[] {
  const { slugs } = context
  const fits = (slug: string) => slugErrors(slugs, slug).length === 0
  const base = baseOf(name)
  const plain = [cut(base, '', slugs.longest), cut(base, '-2', slugs.longest)].filter(fits)
  const unique = uniqueCandidates(context, base).find(fits)
  return unique === undefined ? plain : [...plain, unique]
}

function baseOf(name: string): string {
  const slug = generateSlug(name)
  if (slug === '') return WITHOUT_LETTERS
  return /^[a-z]/.test(slug) ? slug : `${WITHOUT_LETTERS}-${slug}`
}

// The host's format may allow no hyphens, and its length may leave little room.
function uniqueCandidates({ slugs, random }: SlugContext, base: string): readonly string[] {
  const { shortest, longest } = slugs
  const letters = randomLetters(random, Math.min(longest, Math.max(SUFFIX_LETTERS, shortest)))
  return [
    cut(base, `-${letters}`, longest),
    cut(base.replaceAll('-', ''), letters, longest),
    letters,
  ]
}

function cut(base: string, suffix: string, longest: number): string {
  const room = Math.max(0, longest - suffix.length)
  return base.slice(0, room).replace(/-+$/, '') + suffix
}

// Without vowels they form no words.
const CONSONANTS = 'bcdfghjkmnpqrstvwxz'

function randomLetters(random: () => number, count: number): string {
  const letter = () => CONSONANTS.charAt(Math.floor(random() * CONSONANTS.length))
  return Array.from({ length: count }, letter).join('')
}
