import { sql, type SQL } from 'drizzle-orm'
import { confinedTo, organizationIdOf } from './organization-ref.ts'
import { checkCaller, isQuery, isUser, userIdOf, type Caller } from './principal.ts'
import { hasPermission, mayHave, type Needed } from './role-conditions.ts'

/**
 * Builds the condition that the caller may read this organization's rows, for the query that reads them.
 * A stranger's query reads no row and costs the same for an organization that exists and for one that
 * does not.
 */
export function readable(caller: Caller, organization: string, needed?: Needed): SQL {
  if (!isQuery(caller) && !isUser(caller)) {
    if (caller.type === 'system') return sql`true`
    if (caller.type === 'anonymous') return sql`false`
    checkCaller(caller)
    if (needed && !mayHave(needed, caller.role)) return sql`false`
    return sql`${organizationIdOf(organization)} = ${caller.organizationId}`
  }
  // Its role is known with the answer alone: the operation refuses then, as it does for every role.
  if (isQuery(caller) && caller.serviceAccount) {
    return sql`${organizationIdOf(organization)} = ${caller.serviceAccount.organizationId}`
  }
  const allowed = needed ? sql`and ${hasPermission(needed, 'reader.')}` : sql``
  const confined = confinedTo(caller, sql`reader.organization_id`)
  return sql`exists (select 1 from seatgate_memberships reader
    where reader.organization_id = ${organizationIdOf(organization)}
    and reader.user_id = ${userIdOf(caller)} and reader.status = 'active' ${allowed}
    ${confined ? sql`and ${confined}` : sql``})`
}
