/**
 * Guards that repeat the reads of a plan as conditions of its batch: if one no longer holds, the batch is
 * rolled back and the operation is planned again.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import {
  hasUserId,
  type DatabaseContext,
  type Statement,
  type UserContext,
} from '../../database/database.ts'
import { guard } from '../../database/commit.ts'
import type { MembershipRow, OrganizationRow } from '../../database/schema/organizations-tables.ts'
import type { Access } from './authorize.ts'
import type { AccessContext } from './roles.ts'

/** Guards that the organization is live. */
export function guardLive({ db }: DatabaseContext, organizationId: string): Statement {
  const live = sql`exists (select 1 from seatgate_organizations
    where id = ${organizationId} and deleted_at is null)`
  return guard(db, 'stale', live)
}

/** Guards that the organization is live, and that its own roles are those that the plan relied on. */
export function guardOrganization(
  { db }: DatabaseContext,
  organization: OrganizationRow
): Statement {
  return guard(db, 'stale', unchangedOrganization(organization))
}

function unchangedOrganization({ id, rolesVersion }: OrganizationRow): SQL {
  // Most organizations have made no role: then the number is no parameter.
  const version = rolesVersion === 0 ? sql.raw('0') : sql`${rolesVersion}`
  return sql`exists (select 1 from seatgate_organizations
    where id = ${id} and deleted_at is null and roles_version = ${version})`
}

/**
 * Guards that the organization is live with the same own roles, and that the caller has the role that the
 * plan relied on. Callers that are not users have no membership: the host vouches for them.
 */
export function guardAccess(
  { db }: DatabaseContext,
  { organization, membership }: Pick<Access, 'organization' | 'membership'>
): Statement {
  return guard(
    db,
    'stale',
    sql`${unchangedOrganization(organization)}
      ${membership ? sql`and ${unchangedRow(membership)}` : sql``}`
  )
}

/** Guards that a membership is unchanged since it was read. */
export function guardUnchanged({ db }: DatabaseContext, membership: MembershipRow): Statement {
  return guard(db, 'stale', unchangedRow(membership))
}

/** Guards that the user exists, if the host has configured its table of users. */
export function guardUserExists(
  { db, users }: UserContext,
  userId: string,
  code: 'stale' | 'user_unknown' = 'stale'
): Statement[] {
  if (users === null) return []
  return [guard(db, code, sql`exists (select 1 from ${users} where ${hasUserId(users, userId)})`)]
}

/**
 * Guards that another owner who can act remains, if this member is an owner who can act. It is exact
 * because D1 has one writer; a database with several writers would need a lock on the organization.
 */
export function guardAnotherOwner(
  { db, roles }: AccessContext,
  { organizationId, userId, role, status }: MembershipRow
): Statement[] {
  if (role !== roles.owner || status !== 'active') return []
  const owner = sql`exists (select 1 from seatgate_memberships
    where organization_id = ${organizationId} and ${actingOwner(roles.owner)}
    and user_id <> ${userId})`
  return [guard(db, 'last_owner', owner)]
}

/**
 * Builds the condition that a membership is of an owner who can act: a suspended owner cannot. The index
 * by role leaves out the role `member`, so that most members cost no row in it.
 */
export function actingOwner(ownerRole: string, table = ''): SQL {
  const column = (name: string) => sql.raw(`${table}${name}`)
  const indexed = ownerRole === 'member' ? sql`` : sql`and ${column('role')} <> 'member'`
  return sql`${column('role')} = ${ownerRole} ${indexed} and ${column('status')} = 'active'`
}

function unchangedRow(membership: MembershipRow) {
  const { id, organizationId, userId, role, status, suspendedBy, seatId, groupRoles } = membership
  // A member whom a limit has suspended may be suspended by an admin since.
  const cause = status === 'suspended' ? sql`and suspended_by is ${suspendedBy}` : sql``
  return sql`exists (select 1 from seatgate_memberships
    where organization_id = ${organizationId} and user_id = ${userId} and id = ${id} and role = ${role}
    and status = ${status} ${cause} and seat_id is ${seatId}
    and group_roles is ${groupRoles === null ? sql`null` : groupRoles})`
}
