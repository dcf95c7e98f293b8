import { and, eq, sql, type SQL } from 'drizzle-orm'
import {
  hasUserId,
  type Database,
  type DatabaseContext,
  type Statement,
  type UserContext,
} from '../../database/database.ts'
import { rowsWhere } from '../../database/kept-query.ts'
import {
  joinRequests,
  organizationDomains,
  type DomainRow,
  type JoinRequestRow,
} from '../../database/schema/joining-tables.ts'
import { memberships } from '../../database/schema/organizations-tables.ts'
import { isVerified, type VerificationContext } from '../../engine/model/exclusions.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { guard } from '../../database/commit.ts'
import { batch } from '../../database/batch.ts'
import { membershipView } from '../../engine/model/membership.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import {
  isPendingRequest,
  pendingOutcome,
  type JoinOutcome,
} from '../../engine/model/join-request.ts'
import type { JoiningContext } from './join-rules.ts'

/**
 * Builds a scalar subquery of the domain of a user's verified address, or null. Hosts store
 * addresses as `normalizeEmail` returns them.
 */
export function verifiedDomainOf(
  context: Pick<UserContext, 'users'> & VerificationContext,
  userId: SQL<string | null> | string | null
): SQL<string | null> {
  const { users } = context
  if (!users) return sql<string | null>`null`
  return sql<string | null>`(select lower(substr(${users.email}, instr(${users.email}, '@') + 1))
    from ${users} where ${hasUserId(users, userId)} and ${isVerified(context)})`
}

/** Selects the verified domain that opens an organization to a user. */
export function openDomain(
  context: UserContext & VerificationContext,
  organizationId: string | null,
  userId: SQL<string | null> | string | null
) {
  const anywhere = organizationId === null
  return rowsWhere(
    context.db,
    organizationDomains,
    sql`${organizationDomains.domain} = ${verifiedDomainOf(context, userId)}
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
  return rowsWhere(
    db,
    joinRequests,
    and(eq(joinRequests.id, id), eq(joinRequests.organizationId, organizationIdOf(organization)))
  )
}

/** Selects the membership, active or suspended, of the user who made a request. */
export function membershipOfRequester(db: Database, id: string) {
  return rowsWhere(
    db,
    memberships,
    sql`(${memberships.organizationId}, ${memberships.userId}) =
        (select organization_id, user_id from seatgate_join_requests where id = ${id})`
  )
}

/** Guards that the domain is open as it was read, and that the user has a verified address there. */
export function guardOpenDomain(
  context: UserContext & VerificationContext,
  { id, mode }: DomainRow,
  userId: string
): Statement {
  return guard(
    context.db,
    'stale',
    sql`exists (select 1 from seatgate_organization_domains where id = ${id} and mode = ${mode}
      and verified_at is not null and domain = ${verifiedDomainOf(context, userId)})`
  )
}

/** Guards that a domain is unchanged since it was read. */
export function guardDomain(
  { db }: DatabaseContext,
  { id, mode, challenge, verifiedAt, recordMissingSince }: DomainRow
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_organization_domains where id = ${id} and mode = ${mode}
      and challenge = ${challenge} and verified_at is ${verifiedAt?.getTime() ?? null}
      and record_missing_since is ${recordMissingSince?.getTime() ?? null})`
  )
}

/** Guards that an organization has as many domains as were read. */
export function guardDomainCount(
  { db }: DatabaseContext,
  organizationId: string,
  count: number
): Statement {
  return guard(
    db,
    'stale',
    sql`(select count(*) from seatgate_organization_domains where organization_id = ${organizationId}) = ${count}`
  )
}

/** Guards that a request is unchanged since it was read. */
export function guardRequest(
  { db }: DatabaseContext,
  { id, state, role }: JoinRequestRow
): Statement {
  return guard(
    db,
    'stale',
    sql`exists (select 1 from seatgate_join_requests
      where id = ${id} and state = ${state} and role = ${role})`
  )
}

/**
 * Admits a user on the waitlist at once if there is a seat. Returns the outcome.
 *
 * @throws {StoreUnavailable} if D1 does not answer: the user is then on the waitlist.
 */
export async function outcomeOnWaitlist(
  context: JoiningContext,
  outcome: JoinOutcome
): Promise<Result<JoinOutcome, 'not_pending'>> {
  if (outcome.status !== 'waiting') return ok(outcome)
  const { id, organizationId } = outcome.request
  await context.joining.admitWaiting(context, organizationId)
  const { requests, members } = await batch(context.db, {
    requests: rowsWhere(context.db, joinRequests, eq(joinRequests.id, id)),
    members: membershipOfRequester(context.db, id),
  })
  const [request] = requests
  const [member] = members
  if (request && isPendingRequest(request)) return ok(pendingOutcome(request))
  return member
    ? ok({ status: 'joined', membership: membershipView(member) })
    : refused({ code: 'not_pending' })
}
