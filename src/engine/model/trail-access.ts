/**
 * The right to read an organization's trail, and the trail as its readers see it.
 *
 * @module
 */
import { ok, type AccessRefusal, type Result } from '../../base/result.ts'
import type { Queries } from '../../database/batch.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { find, authorizeFor, type Access } from '../access/authorize.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import { readable } from '../access/readable.ts'
import type { OrganizationScope } from '../access/principal.ts'
import type { AccessContext } from '../access/roles.ts'
import {
  archiveOf,
  beginningBehind,
  segmentsFor,
  type ArchiveContext,
  type ArchivedRequest,
} from '../audit/archived-events.ts'
import type { Trail } from '../audit/event-lookups.ts'
import { extentOf } from '../audit/trail-extent.ts'

/** Selects the beginning and the end of the trail of the scope's organization in D1. */
export function extentIn({ db }: DatabaseContext, { organization }: OrganizationScope) {
  return extentOf(db, organizationIdOf(organization))
}

/** Selects the beginning and the end of the trail with its archive, if there is one. */
export function readableExtentIn(
  context: DatabaseContext & ArchiveContext,
  { organization }: OrganizationScope
) {
  const id = organizationIdOf(organization)
  return extentOf(context.db, id, archiveOf(context) === null ? undefined : beginningBehind(id))
}

/** Selects the segments of the archive that a page of the trail is read from; no query without an archive. */
export function archivedIn(
  context: DatabaseContext & ArchiveContext,
  { organization }: OrganizationScope,
  place: Omit<ArchivedRequest, 'limit'>
): { readonly segments?: ReturnType<typeof segmentsFor> } {
  if (archiveOf(context) === null) return {}
  return { segments: segmentsFor(context.db, organizationIdOf(organization), place) }
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
  const access = authorizeFor(roles, found, 'audit:read')
  return access.ok ? ok({ ...access.value, rows: found.rows }) : access
}

/** Returns the trail of the scope's organization. A stranger's query reads no row of it. */
export function trailOf(
  { roles }: Pick<AccessContext, 'roles'>,
  { caller, organization }: OrganizationScope
): Trail {
  return {
    organizationId: organizationIdOf(organization),
    readable: readable(caller, organization, { roles, permission: 'audit:read' }),
  }
}
