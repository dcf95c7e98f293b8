import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import { joinRequests, memberships, organizationDomains } from '../../database/schema.ts'
import { isVerified, type VerificationContext } from '../../engine/model/verified-address.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { hasUserId, type UserContext } from '../../database/user-table.ts'

/**
 * Builds a scalar subquery of the domain of a user's verified address; null if there is none. Hosts store
 * addresses as `normalizeEmail` returns them.
 */
export function verifiedDomainOf(
  seatgate: Pick<UserContext, 'users'> & VerificationContext,
  userId: SQL<string | null> | string | null
): SQL<string | null> {
  const { users } = seatgate
  if (!users) return sql<string | null>`null`
  return sql<string | null>`(select lower(substr(${users.email}, instr(${users.email}, '@') + 1))
    from ${users} where ${hasUserId(users, userId)} and ${isVerified(seatgate)})`
}

/** Selects the verified domain that opens an organization to a user. */
export function openDomain(
  seatgate: UserContext & VerificationContext,
  organizationId: string | null,
  userId: SQL<string | null> | string | null
) {
  const anywhere = organizationId === null
  return seatgate.db
    .select()
    .from(organizationDomains)
    .where(
      sql`${organizationDomains.domain} = ${verifiedDomainOf(seatgate, userId)}
        and ${organizationDomains.verifiedAt} is not null and ${organizationDomains.mode} <> 'off'
        ${anywhere ? sql`` : sql`and ${organizationDomains.organizationId} = ${organizationId}`}
        and exists (select 1 from seatgate_organizations o
          where o.id = seatgate_organization_domains.organization_id and o.deleted_at is null)`
    )
}

/** Selects the domains of the scope's organization, or one of them. */
export function domainsOf(db: Database, { organization }: OrganizationScope, id?: string) {
  return db
    .select()
    .from(organizationDomains)
    .where(
      and(
        eq(organizationDomains.organizationId, organizationIdOf(organization)),
        id === undefined ? undefined : eq(organizationDomains.id, id)
      )
    )
    .orderBy(organizationDomains.domain)
}

/** Selects a request to join the scope's organization. */
export function joinRequestOf(db: Database, { organization }: OrganizationScope, id: string) {
  return db
    .select()
    .from(joinRequests)
    .where(
      and(eq(joinRequests.id, id), eq(joinRequests.organizationId, organizationIdOf(organization)))
    )
}

/** Selects the membership, active or suspended, of the user who made a request. */
export function membershipOfRequester(db: Database, id: string) {
  return db
    .select()
    .from(memberships)
    .where(
      sql`(${memberships.organizationId}, ${memberships.userId}) =
        (select organization_id, user_id from seatgate_join_requests where id = ${id})`
    )
}

/** Builds a scalar subquery of the next place on an organization's waitlist. Places are never reused. */
export function nextPlace(organizationId: string): SQL<number> {
  return sql<number>`(select coalesce(max(place), 0) + 1 from seatgate_join_requests
    where organization_id = ${organizationId})`
}
