import { batch, type Queries, type RowsOf } from '../database/batch.ts'
import type { Database } from '../database/database.ts'
import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../database/schema.ts'
import { ok, refused, type Result } from '../result.ts'
import { isQuery, type Principal, type Scope } from '../scope.ts'
import { organizationNamed, ownMembership } from './reference.ts'

/** What D1 says about a scope, and whatever else was asked for in the same round trip. */
export interface Found<Q extends Queries> {
  readonly caller: Principal | null
  readonly organization: OrganizationRow | null
  readonly membership: MembershipRow | null
  readonly rows: RowsOf<Q>
}

/** Somebody inside an organization: the ground on which everything there is decided. */
export interface Standing {
  readonly caller: Principal
  readonly organization: OrganizationRow
  readonly membership: MembershipRow
}

/**
 * Reads who is asking, the organization, the caller's membership, and further queries, all in one
 * round trip.
 */
export async function find<Q extends Queries>(
  db: Database,
  scope: Scope,
  queries: Q
): Promise<Found<Q>> {
  const { caller, organization } = scope
  const found: Record<string, readonly unknown[] | undefined> = await batch(db, {
    ...queries,
    ...(isQuery(caller) && { $caller: caller.statement }),
    ...(organization !== undefined && {
      $organization: db.select().from(organizations).where(organizationNamed(organization)),
      $membership: db.select().from(memberships).where(ownMembership(caller, organization)),
    }),
  })
  return {
    caller: isQuery(caller) ? caller.principal(found['$caller'] ?? []) : caller,
    organization: (found['$organization']?.[0] as OrganizationRow | undefined) ?? null,
    membership: (found['$membership']?.[0] as MembershipRow | undefined) ?? null,
    rows: found as RowsOf<Q>,
  }
}

/** Absence first: who is not a member is told that there is no such organization. */
export function standingOf({ caller, organization, membership }: Found<Queries>): Result<Standing> {
  if (caller === null) return refused({ code: 'unauthenticated' })
  if (organization === null || membership === null) {
    return refused({ code: 'organization_not_found' })
  }
  return ok({ caller, organization, membership })
}

/** Then the role: one of these, as a set and not as a hierarchy. */
export function standingWith(found: Found<Queries>, roles: readonly string[]): Result<Standing> {
  const standing = standingOf(found)
  if (!standing.ok || roles.includes(standing.value.membership.role)) return standing
  return refused({ code: 'insufficient_role' })
}
