import * as v from 'valibot'
import { atLeast, atMost, LineOfText } from '../../base/text-input.ts'
import { slugErrors, type SlugRules } from '../../engine/model/slug.ts'

const LONGEST_NAME = 255

/** A name: trimmed, 1 to 255 characters, with something in it that can be seen. */
export const OrganizationName = v.pipe(
  LineOfText,
  v.trim(),
  atLeast(1),
  atMost(LONGEST_NAME),
  v.regex(
    /[^\p{Cf}\p{Z}\p{M}\p{Default_Ignorable_Code_Point}\u2800]|^$/u,
    'Must have a visible character.'
  ),
  // These turn the direction of what stands after them: a name could disguise another.
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

/** What `createOrganization` takes. */
export function createOrganizationInput(rules: SlugRules) {
  return v.object(
    { name: OrganizationName, slug: v.nullish(slugInput(rules)) },
    'Must be an object.'
  )
}

/** What `renameOrganization` takes. */
export const RenameOrganizationInput = v.object({ name: OrganizationName }, 'Must be an object.')

/** What `updateOrganization` takes: a slug is not changed on the way. */
export const UpdateOrganizationInput = v.object(
  {
    name: OrganizationName,
    slug: v.optional(v.never('Is changed by itself, with a password and a confirmation.')),
  },
  'Must be an object.'
)

/** What `updateSlug` takes beside the proof. */
export function updateSlugInput(rules: SlugRules) {
  return v.object(
    { slug: slugInput(rules), confirmSlug: v.string('Must be the present slug.') },
    'Must be an object.'
  )
}

/** What `softDeleteOrganization` takes beside the proof. */
export const DeleteOrganizationInput = v.object(
  { confirmName: v.string('Must be the name.') },
  'Must be an object.'
)
