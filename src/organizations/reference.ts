import { eq, sql, type SQL } from 'drizzle-orm'
import { memberships, organizations } from '../database/schema.ts'
import type { Caller } from '../scope.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a name has the form of an organization's id. No slug may: it would shadow the id. */
export function isIdentifier(name: string): boolean {
  return UUID.test(name)
}

/** The live organization of this id or slug, as a condition on its table. */
export function organizationNamed(name: string): SQL {
  const lower = name.toLowerCase()
  const column = isIdentifier(lower) ? organizations.id : organizations.slug
  return sql`${eq(column, lower)} and ${organizations.deletedAt} is null`
}

/** The id of the live organization of this id or slug, as a scalar subquery. */
export function organizationIdOf(name: string): SQL<string | null> {
  return sql<string | null>`(select ${organizations.id} from ${organizations}
    where ${organizationNamed(name)})`
}

/** The caller's active membership in this organization, as a condition on memberships. */
export function ownMembership(caller: Caller, organization: string): SQL {
  return sql`${memberships.organizationId} = ${organizationIdOf(organization)}
    and ${memberships.userId} = ${caller.userId} and ${memberships.status} = 'active'`
}

/**
 * Whether the caller may read this organization's rows, as a condition for the query that reads
 * them: a stranger's question costs the same for an organization that exists and for one that does
 * not, and reads nothing.
 */
export function readable(caller: Caller, organization: string, roles?: readonly string[]): SQL {
  const allowed = roles
    ? sql`and reader.role in (select value from json_each(${JSON.stringify(roles)}))`
    : sql``
  return sql`exists (select 1 from memberships reader
    where reader.organization_id = ${organizationIdOf(organization)}
    and reader.user_id = ${caller.userId} and reader.status = 'active' ${allowed})`
}
