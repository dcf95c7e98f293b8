import { sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import type { RefusalOf } from '../../base/result.ts'

/** Builds a scalar subquery of an organization's horizon; 0 if its trail is complete. */
export function horizonOf(organizationId: SQL<string | null> | string): SQL<number> {
  return sql<number>`coalesce((select max(last_sequence) from seatgate_audit_purges
    where organization_id = ${organizationId}), 0)`
}

/** The first and the last sequence of a trail. */
export interface Extent {
  /** Its last sequence. */
  readonly head: number
  /** The horizon: events up to it can no longer be read. */
  readonly horizon: number
}

/** The extent of a trail without events. */
export const NOTHING: Extent = { head: 0, horizon: 0 }

/** Selects the extent of an organization's trail, by default the part of it that is in D1. */
export function extentOf(
  db: Database,
  organizationId: SQL<string | null> | string,
  horizon = horizonOf(organizationId)
) {
  return db
    .select({
      head: sql<number>`coalesce((select max(sequence) from seatgate_audit_events
        where organization_id = ${organizationId}), 0)`.as('head'),
      horizon: horizon.as('horizon'),
    })
    .from(sql`(select 1)`)
}

/** Refuses with `before_horizon` to continue after a sequence if the next event was purged. */
export function missedSince(
  after: number | null | undefined,
  horizon: number
): RefusalOf<'before_horizon'> | null {
  const missed = typeof after === 'number' && after < horizon
  return missed ? { code: 'before_horizon', horizon } : null
}
