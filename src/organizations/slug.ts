import { sql, type SQL } from 'drizzle-orm'
import type { SlugRules } from '../configuration.ts'
import type { Database } from '../database/database.ts'
import { isIdentifier } from './reference.ts'

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
export function slugErrors(rules: SlugRules, slug: string): string[] {
  const { format, shortest, longest, reserved } = rules
  const errors: string[] = []
  if (!format.test(slug) || isIdentifier(slug) || slug !== slug.toLowerCase()) {
    errors.push(
      'Must start with a letter, end with a letter or digit, and have only a-z, 0-9 and hyphens.'
    )
  }
  if (slug.length < shortest || slug.length > longest) {
    errors.push(`Must be ${shortest} to ${longest} characters long.`)
  }
  if (reserved.has(slug)) errors.push('Is reserved.')
  return errors
}

/**
 * Whether an organization may have a slug: no other one that lives has it, or had it so lately that
 * it still leads there. For an organization that is yet to be made `organizationId` is null.
 */
export function slugIsFree(
  slug: SQL | string,
  organizationId: SQL<string | null> | string | null,
  now: Date
): SQL {
  return sql`not exists (select 1 from organizations holder
      where holder.slug = ${slug} and holder.deleted_at is null
      and holder.id is not ${organizationId})
    and not exists (select 1 from organization_slug_aliases alias
      join organizations holder on holder.id = alias.organization_id and holder.deleted_at is null
      where alias.old_slug = ${slug} and alias.expires_at > ${now.getTime()}
      and alias.organization_id is not ${organizationId})`
}

/** Selects a row if the slug is taken. */
export function slugTaken(db: Database, free: SQL) {
  return db.select({ taken: sql`1`.as('taken') }).from(sql`(select 1) where not (${free})`)
}
