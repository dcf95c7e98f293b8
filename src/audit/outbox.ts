import { and, eq, not, sql } from 'drizzle-orm'
import { auditOutbox } from '../database/schema.ts'
import type { Seatgate } from '../seatgate.ts'

/** Whether anybody waits for events: a sink, or the log. Without them there is nothing to mark. */
export function isAwaited({ sinks, log }: Pick<Seatgate, 'sinks' | 'log'>): boolean {
  return sinks.length > 0 || log !== null
}

/** Takes an organization out of the outbox where every sink has come to the end, and all is sealed. */
export function clearOutbox({ db, sinks, log }: Seatgate, organizationId: string) {
  const sinkIds = JSON.stringify(sinks.map(({ id }) => id))
  const head = sql`(select coalesce(max(sequence), 0) from audit_events
    where organization_id = ${organizationId})`
  const forwarded = sql`(select count(*) from sink_cursors where organization_id = ${organizationId}
    and sink_id in (select value from json_each(${sinkIds}))
    and sequence >= ${head}) = ${sinks.length}`
  const requeued = sql`exists (select 1 from sink_dead_letters
    where organization_id = ${organizationId} and state = 'queued'
    and sink_id in (select value from json_each(${sinkIds})))`
  const sealed = sql`(select coalesce(max(size), 0) from audit_checkpoints
    where organization_id = ${organizationId}) >= ${head}`
  return db
    .delete(auditOutbox)
    .where(
      and(
        eq(auditOutbox.organizationId, organizationId),
        forwarded,
        not(requeued),
        log === null ? undefined : sealed
      )
    )
}
