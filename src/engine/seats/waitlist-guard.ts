/**
 * Those who wait for a seat, as the providers see them: a seat that is free is the first one's in line.
 *
 * @module
 */
import { sql, type SQL } from 'drizzle-orm'
import type { Database, Statement } from '../../database/database.ts'
import { guards } from '../../database/schema.ts'
import type { SeatRequest } from './provider.ts'
import type { SeatCount } from './seat-count.ts'

/** How many wait for a seat, as a scalar subquery. */
export function waitingFor(organizationId: string): SQL<number> {
  return sql<number>`(select count(*) from seatgate_join_requests
    where organization_id = ${organizationId} and state = 'waiting')`
}

/**
 * Keeps whoever has not waited from a seat that others wait for: with this one taken, there must be
 * one left for everybody in line. `count` is as it was granted, this seat included. It reads no
 * further into the line than there are seats, and nothing where nobody waits.
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
