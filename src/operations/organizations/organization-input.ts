import * as v from 'valibot'
import { atLeast, atMost, LineOfText } from '../../base/text-input.ts'
import { slugErrors, type SlugRules } from '../../engine/model/slug.ts'

const LONGEST_NAME = 255

/** A name: trimmed, 1 to 255 characters, at least one of them visible. */
const OrganizationName = v.pipe(
  LineOfText,
  v.trim(),
  atLeast(1),
  atMost(LONGEST_NAME),
  v.regex(
    /[^\p{Cf}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]|^$/u,
    'Must have a visible character.'
  ),
  // Direction overrides change how the text after them is shown: one name could look like another.
  v.regex(/^[^\u202a-\u202e\u2066-\u2069]*$/u, 'Must not have direction overrides.')
)

function slugInput(rules: SlugRules) {
  return v.pipe(
    LineOfText,
    v.rawCheck(({ dataset, addIssue }) => {
      if (!dataset.typed) return
      for (const message of slugErrors(rules, dataset.value)) addIssue({ message })
    })
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
export const UpdateOrganizationInput = v.object(
  {
    name: OrganizationName,
    slug: v.optional(
      v.never('Cannot be changed here: use the slug route, with a password and a confirmation.')
    ),
  },
  'Must be an object.'
)

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
