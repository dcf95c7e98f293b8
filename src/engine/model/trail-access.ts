/**
 * Who may read an organization's trail, and the trail as they may read it.
 *
 * @module
 */
import type { AccessRefusal } from '../../base/refusal.ts'
import { and, eq } from 'drizzle-orm'
import { ok, type Result } from '../../base/result.ts'
import type { Queries } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditEvents } from '../../database/schema.ts'
import { find, standingWith, type Standing } from '../access/authorize.ts'
import { organizationIdOf, readable } from '../access/organization-ref.ts'
import type { OrganizationScope } from '../access/principal.ts'
import type { AccessContext } from '../access/roles.ts'
import { extentOf } from '../audit/trail-horizon.ts'

/** Where the trail of the scope's organization begins and ends. */
export function extentIn({ db }: DatabaseContext, { organization }: OrganizationScope) {
  return extentOf(db, organizationIdOf(organization))
}

/** Who is asking may read the trail, and what else was asked for in the same trip. */
export async function findAllowed<Q extends Queries>(
  { db, roles }: AccessContext,
  scope: OrganizationScope,
  queries: Q
): Promise<
  Result<Standing & { readonly rows: Awaited<ReturnType<typeof find<Q>>>['rows'] }, AccessRefusal>
> {
  const found = await find(db, scope, queries)
  const standing = standingWith(roles, found, roles.memberAdmins)
  return standing.ok ? ok({ ...standing.value, rows: found.rows }) : standing
}

/** The trail of the scope's organization, for those who may read it: a stranger's question reads nothing. */
export function within(
  { roles }: Pick<AccessContext, 'roles'>,
  { caller, organization }: OrganizationScope
) {
  return and(
    eq(auditEvents.organizationId, organizationIdOf(organization)),
    readable(caller, organization, roles.memberAdmins)
  )
}
