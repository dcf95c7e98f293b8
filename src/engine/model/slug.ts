import type { Runtime } from '../../base/runtime.ts'
import { sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { isIdentifier } from '../access/organization-ref.ts'

/** The rules of slugs, and the lifetime of aliases. */
export interface SlugRules {
  readonly format: RegExp
  readonly shortest: number
  readonly longest: number
  readonly reserved: ReadonlySet<string>
  readonly aliasDays: number
}

/** The context of a function that reads or generates a slug. */
export interface SlugContext extends Pick<Runtime, 'random'> {
  readonly slugs: SlugRules
}

/**
 * Generates a slug from a name: in lower case, letters without their marks (`ü` becomes `u`, `ß` becomes
 * `ss`), and a hyphen for each run of other characters. The result may be empty, reserved or start with a
 * digit: {@link slugErrors} validates it.
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
  return plainLetters(name)
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
}

// Letters that do not decompose into one of a to z and its marks.
const LETTERS: Readonly<Record<string, string>> = {
  ß: 'ss',
  æ: 'ae',
  œ: 'oe',
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ð: 'd',
  þ: 'th',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
}

function plainLetters(name: string): string {
  return name
    .normalize('NFD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[ßæœøłđðþħŧı]/g, (letter) => LETTERS[letter] ?? letter)
}

/** Returns the errors of a slug, in the order format, length, reserved. */
export function slugErrors(rules: SlugRules, slug: string): string[] {
  const { format, shortest, longest, reserved } = rules
  const errors: string[] = []
  if (!format.test(slug) || isIdentifier(slug) || slug !== slug.toLowerCase()) {
    errors.push(
      'Must start with a letter, end with a letter or digit, and have only a-z, 0-9 and hyphens.'
    )
  }
  const length = Array.from(slug).length
  if (length < shortest || length > longest) {
    errors.push(`Must be ${shortest} to ${longest} characters long.`)
  }
  if (reserved.has(slug)) errors.push('Is reserved.')
  return errors
}

/**
 * Builds the condition that an organization may have a slug: no other live organization has it, and no
 * alias redirects from it. For a new organization `organizationId` is null.
 */
export function slugIsFree(
  slug: SQL | string,
  organizationId: SQL<string | null> | string | null,
  now: Date
): SQL {
  return sql`not exists (select 1 from seatgate_organizations holder
      where holder.slug = ${slug} and holder.deleted_at is null
      and holder.id is not ${organizationId})
    and not exists (select 1 from seatgate_organization_slug_aliases alias
      join seatgate_organizations holder on holder.id = alias.organization_id and holder.deleted_at is null
      where alias.old_slug = ${slug} and alias.expires_at > ${now.getTime()}
      and alias.organization_id is not ${organizationId})`
}

/** Selects the taken ones of several slugs, for a new organization. */
export function slugsTaken(db: Database, slugs: readonly string[], now: Date) {
  return db
    .select({ taken: sql<string>`value`.as('taken') })
    .from(sql`json_each(${JSON.stringify(slugs)}) where not (${slugIsFree(sql`value`, null, now)})`)
}

/** Selects a row if the slug is taken. */
export function slugTaken(db: Database, free: SQL) {
  return db.select({ taken: sql`1`.as('taken') }).from(sql`(select 1) where not (${free})`)
}
