/**
 * The right to deliver one organization's events to one sink.
 *
 * @module
 */
import { and, eq, sql } from 'drizzle-orm'
import { sinkCursors } from '../database/schema.ts'

/** One sink in one organization. */
export interface Route {
  readonly organizationId: string
  readonly sinkId: string
}

/** The right to deliver, until it ends. */
export interface Lease extends Route {
  readonly token: string
  readonly until: Date
}

/** The row of the cursor. */
export function onRoute({ organizationId, sinkId }: Route) {
  return and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
}

/** Whether somebody still has the lease: only then they may say what became of an event. */
export function isLeased({ organizationId, sinkId, token }: Lease) {
  return sql`exists (select 1 from sink_cursors as held where held.organization_id = ${organizationId}
    and held.sink_id = ${sinkId} and held.lease_token = ${token})`
}
