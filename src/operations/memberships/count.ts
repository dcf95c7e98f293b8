import { observed } from '../../engine/access/observed.ts'
import { and, eq, sql } from 'drizzle-orm'
import type { SQLiteColumn, SQLiteTable } from 'drizzle-orm/sqlite-core'
import { memberCounts, memberships } from '../../database/schema/organizations-tables.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { readable } from '../../engine/access/readable.ts'
import { find, authorize, authorizeFor } from '../../engine/access/authorize.ts'
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { inScope } from '../../engine/model/membership.ts'
import type { AccessContext } from '../../engine/access/roles.ts'

/** The number of members of an organization. */
export interface MemberCount {
  readonly active: number
  readonly suspended: number
}

/** The host's table of second factors, in Drizzle: the user, and whether the factor is in use. */
export type CredentialTable = SQLiteTable & {
  readonly userId: SQLiteColumn
  readonly enabled: SQLiteColumn
}

/** Why {@link countMembers} refuses. */
export type CountMembersRefusal = 'unauthenticated' | 'organization_not_found'

/**
 * Counts the members of an organization, for its members. Reads one row.
 *
 * Refusals: `unauthenticated`, `organization_not_found`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const count = await countMembers(seatgate, { caller, organization: 'acme' })
 * if (count.ok) console.log(count.value.active + count.value.suspended)
 * ```
 */
export function countMembers(
  context: AccessContext,
  scope: OrganizationScope
): Promise<Result<MemberCount, CountMembersRefusal>> {
  return observed(context, 'organization.member_count', async ({ db, roles }) => {
    const found = await find(db, scope, {
      counts: rowsWhere(
        db,
        memberCounts,
        and(
          eq(memberCounts.organizationId, organizationIdOf(scope.organization)),
          readable(scope.caller, scope.organization)
        )
      ),
    })
    const access = authorize(roles, found)
    if (!access.ok) return access
    const [{ active, suspended } = { active: 0, suspended: 0 }] = found.rows.counts
    return ok({ active, suspended })
  })
}

/** Why {@link countMembersWithoutMfa} refuses. */
export type CountMembersWithoutMfaRefusal = AccessRefusal

/**
 * Counts the active members without a second factor in use; without a table of second factors, all active
 * members. For those who administer members.
 *
 * Refusals: `AccessRefusal`.
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const without = await countMembersWithoutMfa(seatgate, { caller, organization: 'acme' }, passkeys)
 * ```
 */
export function countMembersWithoutMfa(
  context: AccessContext,
  scope: OrganizationScope,
  credentials?: CredentialTable
): Promise<Result<number, CountMembersWithoutMfaRefusal>> {
  return observed(context, 'organization.member_count_without_mfa', async ({ db, roles }) => {
    const protectedBy = credentials
      ? sql`and not exists (select 1 from ${credentials}
        where ${credentials.userId} = seatgate_memberships.user_id and ${credentials.enabled})`
      : sql``
    const found = await find(db, scope, {
      without: db
        .select({ count: sql<number>`count(*)`.as('count') })
        .from(memberships)
        .where(
          sql`${inScope(scope)} and ${memberships.status} = 'active'
          and ${readable(scope.caller, scope.organization, { roles, permission: 'members:manage' })} ${protectedBy}`
        ),
    })
    const access = authorizeFor(roles, found, 'members:manage')
    return access.ok ? ok(found.rows.without[0]?.count ?? 0) : access
  })
}
