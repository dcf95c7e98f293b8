import { and, eq, isNull, sql, type SQL } from 'drizzle-orm'
import { renamedColumns } from '../../database/columns.ts'
import type { Database } from '../../database/database.ts'
import {
  memberships,
  organizations,
  type MembershipRow,
  type OrganizationRow,
} from '../../database/schema.ts'

/** An organization and somebody's membership in it. */
export interface OwnRow {
  readonly organization: OrganizationRow
  readonly membership: MembershipRow
}

/** Selects the live organizations in which somebody is active, in an order that is yet to be said. */
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
