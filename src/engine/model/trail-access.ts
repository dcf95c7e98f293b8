/**
 * The right to read an organization's trail, and the trail as its readers see it.
 *
 * @module
 */
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import { and, eq } from 'drizzle-orm'
import type { Queries } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema.ts'
import { find, authorizeRole, type Access } from '../access/authorize.ts'
import { organizationIdOf, readable } from '../access/organization-ref.ts'
import type { OrganizationScope } from '../access/principal.ts'
import type { AccessContext } from '../access/roles.ts'
import { extentOf } from '../audit/read-events.ts'

/** Selects the beginning and the end of the trail of the scope's organization. */
export function extentIn({ db }: DatabaseContext, { organization }: OrganizationScope) {
  return extentOf(db, organizationIdOf(organization))
}

/** Checks that the caller may read the trail, and reads other queries in the same round trip. */
export async function findAllowed<Q extends Queries>(
  { db, roles }: AccessContext,
  scope: OrganizationScope,
  queries: Q
): Promise<
  Result<Access & { readonly rows: Awaited<ReturnType<typeof find<Q>>>['rows'] }, AccessRefusal>
> {
  const found = await find(db, scope, queries)
  const access = authorizeRole(roles, found, roles.memberAdmins)
  return access.ok ? ok({ ...access.value, rows: found.rows }) : access
}

/**
 * Builds the condition on events for the trail of the scope's organization, if the caller may read it: a
 * stranger's query reads no row.
 */
export function within(
  { roles }: Pick<AccessContext, 'roles'>,
  { caller, organization }: OrganizationScope
) {
  return and(
    eq(auditEvents.organizationId, organizationIdOf(organization)),
    readable(caller, organization, roles.memberAdmins)
  )
}
