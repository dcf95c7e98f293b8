import { and, eq, getTableColumns, is, SQL, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { auditEvents, auditPersonal } from '../../database/schema/audit-tables.ts'
import { areFew, fieldOf, insertMany, insertRow, insertRows } from '../../database/batch.ts'
import { keptQuery } from '../../database/kept-query.ts'
import type { Attribution, Metric, Runtime } from '../../base/runtime.ts'
import { canonicalJson, shortened } from '../../proof/encoding.ts'
import type { Origin, RecordedData } from '../../proof/personal.ts'
import { horizonOf } from './trail-extent.ts'
import { countsSeats, EVENT_VERSION, type EventDraft } from './event.ts'
import { digestsOf, type KnownPersonal, type PersonalRow } from './personal-rows.ts'
import { acceptedOf, marks, type ConsumerContext } from './consumers.ts'

const LONGEST_MARK = 255

/** The context of a function that writes events. */
export interface TrailContext
  extends DatabaseContext, ConsumerContext, Pick<Runtime, 'newId' | 'newSecret'> {
  /** Which data of a request are recorded beside its id. */
  readonly recordedData: RecordedData
  /** Adds the seats in use to the metadata of an event, as they are at its place in the batch. */
  readonly withSeatCount: WithSeatCount
}

type Metadata = SQL<Record<string, unknown>>

/** Builds an expression that adds `held`, `reserved` and `limit` to a JSON object. */
export type WithSeatCount = (
  metadata: Metadata,
  organizationId: SQL<string> | string,
  now: Date
) => Metadata

/** The parts that all events of one batch have in common. */
export interface EventContext extends Attribution {
  readonly requestId: string | null
  readonly origin?: Origin | undefined
  /** Rows of the same personal data that recent events have. */
  readonly known?: readonly KnownPersonal[] | undefined
  readonly now: Date
}

/**
 * Builds the statements that write events, in order, and mark the organizations with events that a
 * consumer accepts. The sequence is assigned inside the batch: a batch that fails leaves no gap.
 */
export function recordEvents(
  context: TrailContext,
  eventContext: EventContext,
  drafts: readonly EventDraft[],
  personal: readonly PersonalRow[]
): RecordedBatch {
  const { db } = context
  const markedIds = organizationsOf(acceptedOf(context, drafts))
  const digestOf = digestsOf(eventContext, personal)
  const facts = drafts.map((draft) => factsOf(context, eventContext, draft, digestOf(draft)))
  const statements = [
    ...insertRows(db, auditPersonal, personal),
    ...runsOf(facts).flatMap((run) => append(context, eventContext.now, run)),
    ...marks(db, markedIds, eventContext.now),
  ]
  const events = writtenBy(facts)
  return { statements, events, markedIds }
}

/** The statements that write events, and what they do. */
export interface RecordedBatch {
  readonly statements: readonly Statement[]
  readonly events: readonly RecordedEvent[]
  /** The organizations that are marked for the consumers of the trail. */
  readonly markedIds: readonly string[]
}

/** The metric of a recorded event. */
export type RecordedEvent = Omit<Extract<Metric, { name: 'audit.recorded' }>, 'name'>

/** Returns the organizations of events, each once. */
export function organizationsOf(drafts: readonly EventDraft[]): readonly string[] {
  return [...new Set(drafts.map(({ organizationId }) => organizationId))]
}

/** Builds the condition on which an event is written: about an organization, and the target's id. */
type Condition = (
  organizationId: SQL<string> | string,
  targetId: SQL<string> | string | null
) => SQL

/**
 * Builds the statements that write events if a condition on their organization and target holds, and return
 * the written ones.
 */
export function recordEventsWhere(
  context: Pick<TrailContext, 'db' | 'newId' | 'withSeatCount'>,
  eventContext: EventContext,
  drafts: readonly EventDraft[],
  condition: Condition
): readonly Statement[] {
  const facts = drafts.map((draft) => factsOf(context, eventContext, draft, null))
  if (!areFew(facts)) {
    return insertEvents(context, eventContext.now, facts, condition).map((insertion) =>
      insertion.returning(written())
    )
  }
  return facts.map((event) => {
    const row = rowOf(context, eventContext.now, event)
    const holds = condition(event.organizationId, event.targetId ?? null)
    return insertedWhere(context.db, selected(row), holds)
  })
}

const written = () => {
  const { id, action, outcome, occurredAt } = auditEvents
  return { id, action, outcome, occurredAt }
}

/** Returns the event that such a statement has written, if any. */
export function writtenBy(answer: unknown): readonly RecordedEvent[] {
  const rows = Array.isArray(answer) ? (answer as (typeof auditEvents.$inferSelect)[]) : []
  return rows.map(({ id, action, outcome, occurredAt }) => {
    return { id, action, outcome, occurredAt: occurredAt.toISOString() }
  })
}

/** An event without the values that the batch computes: its sequence, and the number of seats. */
type Facts = Omit<typeof auditEvents.$inferInsert, 'sequence' | 'metadata'> & {
  readonly metadataText: string
  readonly counting: boolean
  readonly onlyOnce: boolean
}

function factsOf(
  { newId }: Pick<Runtime, 'newId'>,
  { actor: by, effectiveUserId, causeEventId, requestId, origin, now }: EventContext,
  draft: EventDraft,
  digest: string | null
): Facts {
  const { organizationId, action, target, metadata } = draft
  const actor = draft.actor ?? by
  const { id = newId() } = draft
  const { onlyOnce = false, idempotencyKey = onlyOnce ? `once:${id}` : null } = draft
  return {
    organizationId,
    id,
    action,
    outcome: draft.outcome ?? ('success' as const),
    actorType: actor.type,
    actorId: actor.id,
    effectiveUserId,
    targetType: target?.type ?? null,
    targetId: target?.id ?? null,
    // Canonical, so that equal metadata are equal texts.
    metadataText: canonicalJson(metadata),
    counting: countsSeats(action) && metadata['held'] === undefined,
    requestId: marked(requestId),
    traceId: marked(origin?.traceId),
    causeEventId: causeEventId ?? draft.causeEventId ?? null,
    idempotencyKey,
    onlyOnce,
    personalDigest: digest,
    schemaVersion: EVENT_VERSION,
    occurredAt: now,
    insertedAt: now,
  }
}

// The ids of a request may come from a client: an invalid one must not make the request fail.
function marked(mark: string | null | undefined): string | null {
  return mark ? shortened(mark, LONGEST_MARK) : null
}

function rowOf(
  { withSeatCount }: Pick<TrailContext, 'withSeatCount'>,
  now: Date,
  { metadataText, counting, onlyOnce: _, ...facts }: Facts
) {
  const { organizationId } = facts
  const told = sql<Record<string, unknown>>`${metadataText}`
  return {
    ...facts,
    sequence: sql<number>`${lastSequence(organizationId)} + 1`,
    metadata: counting ? withSeatCount(told, organizationId, now) : told,
  }
}

function lastSequence(organizationId: SQL<string> | string): SQL<number> {
  return sql<number>`coalesce((select sequence from seatgate_audit_events
      where organization_id = ${organizationId} order by sequence desc limit 1),
      ${horizonOf(organizationId)})`
}

// Groups events in order: consecutive ones without an idempotency key are inserted together.
function runsOf(facts: readonly Facts[]): readonly (readonly Facts[])[] {
  const runs: Facts[][] = []
  for (const event of facts) {
    const last = runs.at(-1)
    const goesOn = event.idempotencyKey === null && last?.[0]?.idempotencyKey === null
    if (last && goesOn) last.push(event)
    else runs.push([event])
  }
  return runs
}

function append(
  context: Pick<TrailContext, 'db' | 'withSeatCount'>,
  now: Date,
  run: readonly Facts[]
): readonly Statement[] {
  if (!areFew(run)) return insertEvents(context, now, run)
  return run.flatMap((event) => {
    const row = rowOf(context, now, event)
    const insertion = insertRow(context.db, auditEvents, row)
    if (event.onlyOnce) return [guardUnrecorded(context.db, row), insertion]
    return event.idempotencyKey === null ? [insertion] : appendOnce(context.db, row)
  })
}

// A batch that is sent again after its commit is rolled back as a whole.
function guardUnrecorded(
  db: Database,
  { organizationId, idempotencyKey }: ReturnType<typeof rowOf>
): Statement {
  const there = sql`organization_id = ${organizationId} and idempotency_key = ${idempotencyKey}`
  return guard(db, 'stale', sql`not exists (select 1 from seatgate_audit_events where ${there})`)
}

// Each event follows the last one of its organization before the statement, in the order of the rows.
function insertEvents(
  { db, withSeatCount }: Pick<TrailContext, 'db' | 'withSeatCount'>,
  now: Date,
  facts: readonly Facts[],
  condition: Condition = () => sql`true`
) {
  const [first] = facts
  const inOne = facts.every(({ organizationId }) => organizationId === first?.organizationId)
  // For a single organization the subqueries are evaluated only once.
  const organizationId = inOne && first ? first.organizationId : fieldOf('organizationId')
  const told = fieldOf('metadataText') as unknown as SQL<Record<string, unknown>>
  return insertMany(db, auditEvents, facts, {
    computed: {
      sequence: sql`${lastSequence(organizationId)}
        + row_number() over (partition by ${organizationId} order by json_each.key)`,
      metadata: sql`case when ${fieldOf('counting')}
        then ${withSeatCount(told, organizationId, now)} else ${told} end`,
    },
    condition: condition(organizationId, fieldOf('targetId')),
  })
}

// The table refuses every insert over an existing key, so `on conflict` cannot be used. The recorded
// event stays; if it is another one, the batch is rolled back.
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
      sql`not exists (select 1 from seatgate_audit_events where ${there} and not (${same}))`
    ),
    insertWhere(db, row, sql`not exists (select 1 from seatgate_audit_events where ${there})`),
  ]
}

const insertWhere = (db: Database, row: ReturnType<typeof rowOf>, condition: SQL) =>
  db.insert(auditEvents).select(sql`select ${selected(row)} where ${condition}`)

const insertedWhere = /* @__PURE__ */ keptQuery((db, row: SQL, condition: SQL) =>
  db
    .insert(auditEvents)
    .select(sql`select ${row} where ${condition}`)
    .returning(written())
)

function selected(row: Readonly<Record<string, unknown>>): SQL {
  const columns = Object.entries(getTableColumns(auditEvents)).map(([name, column]) => {
    const value = row[name]
    return is(value, SQL) ? value : sql`${sql.param(value, column)}`
  })
  return sql.join(columns, sql`, `)
}
