import { and, eq, sql, type SQL } from 'drizzle-orm'
import type { Runtime } from '../../base/runtime.ts'
import { areFew, insertMany } from '../../database/batch.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { auditOutbox } from '../../database/schema/audit-tables.ts'
import { withFollowing, type EventDraft } from './event.ts'

/** The limits of one invocation of a Worker, which the runs of several organizations share. */
export interface Invocation {
  /** Whether one more delivery may be attempted; the call counts it. */
  mayDeliver(): boolean
}

/**
 * Where the progress of a consumer is recorded: in a cursor of its own, or in the checkpoints of the log,
 * which are `published` elsewhere too or only `sealed`.
 */
export type Progress = 'cursor' | 'sealed' | 'published'

/** The traits of a consumer that the trail and retention rely on. */
export interface ConsumerTraits {
  /** Names its cursor. */
  readonly id: string
  /** Whether retention keeps an event until the consumer has read it. */
  readonly required: boolean
  /** Whether it belongs to the library: it is not listed, and calls no server of the host. */
  readonly internal: boolean
  readonly progress: Progress
}

/** Reads every trail from its beginning, in sequence: a sink, the ledger, the log. */
export interface TrailConsumer extends ConsumerTraits {
  /** How many statements D1 is asked for one run at most. */
  readonly statements: number
  /** For how many seconds a response waits for a run; null if it does not wait. */
  readonly promptSeconds: number | null
  /** Whether an event of this action is a reason to run. */
  accepts(action: string): boolean
  /**
   * Reads on. Returns after how many seconds another run is worth it, or null. A method, since the
   * context also has what the consumer's own part put into it.
   */
  run(
    context: DatabaseContext & ConsumerContext & Runtime,
    organizationId: string,
    invocation: Invocation
  ): Promise<number | null>
}

/** The consumers of the trails. */
export interface ConsumerContext {
  readonly consumers: readonly TrailConsumer[]
}

/** All consumers that are configured. */
export interface ConfiguredConsumersContext {
  readonly consumers: readonly ConsumerTraits[]
  /** Consumers that are missing or switched off: retention waits for them. */
  readonly absentConsumers: readonly ConsumerTraits[]
}

/** Whether there is a consumer. Without one no organization is put into the outbox. */
export function isAwaited({ consumers }: ConsumerContext): boolean {
  return consumers.length > 0
}

/**
 * Returns whether a consumer accepts an event of this action, or one that may follow on it in its batch.
 */
function isAccepted({ consumers }: ConsumerContext, action: string): boolean {
  return consumers.some((consumer) =>
    withFollowing(action).some((each) => acceptsAction(consumer, each))
  )
}

// A change does not fail with a sink: delivery reports what `accepts` throws.
function acceptsAction(consumer: TrailConsumer, action: string): boolean {
  try {
    return consumer.accepts(action)
  } catch {
    return true
  }
}

/** Returns the events that a consumer accepts, or that give the consumers work otherwise. */
export function acceptedOf(
  context: ConsumerContext,
  drafts: readonly EventDraft[]
): readonly EventDraft[] {
  const accepted = new Map<string, boolean>()
  return drafts.filter(({ action, wakesConsumers = false }) => {
    const known = accepted.get(action) ?? isAccepted(context, action)
    accepted.set(action, known)
    return known || wakesConsumers
  })
}

/** Marks the organization of an event for the consumers of the trail, if one accepts the event. */
export function markWaiting(
  context: DatabaseContext & ConsumerContext,
  { organizationId, action }: Pick<EventDraft, 'organizationId' | 'action'>,
  now: Date
): { readonly marked?: Statement } {
  const [marked] = isAccepted(context, action) ? marks(context.db, [organizationId], now) : []
  return marked ? { marked } : {}
}

/** Builds the statements that mark organizations for the consumers: that put them into the outbox. */
export function marks(db: Database, organizationIds: readonly string[], now: Date): Statement[] {
  const rows = organizationIds.map((organizationId) => ({ organizationId, sweptAt: now }))
  const insertions = areFew(rows)
    ? rows.map((row) => db.insert(auditOutbox).values(row))
    : insertMany(db, auditOutbox, rows)
  return insertions.map((insertion) => insertion.onConflictDoNothing())
}

/** The progress that an organization's consumers must reach; plain data. */
export interface Awaiting {
  /** The consumers with a cursor. */
  readonly sinkIds: readonly string[]
  /** Whether the events will be sealed. */
  readonly sealing: boolean
  /** Whether the checkpoint that covers them will be published. */
  readonly publishing: boolean
}

export function awaiting({
  consumers,
}: {
  readonly consumers: readonly ConsumerTraits[]
}): Awaiting {
  const having = (progress: Progress) =>
    consumers.filter((consumer) => consumer.progress === progress)
  const publishing = having('published').length > 0
  return {
    sinkIds: having('cursor').map(({ id }) => id),
    sealing: publishing || having('sealed').length > 0,
    publishing,
  }
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
