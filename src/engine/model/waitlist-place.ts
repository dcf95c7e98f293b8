import { sql, type SQL } from 'drizzle-orm'

/** Builds a scalar subquery of the next place on an organization's waitlist. Places are never reused. */
export function nextPlace(organizationId: string): SQL<number> {
  return sql<number>`(select coalesce(max(place), 0) + 1 from seatgate_join_requests
    where organization_id = ${organizationId})`
}
