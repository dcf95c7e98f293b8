import { sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import type { DomainRow, JoinRequestRow } from '../../database/schema.ts'
import type { VerificationContext } from '../../engine/model/verified-address.ts'
import type { UserContext } from '../../database/user-table.ts'
import { verifiedDomainOf } from './joining-lookup.ts'

/** Guards that the domain is open as it was read, and that the user has a verified address there. */
export function guardOpenDomain(
  seatgate: UserContext & VerificationContext,
  { id, mode }: DomainRow,
  userId: string
): Statement {
  return guard(
    seatgate.db,
    'stale',
    sql`exists (select 1 from seatgate_organization_domains where id = ${id} and mode = ${mode}
      and verified_at is not null and domain = ${verifiedDomainOf(seatgate, userId)})`
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
