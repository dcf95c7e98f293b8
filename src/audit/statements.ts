import { and, eq, getTableColumns, is, SQL, sql } from 'drizzle-orm'
import { guard } from '../database/commit.ts'
import type { Database, Statement } from '../database/database.ts'
import { auditEvents, auditOutbox, auditPersonal } from '../database/schema.ts'
import type { Metric } from '../metrics.ts'
import { canonicalJson } from '../proof/canonical.ts'
import { personalDataOf, personalDigest, type Origin } from '../proof/personal.ts'
import { shortened } from '../proof/text.ts'
import { horizonOf } from '../retention/horizon.ts'
import type { Seatgate } from '../seatgate.ts'
import { withSeatCount } from '../seats/standing.ts'
import { countsSeats } from './actions.ts'
import type { Attribution, EventDraft } from './event.ts'
import { isAwaited } from './outbox.ts'
import { SCHEMA_VERSION } from './versions.ts'

const LONGEST_MARK = 255

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
  seatgate: Pick<
    Seatgate,
    'db' | 'newId' | 'newSecret' | 'sinks' | 'log' | 'recordedData' | 'seatContext'
  >,
  context: EventContext,
  drafts: readonly EventDraft[]
): { readonly statements: readonly Statement[]; readonly events: readonly RecordedEvent[] } {
  const { db } = seatgate
  const organizationIds = organizationsOf(drafts)
  const personal = personalRows(seatgate, context, organizationIds)
  const digests = new Map(personal.map(({ organizationId, digest }) => [organizationId, digest]))
  const rows = drafts.map((draft) =>
    rowOf(seatgate, context, draft, digests.get(draft.organizationId) ?? null)
  )
  const statements = [
    ...personal.map((row) => db.insert(auditPersonal).values(row)),
    ...rows.flatMap((row) =>
      row.idempotencyKey === null ? [db.insert(auditEvents).values(row)] : appendOnce(db, row)
    ),
    ...(isAwaited(seatgate) ? marks(db, organizationIds, context.now) : []),
  ]
  const events = writtenBy(rows)
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

/** Builds a statement that writes an event where a condition holds, and answers it if it did. */
export function recordEventWhere(
  seatgate: Pick<Seatgate, 'db' | 'newId' | 'seatContext'>,
  context: EventContext,
  draft: EventDraft,
  condition: SQL
): Statement {
  const { id, action, outcome, occurredAt } = auditEvents
  return insertWhere(seatgate.db, rowOf(seatgate, context, draft, null), condition).returning({
    id,
    action,
    outcome,
    occurredAt,
  })
}

/** What such a statement has answered: the event, where it was written. */
export function writtenBy(answer: unknown): readonly RecordedEvent[] {
  const rows = Array.isArray(answer) ? (answer as (typeof auditEvents.$inferSelect)[]) : []
  return rows.map(({ id, action, outcome, occurredAt }) => {
    return { id, action, outcome, occurredAt: occurredAt.toISOString() }
  })
}

/** Marks an organization for forwarding and sealing, where anybody waits for that. */
export function markWaiting(
  seatgate: Pick<Seatgate, 'db' | 'sinks' | 'log'>,
  organizationId: string,
  now: Date
): { readonly marked?: Statement } {
  const [marked] = isAwaited(seatgate) ? marks(seatgate.db, [organizationId], now) : []
  return marked ? { marked } : {}
}

function rowOf(
  { newId, seatContext }: Pick<Seatgate, 'newId' | 'seatContext'>,
  { effectiveUserId, requestId, origin, now, ...context }: EventContext,
  draft: EventDraft,
  digest: string | null
) {
  const { organizationId, action, target, metadata } = draft
  const actor = draft.actor ?? context.actor
  // In one spelling only, so that equal metadata are equal texts.
  const told = sql<Record<string, unknown>>`${canonicalJson(metadata)}`
  const counting = countsSeats(action) && metadata['held'] === undefined
  return {
    organizationId,
    sequence: sql<number>`coalesce((select sequence from audit_events
      where organization_id = ${organizationId} order by sequence desc limit 1),
      ${horizonOf(organizationId)}) + 1`,
    id: newId(),
    action,
    outcome: draft.outcome ?? ('success' as const),
    actorType: actor.type,
    actorId: actor.id,
    effectiveUserId,
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    metadata: counting ? withSeatCount(told, seatContext, organizationId, now) : told,
    requestId: marked(requestId),
    traceId: marked(origin?.traceId),
    causeEventId: draft.causeEventId ?? null,
    idempotencyKey: draft.idempotencyKey ?? null,
    personalDigest: digest,
    schemaVersion: SCHEMA_VERSION,
    occurredAt: now,
    insertedAt: now,
  }
}

// A mark of a request may come from a client: it never fails what the request does.
function marked(mark: string | null | undefined): string | null {
  return mark ? shortened(mark, LONGEST_MARK) : null
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
  return [
    guard(
      db,
      'idempotency_mismatch',
      sql`not exists (select 1 from audit_events where ${there} and not (${same}))`
    ),
    insertWhere(db, row, sql`not exists (select 1 from audit_events where ${there})`),
  ]
}

function insertWhere(db: Database, row: ReturnType<typeof rowOf>, condition: SQL) {
  const values: Readonly<Record<string, unknown>> = row
  const columns = Object.entries(getTableColumns(auditEvents)).map(([name, column]) => {
    const value = values[name]
    return is(value, SQL) ? value : sql`${sql.param(value, column)}`
  })
  return db.insert(auditEvents).select(sql`select ${sql.join(columns, sql`, `)} where ${condition}`)
}

function marks(db: Database, organizationIds: readonly string[], now: Date): Statement[] {
  return organizationIds.map((organizationId) =>
    db.insert(auditOutbox).values({ organizationId, sweptAt: now }).onConflictDoNothing()
  )
}
