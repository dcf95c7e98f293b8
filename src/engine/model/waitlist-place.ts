import { sql, type SQL } from 'drizzle-orm'
import { takesSeat, type AccessContext } from '../access/roles.ts'

/** Builds a scalar subquery of the next place on an organization's waitlist. Places are never reused. */
export function nextPlace(organizationId: string): SQL<number> {
  return sql<number>`(select coalesce(max(place), 0) + 1 from seatgate_join_requests
    where organization_id = ${organizationId})`
}

/** Returns whether a joining user is put on the waitlist: never in a role that takes no seat. */
export function waitsForSeat(
  { roles }: Pick<AccessContext, 'roles'>,
  whenFull: 'refuse' | 'wait',
  role: string
): boolean {
  return whenFull === 'wait' && takesSeat(roles, role)
}
