import { asc, inArray, lte, sql, type SQL } from 'drizzle-orm'
import type { Database, Statement, DatabaseContext } from '../../database/database.ts'
import { slugAliases } from '../../database/schema.ts'
import { userIdOf, type Caller } from '../../engine/access/principal.ts'
import { lowerCase } from '../../base/text-input.ts'

const ALIASES_PER_SWEEP = 1000

/**
 * Selects the current slug of an organization that had this one before, for its members only: others find
 * no such slug.
 */
export function presentSlugOf(db: Database, caller: Caller, oldSlug: string, now: Date) {
  const user: SQL | string | null = userIdOf(caller)
  return db
    .select({ slug: sql<string>`holder.slug`.as('present_slug') })
    .from(
      sql`seatgate_organization_slug_aliases alias
        join seatgate_organizations holder on holder.id = alias.organization_id and holder.deleted_at is null
        join seatgate_memberships member on member.organization_id = holder.id
          and member.user_id = ${user} and member.status = 'active'`
    )
    .where(
      sql`alias.old_slug = ${lowerCase(oldSlug)} and alias.expires_at > ${now.getTime()}
        and not exists (select 1 from seatgate_organizations live
          where live.slug = alias.old_slug and live.deleted_at is null)`
    )
}

/** Builds the statement that deletes slug aliases that have expired, the oldest first. */
export function purgeAliases({ db }: DatabaseContext, now: Date): Statement {
  const expired = db
    .select({ oldSlug: slugAliases.oldSlug })
    .from(slugAliases)
    .where(lte(slugAliases.expiresAt, now))
    .orderBy(asc(slugAliases.expiresAt))
    .limit(ALIASES_PER_SWEEP)
  return db.delete(slugAliases).where(inArray(slugAliases.oldSlug, expired))
}
