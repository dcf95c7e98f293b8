import { and, eq, getTableColumns, is, SQL, sql } from 'drizzle-orm'
import { guard } from '../database/commit.ts'
import type { Database, Statement } from '../database/database.ts'
import { auditEvents, auditOutbox, auditPersonal } from '../database/schema.ts'
import type { Metric } from '../metrics.ts'
import { canonicalJson } from '../proof/canonical.ts'
import { personalDataOf, personalDigest, type Origin } from '../proof/personal.ts'
import { horizonOf } from '../retention/horizon.ts'
import type { Seatgate } from '../seatgate.ts'
import type { Attribution, EventDraft } from './event.ts'
import { isAwaited } from './outbox.ts'
import { SCHEMA_VERSION } from './versions.ts'

/** What all events of one batch have in common. */
export interface EventContext extends Attribution {
  readonly requestId: string | null
  readonly origin?: Origin | undefined
  readonly now: Date
}

/**
 * Builds the statements that write events, in order, and mark their organizations for forwarding and
 * sealing. The sequence is assigned inside the batch: a batch that fails leaves no gap.
 */
export function recordEvents(
  seatgate: Pick<Seatgate, 'db' | 'newId' | 'newSecret' | 'sinks' | 'log' | 'recordedData'>,
  context: EventContext,
  drafts: readonly EventDraft[]
): { readonly statements: readonly Statement[]; readonly events: readonly RecordedEvent[] } {
  const { db } = seatgate
  const organizationIds = organizationsOf(drafts)
  const personal = personalRows(seatgate, context, organizationIds)
  const digests = new Map(personal.map(({ organizationId, digest }) => [organizationId, digest]))
  const rows = drafts.map((draft) =>
    rowOf(seatgate.newId(), context, draft, digests.get(draft.organizationId) ?? null)
  )
  const statements = [
    ...personal.map((row) => db.insert(auditPersonal).values(row)),
    ...rows.flatMap((row) =>
      row.idempotencyKey === null ? [db.insert(auditEvents).values(row)] : appendOnce(db, row)
    ),
    ...(isAwaited(seatgate) ? marks(db, organizationIds, context.now) : []),
  ]
  const events = rows.map(({ id, action, outcome, occurredAt }) => ({
    id,
    action,
    outcome,
    occurredAt: occurredAt.toISOString(),
  }))
  return { statements, events }
}

/** What is measured of an event that is in. */
export type RecordedEvent = Omit<Extract<Metric, { name: 'audit.recorded' }>, 'name'>

/** The organizations that events are about, each once. */
export function organizationsOf(drafts: readonly EventDraft[]): readonly string[] {
  return [...new Set(drafts.map(({ organizationId }) => organizationId))]
}

// One for the whole batch in each organization: its events came from the same request.
function personalRows(
  { newSecret, recordedData }: Pick<Seatgate, 'newSecret' | 'recordedData'>,
  { actor, origin }: EventContext,
  organizationIds: readonly string[]
): (typeof auditPersonal.$inferInsert & { digest: string })[] {
  const data = origin && personalDataOf(origin, recordedData)
  if (!data) return []
  return organizationIds.map((organizationId) => {
    const salt = Array.from(newSecret(), (byte) => byte.toString(16).padStart(2, '0')).join('')
    const salted = { salt, ...data }
    return { organizationId, digest: personalDigest(salted), userId: actor.id, ...salted }
  })
}

function rowOf(
  id: string,
  { effectiveUserId, requestId, origin, now, ...context }: EventContext,
  draft: EventDraft,
  digest: string | null
) {
  const { organizationId, action, target, metadata } = draft
  const actor = draft.actor ?? context.actor
  return {
    organizationId,
    sequence: sql<number>`coalesce((select sequence from audit_events
      where organization_id = ${organizationId} order by sequence desc limit 1),
      ${horizonOf(organizationId)}) + 1`,
    id,
    action,
    outcome: draft.outcome ?? ('success' as const),
    actorType: actor.type,
    actorId: actor.id,
    effectiveUserId,
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    // In one spelling only, so that equal metadata are equal texts.
    metadata: sql<Record<string, unknown>>`${canonicalJson(metadata)}`,
    requestId,
    traceId: origin?.traceId ?? null,
    causeEventId: draft.causeEventId ?? null,
    idempotencyKey: draft.idempotencyKey ?? null,
    personalDigest: digest,
    schemaVersion: SCHEMA_VERSION,
    occurredAt: now,
    insertedAt: now,
  }
}

// The table refuses every insert over an existing key, so that `on conflict` cannot be used. What is
// on record under the key stays; if it is something else, the batch is rolled back.
function appendOnce(db: Database, row: ReturnType<typeof rowOf>): Statement[] {
  const { organizationId, idempotencyKey: key } = row
  const there = and(
    eq(auditEvents.organizationId, organizationId),
    eq(auditEvents.idempotencyKey, key ?? '')
  )
  const same = sql`action = ${row.action} and outcome = ${row.outcome}
    and actor_type = ${row.actorType} and actor_id is ${row.actorId}
    and target_type is ${row.targetType} and target_id is ${row.targetId}
    and metadata = ${row.metadata} and cause_event_id is ${row.causeEventId}`
  const values: Readonly<Record<string, unknown>> = row
  const columns = Object.entries(getTableColumns(auditEvents)).map(([name, column]) => {
    const value = values[name]
    return is(value, SQL) ? value : sql`${sql.param(value, column)}`
  })
  return [
    guard(
      db,
      'idempotency_mismatch',
      sql`not exists (select 1 from audit_events where ${there} and not (${same}))`
    ),
    db.insert(auditEvents).select(
      sql`select ${sql.join(columns, sql`, `)}
        where not exists (select 1 from audit_events where ${there})`
    ),
  ]
}

function marks(db: Database, organizationIds: readonly string[], now: Date): Statement[] {
  return organizationIds.map((organizationId) =>
    db.insert(auditOutbox).values({ organizationId, sweptAt: now }).onConflictDoNothing()
  )
}
