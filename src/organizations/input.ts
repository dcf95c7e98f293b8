import * as v from 'valibot'
import { LineOfText } from '../input.ts'
import { generateSlug, slugErrors } from './slug.ts'

const LONGEST_NAME = 255

/** A name: trimmed, 1 to 255 characters. */
export const OrganizationName = v.pipe(
  LineOfText,
  v.trim(),
  v.minLength(1, 'Must not be empty.'),
  v.maxLength(LONGEST_NAME, `Must be at most ${LONGEST_NAME} characters long.`)
)

const Slug = v.pipe(
  v.string('Must be a text.'),
  v.rawCheck(({ dataset, addIssue }) => {
    if (!dataset.typed) return
    for (const message of slugErrors(dataset.value)) addIssue({ message })
  })
)

/** What `createOrganization` takes. The slug is made of the name only if none is given. */
export const CreateOrganizationInput = v.pipe(
  v.object({ name: v.optional(v.unknown()), slug: v.nullish(v.unknown()) }, 'Must be an object.'),
  v.transform(({ name, slug }) => ({
    name,
    slug: slug ?? (typeof name === 'string' ? generateSlug(name) : slug),
  })),
  v.object({ name: OrganizationName, slug: Slug })
)

/** What `renameOrganization` takes. */
export const RenameOrganizationInput = v.object({ name: OrganizationName }, 'Must be an object.')
