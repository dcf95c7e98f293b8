import { eq, sql, type SQL } from 'drizzle-orm'
import { memberships, organizations } from '../../database/schema.ts'
import { isQuery, isUser, userIdOf, type Caller } from './principal.ts'
import { lowerCase } from '../../base/text-input.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a name has the form of an organization's id. No slug may: it would shadow the id. */
export function isIdentifier(name: string): boolean {
  return UUID.test(name)
}

/** The live organization of this id or slug, as a condition on its table. */
export function organizationNamed(name: string): SQL {
  if (typeof name !== 'string') throw new TypeError('The scope names no organization.')
  const lower = lowerCase(name)
  const column = isIdentifier(lower) ? organizations.id : organizations.slug
  return sql`${eq(column, lower)} and ${organizations.deletedAt} is null`
}

/** The id of the live organization of this id or slug, as a scalar subquery. */
export function organizationIdOf(name: string): SQL<string | null> {
  return sql<string | null>`(select ${organizations.id} from ${organizations}
    where ${organizationNamed(name)})`
}

/**
 * Where the caller works: their session points there, or it is the only place for a service account.
 * An id or a scalar subquery.
 */
export function activeOrganizationIdOf(caller: Caller): SQL<string | null> | string | null {
  if (isQuery(caller)) return caller.activeOrganizationId ?? null
  if (isUser(caller)) return caller.session?.activeOrganizationId ?? null
  return caller.type === 'service_account' ? caller.organizationId : null
}

/** The caller's active membership in an organization, as a condition on memberships. */
export function ownMembership(
  caller: Caller,
  organizationId: SQL<string | null> | string | null
): SQL {
  return sql`${memberships.organizationId} = ${organizationId}
    and ${memberships.userId} = ${userIdOf(caller)} and ${memberships.status} = 'active'`
}

/**
 * Whether the caller may read this organization's rows, as a condition for the query that reads
 * them: a stranger's question costs the same for an organization that exists and for one that does
 * not, and reads nothing.
 */
export function readable(caller: Caller, organization: string, roles?: readonly string[]): SQL {
  if (!isQuery(caller) && !isUser(caller)) {
    if (caller.type === 'system') return sql`true`
    if (caller.type === 'anonymous') return sql`false`
    if (roles && !roles.includes(caller.role)) return sql`false`
    return sql`${organizationIdOf(organization)} = ${caller.organizationId}`
  }
  const allowed = roles
    ? sql`and reader.role in (select value from json_each(${JSON.stringify(roles)}))`
    : sql``
  return sql`exists (select 1 from seatgate_memberships reader
    where reader.organization_id = ${organizationIdOf(organization)}
    and reader.user_id = ${userIdOf(caller)} and reader.status = 'active' ${allowed})`
}
