import { and, eq, sql } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { groups } from '../../database/schema/group-tables.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { isSystem, userIdOf, type Caller } from '../../engine/access/principal.ts'

/** Selects the group with this id if the caller is in it. The host itself is in every group. */
export function enteredGroup(db: Database, caller: Caller, organization: string, id: string) {
  const isInIt = sql`exists (select 1 from seatgate_group_members
    where organization_id = ${groups.organizationId} and group_id = ${groups.id}
    and user_id = ${userIdOf(caller)})`
  return db
    .select()
    .from(groups)
    .where(
      and(
        eq(groups.organizationId, organizationIdOf(organization)),
        eq(groups.id, id),
        isSystem(caller) ? undefined : isInIt
      )
    )
}
