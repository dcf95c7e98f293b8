import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../../database/schema/organizations-tables.ts'
import { eq, sql, and, isNull, type SQL } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext, Database } from '../../database/database.ts'
import { renamedColumns } from '../../database/batch.ts'

/** An organization in responses. Timestamps are ISO 8601 UTC. */
export interface Organization {
  readonly id: string
  readonly name: string
  readonly slug: string
  /** The founder. The current owners are those with the owner's role. */
  readonly founderUserId: string
  readonly personal: boolean
  /** Whether members must have a second factor to work in it. */
  readonly enforceMfaForMembers: boolean
  readonly createdAt: string
  readonly updatedAt: string
}

export function organizationView(
  row: Omit<OrganizationRow, 'deletedAt' | 'ownRoles' | 'rolesVersion'>
): Organization {
  return {
    id: row.id,
    name: row.name,
    slug: row.slug,
    founderUserId: row.ownerUserId,
    personal: row.personal,
    enforceMfaForMembers: row.enforceMfaForMembers,
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  }
}

/** Guards that a field of an organization has the value that was read. */
export function guardField(
  { db }: DatabaseContext,
  organization: OrganizationRow,
  field: 'name' | 'slug' | 'enforceMfaForMembers'
): Statement {
  const column = organizations[field]
  return guard(
    db,
    'stale',
    sql`exists (select 1 from ${organizations} where ${eq(organizations.id, organization.id)}
      and ${column} = ${sql.param(organization[field], column)})`
  )
}

/** An organization and a user's membership in it. */
export interface OwnRow {
  readonly organization: OrganizationRow
  readonly membership: MembershipRow
}

/** Selects the live organizations in which a user is active, without an order. */
export function ownOrganizations(
  db: Database,
  userId: SQL<string | null> | string | null,
  further?: SQL
) {
  return db
    .select({
      organization: renamedColumns(organizations, 'organization'),
      membership: renamedColumns(memberships, 'membership'),
    })
    .from(memberships)
    .innerJoin(organizations, eq(organizations.id, memberships.organizationId))
    .where(
      and(
        eq(memberships.userId, sql`${userId}`),
        eq(memberships.status, 'active'),
        isNull(organizations.deletedAt),
        further
      )
    )
}
