/**
 * The waitlist, as providers use it: a free seat belongs to the first user who waits.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import { guards } from '../../database/schema.ts'
import type { SeatRequest } from './provider.ts'
import type { SeatCount } from './seat-count.ts'

/** Builds a scalar subquery of the number of users who wait for a seat. */
export function waitingFor(organizationId: string): SQL<number> {
  return sql<number>`(select count(*) from seatgate_join_requests
    where organization_id = ${organizationId} and state = 'waiting')`
}

/**
 * Prevents a user who has not waited from taking a seat of the waitlist: with this seat taken, one must
 * be left for every user who waits. `count` is the count of the grant, this seat included. Reads at most
 * as many requests as there are seats, and no request if the waitlist is empty.
 */
export function guardLine(
  db: Database,
  { organizationId, kind }: SeatRequest,
  { limit, held, reserved }: SeatCount
): readonly Statement[] {
  if (kind !== 'new' || limit.kind !== 'finite') return []
  const used = held + reserved
  const left = Math.max(0, limit.seats - used)
  return [
    db.insert(guards).select(
      sql`select ${`seat_limit_reached:${limit.seats}:${used - 1}`}
        where exists (select 1 from seatgate_join_requests
          where organization_id = ${organizationId} and state = 'waiting' limit 1 offset ${left})`
    ),
  ]
}
