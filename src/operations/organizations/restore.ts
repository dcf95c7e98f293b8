import { eq, sql } from 'drizzle-orm'
import { organizationEvent } from '../../engine/audit/event.ts'
import { guard } from '../../database/commit.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { entitlementStates } from '../../database/schema/billing-tables.ts'
import { organizations } from '../../database/schema/organizations-tables.ts'
import { unchanged, withHook } from '../../engine/model/plan.ts'
import { actingOwner } from '../../engine/access/access-guards.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import {
  HOOK_REFUSALS,
  invalid,
  ok,
  refused,
  type HookRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import { isOperator, isSystem, requestInfoOf, type Scope } from '../../engine/access/principal.ts'
import { organizationView, type Organization } from '../../engine/model/organization.ts'
import { slugIsFree, slugTaken } from '../../engine/model/slug.ts'

/** Why {@link restoreOrganization} refuses. */
export type RestoreOrganizationRefusal =
  | 'unauthenticated'
  | 'organization_not_found'
  | InputRefusal
  | HookRefusal
  | StoreRefusal
  | 'last_owner'
  | 'owned_limit_reached'

/**
 * Restores a deleted organization with its members, for operators and the host itself. If its limit is
 * lower now, it is over its limit: no member is removed, and growth is refused. A live organization is
 * returned unchanged.
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `InputRefusal` (on `slug`: another organization
 * has it now), `HookRefusal`, `StoreRefusal`, `last_owner` (it has no owner any more),
 * `owned_limit_reached` (of one of its owners).
 *
 * @example
 * ```ts
 * await restoreOrganization(seatgate, { caller: { userId, operator: true } }, organizationId)
 * ```
 */
export async function restoreOrganization(
  context: ChangeContext,
  { caller, ...request }: Scope,
  organizationId: string,
  options: OperationOptions = {}
): Promise<Result<Organization, RestoreOrganizationRefusal>> {
  const { db } = context
  const ownSlug = sql`(select slug from seatgate_organizations where id = ${organizationId})`
  const owned = sql`exists (select 1 from seatgate_memberships
    where organization_id = ${organizationId} and ${actingOwner(context.roles.owner)})`
  const isFree = slugIsFree(ownSlug, organizationId, context.now())
  return perform(
    context,
    { caller, ...requestInfoOf(request) },
    {
      name: 'organization.restore',
      input: organizationId,
      grows: false,
      refusals: [...HOOK_REFUSALS, 'owned_limit_reached'],
      queries: {
        deleted: rowsWhere(db, organizations, eq(organizations.id, organizationId)),
        taken: slugTaken(db, isFree),
        owners: db.select({ one: sql`1`.as('one') }).from(sql`(select 1) where ${owned}`),
      },
      plan({ rows }, by, now) {
        const [organization] = rows.deleted
        if (!(isOperator(by) || isSystem(by)) || organization === undefined) {
          return refused({ code: 'organization_not_found' })
        }
        if (organization.deletedAt === null) return ok(unchanged(organizationView(organization)))
        if (rows.owners.length === 0) return refused({ code: 'last_owner' })
        if (rows.taken.length > 0)
          return refused(invalid({ slug: ['This slug is already taken.'] }))
        const restored = organizationView({ ...organization, updatedAt: now })
        return ok({
          value: restored,
          before: [
            {
              hook: 'beforeRestoreOrganization',
              state: { organization: organizationView(organization), caller: by },
            },
          ],
          statements: [
            guard(
              db,
              'stale',
              sql`exists (select 1 from seatgate_organizations
                where id = ${organizationId} and deleted_at is not null)`
            ),
            guard(db, 'stale', owned),
            guard(db, 'stale', slugIsFree(organization.slug, organizationId, now)),
            db
              .update(organizations)
              .set({ deletedAt: null, updatedAt: now })
              .where(eq(organizations.id, organizationId)),
            // Its limit may have changed since: a subscription ended with the organization.
            db
              .update(entitlementStates)
              .set({ dueAt: now })
              .where(eq(entitlementStates.organizationId, organizationId)),
          ],
          events: [
            withHook(
              organizationEvent(organizationId, 'organization.restore'),
              'afterRestoreOrganization',
              { organization: restored }
            ),
          ],
        })
      },
    },
    options
  )
}
