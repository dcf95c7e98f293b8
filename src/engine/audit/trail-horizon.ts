import { sql, type SQL } from 'drizzle-orm'
import type { Database } from '../../database/database.ts'
import type { RefusalOf } from '../../base/refusal.ts'

/** How far an organization's trail is gone, as a scalar subquery; 0 if all of it is there. */
export function horizonOf(organizationId: SQL<string | null> | string): SQL<number> {
  return sql<number>`coalesce((select max(last_sequence) from seatgate_audit_purges
    where organization_id = ${organizationId}), 0)`
}

/** Where a trail begins and ends. */
export interface Extent {
  /** Its last sequence. */
  readonly head: number
  /** Up to here it is gone. */
  readonly horizon: number
}

/** The extent of a trail without events. */
export const NOTHING: Extent = { head: 0, horizon: 0 }

/** Reads where an organization's trail begins and ends. */
export function extentOf(db: Database, organizationId: SQL<string | null> | string) {
  return db
    .select({
      head: sql<number>`coalesce((select max(sequence) from seatgate_audit_events
        where organization_id = ${organizationId}), 0)`.as('head'),
      horizon: horizonOf(organizationId).as('horizon'),
    })
    .from(sql`(select 1)`)
}

/** Refuses to go on behind a sequence, where what came next is gone: whoever asks has missed it. */
export function missedSince(
  after: number | null | undefined,
  horizon: number
): RefusalOf<'before_horizon'> | null {
  const missed = typeof after === 'number' && after < horizon
  return missed ? { code: 'before_horizon', horizon } : null
}
