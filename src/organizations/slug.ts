import { isIdentifier } from './reference.ts'

const RESERVED: ReadonlySet<string> = new Set(
  (
    'admin api app auth billing blog cdn dashboard docs help login logout new oauth register ' +
    'settings signup static status support system webhooks www'
  ).split(' ')
)
const FORMAT = /^[a-z][a-z0-9-]*[a-z0-9]$/
const SHORTEST = 3
const LONGEST = 63

/**
 * Makes a slug of a name. It may come out empty, reserved or starting with a digit: validation is
 * {@link slugErrors}.
 *
 * @example
 * ```ts
 * generateSlug('Acme Corp!') // 'acme-corp'
 * ```
 */
export function generateSlug(name: string): string
export function generateSlug(name: string | null): string | null
export function generateSlug(name: string | null): string | null {
  if (name === null) return null
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

/** What is wrong with a slug, in the order format, length, reserved; empty if nothing is. */
export function slugErrors(slug: string): string[] {
  const errors: string[] = []
  if (!FORMAT.test(slug) || isIdentifier(slug)) {
    errors.push(
      'Must start with a letter, end with a letter or digit, and have only a-z, 0-9 and hyphens.'
    )
  }
  if (slug.length < SHORTEST || slug.length > LONGEST) {
    errors.push(`Must be ${SHORTEST} to ${LONGEST} characters long.`)
  }
  if (RESERVED.has(slug)) errors.push('Is reserved.')
  return errors
}
