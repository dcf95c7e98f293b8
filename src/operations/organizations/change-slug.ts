import { and, asc, eq, inArray, lte, sql, type SQL } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { guard } from '../../database/commit.ts'
import { organizations, slugAliases } from '../../database/schema/organizations-tables.ts'
import { bothOf, lowerCase, parseInput } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { proving, readProof, withoutProof, type ProofInput } from '../../engine/access/step-up.ts'
import {
  PROOF_REFUSALS,
  invalid,
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type ProofRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { userIdOf, type Caller, type OrganizationScope } from '../../engine/access/principal.ts'
import { updateSlugInput } from './organization-input.ts'
import { guardField, organizationView, type Organization } from '../../engine/model/organization.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { slugIsFree, slugTaken, type SlugContext } from '../../engine/model/slug.ts'
import { authorizeFor } from '../../engine/access/authorize.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'

const DAY_MS = 24 * 60 * 60 * 1000

/** The input of {@link updateSlug}, with a proof of identity. */
export interface UpdateSlugInput extends ProofInput {
  readonly slug: string
  /** The current slug, typed again. */
  readonly confirmSlug: string
}

/** Why {@link updateSlug} refuses. */
export type UpdateSlugRefusal = AccessRefusal | InputRefusal | ProofRefusal | StoreRefusal

/**
 * Changes an organization's slug `{ slug, confirmSlug, password | stepUpProof }`. `confirmSlug` is the
 * current slug, typed. For seven days (`slugAliasDays`) the old slug redirects members to the new one,
 * and no other organization can take it.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `ProofRefusal`, `StoreRefusal`.
 *
 * @throws {TypeError} if the host has configured neither `verifyPassword` nor `stepUp`.
 *
 * @example
 * ```ts
 * await updateSlug(seatgate, scope, { slug: 'acme-inc', confirmSlug: 'acme', password })
 * ```
 */
export async function updateSlug(
  context: ChangeContext & SlugContext,
  scope: OrganizationScope,
  input: UpdateSlugInput,
  options: OperationOptions = {}
): Promise<Result<Organization, UpdateSlugRefusal>> {
  const { db, roles, slugs } = context
  const parsed = bothOf(
    parseInput(updateSlugInput(slugs), input),
    readProof(context, scope.caller, input)
  )
  const slug = parsed.ok ? parsed.value.slug : ''
  const free = slugIsFree(slug, organizationIdOf(scope.organization), context.now())
  return perform(
    context,
    scope,
    {
      name: 'organization.slug_change',
      input: withoutProof(input),
      grows: false,
      refusals: [...PROOF_REFUSALS],
      queries: { taken: slugTaken(db, free) },
      plan(found, _caller, now) {
        const access = authorizeFor(roles, found, 'organization:update')
        if (!access.ok) return access
        if (!parsed.ok) return parsed
        const { organization } = access.value
        const { id: organizationId, slug: oldSlug } = organization
        const errors = {
          ...(slug === oldSlug && { slug: ['Must differ from the current slug.'] }),
          ...(found.rows.taken.length > 0 && { slug: ['This slug is already taken.'] }),
          ...(parsed.value.confirmSlug !== oldSlug && {
            confirmSlug: ['Must be the current slug.'],
          }),
        }
        if (Object.keys(errors).length > 0) return refused(invalid(errors))
        const expiresAt = new Date(now.getTime() + slugs.aliasDays * DAY_MS)
        const alias = { oldSlug, organizationId, expiresAt, createdAt: now }
        return ok({
          value: organizationView({ ...organization, slug, updatedAt: now }),
          proof: proving(parsed.value),
          statements: [
            guardAccess(context, access.value),
            guardField(context, organization, 'slug'),
            guard(db, 'stale', slugIsFree(slug, organizationId, now)),
            db
              .update(organizations)
              .set({ slug, updatedAt: now })
              .where(eq(organizations.id, organizationId)),
            db
              .insert(slugAliases)
              .values(alias)
              .onConflictDoUpdate({ target: slugAliases.oldSlug, set: alias }),
            // An alias of the new slug would redirect to itself.
            db
              .delete(slugAliases)
              .where(
                and(eq(slugAliases.oldSlug, slug), eq(slugAliases.organizationId, organizationId))
              ),
          ],
          events: [
            organizationEvent(organizationId, 'organization.slug_change', {
              old_slug: oldSlug,
              new_slug: slug,
              alias_expires_at: expiresAt.toISOString(),
            }),
          ],
        })
      },
    },
    options
  )
}

const ALIASES_PER_SWEEP = 1000

/**
 * Selects the current slug of an organization that had this one before, for its members only: others find
 * no such slug.
 */
export function currentSlugOf(db: Database, caller: Caller, oldSlug: string, now: Date) {
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
