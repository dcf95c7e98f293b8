import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import type { Database, DatabaseContext } from '../../database/database.ts'
import { auditOutbox } from '../../database/schema.ts'
import { keptOutBy, type AcceptedActions } from './filters.ts'
import { withFollowing } from './actions.ts'

/** The properties of a sink that matter to the trail. */
export interface TrailSink extends AcceptedActions {
  readonly id: string
  readonly internal?: boolean
  readonly required?: boolean
}

/** Reads an organization's trail beside the sinks. */
export interface TrailConsumer {
  /** How many statements D1 is asked for one run at most. */
  readonly statements: number
  /**
   * Reads on. Returns after how many seconds another run is worth it, or null. A method, since the
   * context also has what the consumer's own part put into it.
   */
  run(
    context: DatabaseContext & ConsumerContext & Pick<Runtime, 'now' | 'report'>,
    organizationId: string
  ): Promise<number | null>
}

/** The consumers of the trail: the sinks, and the log if one is configured. */
export interface ConsumerContext {
  readonly sinks: readonly TrailSink[]
  readonly log: { readonly publish: unknown } | null
}

/** All sinks that are configured. */
export interface ConfiguredSinksContext {
  readonly sinks: readonly TrailSink[]
  /** Configured sinks that are missing or switched off: retention waits for them. */
  readonly missingSinks: readonly TrailSink[]
}

/**
 * Whether there is a consumer: a sink, or the log. Without one no organization is put into the outbox.
 */
export function isAwaited({ sinks, log }: ConsumerContext): boolean {
  return sinks.length > 0 || log !== null
}

/**
 * Returns whether a consumer accepts an event of this action, or one that may follow on it in its batch.
 * The log accepts every event.
 */
export function isAccepted({ sinks, log }: ConsumerContext, action: string): boolean {
  if (log !== null) return true
  return sinks.some((sink) => withFollowing(action).some((each) => acceptsAction(sink, each)))
}

// A change does not fail with a sink: delivery reports what `accepts` throws.
function acceptsAction(sink: TrailSink, action: string): boolean {
  try {
    return keptOutBy(sink, action) === null
  } catch {
    return true
  }
}

/** The consumers of an organization's events. */
export interface Awaiting {
  readonly sinkIds: readonly string[]
  /** Whether they will be sealed. */
  readonly sealing: boolean
  /** Whether the checkpoint that covers them will be published. */
  readonly publishing: boolean
}

export function awaiting({ sinks, log }: ConsumerContext): Awaiting {
  const publishing = log !== null && log.publish !== null
  return { sinkIds: sinks.map(({ id }) => id), sealing: log !== null, publishing }
}

/** Removes an organization from the outbox if all consumers have settled its trail. */
export function clearOutbox(db: Database, organizationId: string, who: Awaiting) {
  return db
    .delete(auditOutbox)
    .where(and(eq(auditOutbox.organizationId, organizationId), isSettled(organizationId, who)))
}

/**
 * Whether every sink has reached the end, every event is sealed, and the last checkpoint is published.
 */
export function isSettled(
  organizationId: SQL<string> | string,
  { sinkIds, sealing, publishing }: Awaiting
): SQL {
  const ids = JSON.stringify(sinkIds)
  const head = sql`(select coalesce(max(sequence), 0) from seatgate_audit_events
    where organization_id = ${organizationId})`
  const forwarded = sql`(select count(*) from seatgate_sink_cursors where organization_id = ${organizationId}
    and sink_id in (select value from json_each(${ids}))
    and sequence >= ${head}) = ${sinkIds.length}`
  const requeued = sql`exists (select 1 from seatgate_sink_dead_letters
    where organization_id = ${organizationId} and state = 'queued'
    and sink_id in (select value from json_each(${ids})))`
  const sealed = sql`(select coalesce(max(size), 0) from seatgate_audit_checkpoints
    where organization_id = ${organizationId}) >= ${head}`
  const published = sql`${publishedSize(organizationId)} >= ${head}`
  const conditions = [
    forwarded,
    sql`not ${requeued}`,
    ...(sealing ? [sealed] : []),
    ...(publishing ? [published] : []),
  ]
  return sql`(${sql.join(conditions, sql` and `)})`
}

/** Builds a scalar subquery of the number of an organization's events that are sealed. */
export function sealedSize(organizationId: string) {
  return sql<number>`(select coalesce(max(size), 0) from seatgate_audit_checkpoints
    where organization_id = ${organizationId})`
}

/** Builds a scalar subquery of the number of events that a published checkpoint covers. */
export function publishedSize(organizationId: SQL<string> | string) {
  return sql<number>`coalesce((select size from seatgate_audit_published
    where organization_id = ${organizationId}), 0)`
}
