import { and, eq, inArray, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { memberships } from '../../database/schema.ts'
import { organizationIdOf } from '../access/organization-ref.ts'
import type { OrganizationScope } from '../access/principal.ts'
import { hasUserId, userIdText, type UserContext } from '../../database/user-table.ts'

/** Selects a user's membership in the scope's organization, active or suspended. */
export function membershipOf(db: Database, scope: OrganizationScope, userId: string) {
  return db
    .select()
    .from(memberships)
    .where(and(inScope(scope), eq(memberships.userId, userId)))
}

/** Selects the memberships of several users, active or suspended. */
export function membershipsOf(db: Database, scope: OrganizationScope, userIds: readonly string[]) {
  return db
    .select()
    .from(memberships)
    .where(
      and(
        inScope(scope),
        inArray(memberships.userId, sql`(select value from json_each(${JSON.stringify(userIds)}))`)
      )
    )
}

/** Builds the condition that a membership is in the scope's organization. */
export function inScope({ organization }: OrganizationScope): SQL {
  return eq(memberships.organizationId, organizationIdOf(organization))
}

/** Selects a user of the host; no query if the host has not configured its users. */
export function existingUser({ db, users }: UserContext, userId: SQL | string) {
  return users
    ? db
        .select({ id: userIdText(users) })
        .from(users)
        .where(hasUserId(users, userId))
    : db.select({ id: sql`1` }).from(sql`(select 1) where false`)
}
