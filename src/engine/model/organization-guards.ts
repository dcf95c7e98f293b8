import { eq, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { organizations, type OrganizationRow } from '../../database/schema.ts'

/** What a plan read of an organization is still so. */
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
