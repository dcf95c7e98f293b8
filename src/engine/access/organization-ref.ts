import { eq, sql, type SQL, type SQLWrapper } from 'drizzle-orm'
import { memberships, organizations } from '../../database/schema/organizations-tables.ts'
import { isQuery, isUser, userIdOf, type Caller, type Principal } from './principal.ts'
import { lowerCase } from '../../base/input.ts'

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** Whether a name has the form of an organization's id. A slug may not: it would shadow the id. */
export function isIdentifier(name: string): boolean {
  return UUID.test(name)
}

/** Builds the condition on organizations for a live one with this id or slug. */
export function organizationNamed(name: string): SQL {
  if (typeof name !== 'string') throw new TypeError('The scope has no organization.')
  const lower = lowerCase(name)
  const column = isIdentifier(lower) ? organizations.id : organizations.slug
  return sql`${eq(column, lower)} and ${organizations.deletedAt} is null`
}

/** Builds a scalar subquery of the id of the live organization with this id or slug. */
export function organizationIdOf(name: string): SQL<string | null> {
  return sql<string | null>`(select ${organizations.id} from ${organizations}
    where ${organizationNamed(name)})`
}

/**
 * Returns the caller's active organization: that of their session, or the only one of a service account.
 * It is an id or a scalar subquery.
 */
export function activeOrganizationIdOf(caller: Caller): SQL<string | null> | string | null {
  if (isQuery(caller)) {
    return (
      caller.activeOrganizationId ??
      caller.organizationId ??
      caller.serviceAccount?.organizationId ??
      null
    )
  }
  if (isUser(caller)) {
    return caller.impersonation?.organizationId ?? caller.session?.activeOrganizationId ?? null
  }
  return caller.type === 'service_account' ? caller.organizationId : null
}

/**
 * Builds the condition that a caller is not confined to another organization, of which they read no row.
 * Undefined for a caller who is not confined.
 */
export function confinedTo(
  caller: Caller,
  organizationId: SQL<string | null> | SQLWrapper | string | null
): SQL | undefined {
  const own = isQuery(caller) ? caller.organizationId : confinementOf(caller)
  return own === undefined ? undefined : sql`${organizationId} = ${own}`
}

/** Returns the only organization that a user can access; undefined if they are not confined to one. */
export function confinementOf(caller: Principal): string | undefined {
  return isUser(caller) ? caller.impersonation?.organizationId : undefined
}

/** Builds the condition on memberships for the caller's active one in an organization. */
export function ownMembership(
  caller: Caller,
  organizationId: SQL<string | null> | SQLWrapper | string | null
): SQL {
  const confined = confinedTo(caller, organizationId)
  return sql`${memberships.organizationId} = ${organizationId}
    and ${memberships.userId} = ${userIdOf(caller)} and ${memberships.status} = 'active'
    ${confined ? sql`and ${confined}` : sql``}`
}
