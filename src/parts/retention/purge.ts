import { and, eq, isNull, lte, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import { batch } from '../../database/batch.ts'
import { trailEvent } from '../../engine/audit/part-actions.ts'
import type { Database, DatabaseContext, Statement } from '../../database/database.ts'
import { auditEvents, auditLookups, auditPersonal } from '../../database/schema/audit-tables.ts'
import { auditPurges, auditRetention } from '../../database/schema/log-tables.ts'
import { sinkAttempts, sinkDeadLetters } from '../../database/schema/forwarding-tables.ts'
import { parseInput } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import { perform } from '../../engine/changes/operation.ts'
import { partOf } from '../../engine/changes/part.ts'
import { unchanged } from '../../engine/model/plan.ts'
import {
  ok,
  refused,
  type CommitRefusal,
  type InputRefusal,
  type Result,
} from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { isOperator, isSystem, type OrganizationScope } from '../../engine/access/principal.ts'
import {
  EVENTS_PER_RUN,
  beginningOf,
  beginningQueries,
  carrySeats,
  claimants,
  planPurge,
  settledThrough,
  type Purge,
} from './purge-plan.ts'
import { recordSegment, type StoredSegment } from './archive.ts'
import type { RetentionContext } from './retention-windows.ts'
import type { ConfiguredConsumersContext } from '../../engine/audit/consumers.ts'
import { guard } from '../../database/commit.ts'
import {
  BUCKETS,
  EVENTS_IN_A_BLOCK,
  EVENTS_IN_A_SEGMENT,
} from '../../engine/audit/event-lookups.ts'
import { personalUserColumn } from '../../engine/audit/event.ts'
import { horizonOf } from '../../engine/audit/trail-extent.ts'

const Request = v.object(
  {
    dryRun: v.optional(v.boolean('Must be true or false.'), false),
    force: v.optional(v.boolean('Must be true or false.'), false),
    olderThan: v.optional(v.nullable(Instant), null),
  },
  'Must be an object.'
)

/** The input of a run. */
export type PurgeInput = v.InferInput<typeof Request>

/** The result of a run, or with `dryRun` of a run that would be made. */
export interface PurgeRun {
  readonly organizationId: string
  /** The sequence up to which the trail is purged. */
  readonly horizon: number
  readonly events: number
  /** Whether another run would purge more at once. */
  readonly more: boolean
  /** The reasons that no more was purged: `legal_hold`, `checkpoint`, or the ids of sinks. */
  readonly waitsFor: readonly string[]
}

/** Why {@link purgeAuditEvents} refuses. */
export type PurgeAuditEventsRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | InputRefusal
  | CommitRefusal

/**
 * Purges the beginning of an organization's trail that is past its window: at most 1,000 events with
 * their personal parts and dead letters. A legal hold and the last checkpoint are never passed; a
 * required sink that has not settled an event is passed only with `force`. Each run is recorded as
 * `audit.purge_run` or `audit.forced_purge`. Without a window no event is purged. With an archive the
 * events are in its bucket before they are deleted. Identify the organization by its id, even if it is
 * deleted; `system` for the platform's own events. For the host itself and its operators.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `InputRefusal`, `CommitRefusal`.
 *
 * @throws {StoreUnavailable} if the bucket of the archive does not answer; then no event is deleted.
 *
 * @example
 * ```ts
 * const scope = { caller: { type: 'system' }, organization: organizationId } as const
 * const would = await purgeAuditEvents(seatgate, scope, { dryRun: true })
 * ```
 */
export async function purgeAuditEvents(
  context: RetentionContext,
  scope: OrganizationScope,
  input: PurgeInput = {}
): Promise<Result<PurgeRun, PurgeAuditEventsRefusal>> {
  const { archive } = partOf(context, 'retention')
  if (archive === null) return purge(context, scope, input, null)
  const would = await purge(context, scope, { ...input, dryRun: true }, null)
  if (!would.ok || would.value.events === 0 || input.dryRun) return would
  const { organizationId, horizon: lastSequence, events } = would.value
  const firstSequence = lastSequence - events + 1
  const segment = await archive.store(context.db, { organizationId, firstSequence, lastSequence })
  return purge(context, scope, input, segment)
}

// With a segment it purges exactly the events of the segment, or no event if another run was faster or a
// hold was placed.
async function purge(
  context: RetentionContext,
  { organization: organizationId, ...scope }: OrganizationScope,
  input: PurgeInput,
  segment: StoredSegment | null
): Promise<Result<PurgeRun, PurgeAuditEventsRefusal>> {
  const { now } = context
  const { windows } = partOf(context, 'retention')
  const began = now()
  const parsed = parseInput(Request, input)
  const done = await perform(context, scope, {
    name: 'audit.purge_run',
    input: organizationId,
    grows: false,
    refusals: [],
    queries: beginningQueries(context, organizationId),
    plan({ rows }, by) {
      if (!isOperator(by) && !isSystem(by)) return refused({ code: 'insufficient_role' })
      if (!parsed.ok) return parsed
      const { dryRun } = parsed.value
      const beginning = beginningOf(context, rows)
      const request = { ...parsed.value, through: segment?.lastSequence ?? Infinity }
      const planned = planPurge(windows, organizationId, beginning, request, began)
      const { firstSequence, lastSequence, forced, unsettled, waitsFor } = planned
      const events = lastSequence - firstSequence + 1
      const more = events === EVENTS_PER_RUN
      const value = { organizationId, horizon: lastSequence, events, more, waitsFor }
      if (dryRun || events === 0) return ok(unchanged(value))
      if (segment !== null && !isOf(segment, planned)) {
        return ok(unchanged({ ...value, horizon: firstSequence - 1, events: 0 }))
      }
      const action = forced ? 'audit.forced_purge' : 'audit.purge_run'
      return ok({
        value,
        statements: purgeStatements(
          context,
          planned,
          { organizationId, startedAt: began, more },
          segment
        ),
        events: [
          trailEvent(organizationId, action, {
            first_sequence: firstSequence,
            last_sequence: lastSequence,
            events,
            ...(unsettled.length > 0 && { sinks: unsettled.join(' ') }),
          }),
        ],
      })
    },
  })
  const went = done.ok && done.value.events > 0 && parsed.ok && !parsed.value.dryRun
  if (went) await finish(context, done.value, now().getTime() - began.getTime())
  return done
}

function isOf(segment: StoredSegment, { firstSequence, lastSequence }: Purge): boolean {
  return segment.firstSequence === firstSequence && segment.lastSequence === lastSequence
}

// The duration is known only afterwards. A crash in between leaves it empty.
async function finish(
  { db, measure, report }: DatabaseContext & Pick<Runtime, 'report' | 'measure'>,
  { organizationId, horizon, events }: PurgeRun,
  elapsed: number
): Promise<void> {
  const milliseconds = Math.max(0, elapsed)
  measure({ name: 'audit.purged', events, milliseconds })
  try {
    await batch(db, {
      finished: db
        .update(auditPurges)
        .set({ milliseconds })
        .where(
          and(
            eq(auditPurges.organizationId, organizationId),
            eq(auditPurges.lastSequence, horizon),
            isNull(auditPurges.milliseconds)
          )
        ),
    })
  } catch (error) {
    report({ event: 'purge_not_finished', organizationId, error })
  }
}

/** The parameters of a run. */
export interface Run {
  readonly organizationId: string
  readonly startedAt: Date
  /** Whether more can be purged at once. */
  readonly more: boolean
}

/**
 * Builds the statements of a run: the horizon moves, and the events up to it are deleted in the same
 * batch. The record of the run comes first, because the triggers only allow deleting what it covers.
 */
function purgeStatements(
  context: DatabaseContext & ConfiguredConsumersContext,
  purge: Purge,
  run: Run,
  segment: StoredSegment | null
): Statement[] {
  const { db } = context
  const { organizationId, startedAt, more } = run
  const { lastSequence } = purge
  const here = eq(auditEvents.organizationId, organizationId)
  return [
    ...guards(context, purge, run),
    ...carrySeats(context, organizationId, lastSequence),
    record(context, purge, run),
    ...(segment === null ? [] : [recordSegment(db, segment, startedAt)]),
    db.delete(auditPersonal).where(isPersonalOf(run, purge)),
    db
      .delete(sinkDeadLetters)
      .where(
        and(
          eq(sinkDeadLetters.organizationId, organizationId),
          lte(sinkDeadLetters.sequence, lastSequence)
        )
      ),
    db.delete(auditEvents).where(and(here, lte(auditEvents.sequence, lastSequence))),
    ...forgetLookups(db, organizationId, purge),
    // After the events: the rows of remaining events stay.
    db
      .delete(sinkAttempts)
      .where(
        and(
          eq(sinkAttempts.organizationId, organizationId),
          lte(sinkAttempts.lastSequence, lastSequence)
        )
      ),
    ...(more
      ? [
          db
            .update(auditRetention)
            .set({ dueAt: startedAt })
            .where(eq(auditRetention.organizationId, organizationId)),
        ]
      : []),
  ]
}

// Named, so that SQLite looks into the beginning of each.
const EVERY_BUCKET = Array.from({ length: BUCKETS }, (_, bucket) => bucket)

// Deletes the rows that lead to purged events alone; the other rows may lead to missing events, which no list
// has. A row of level 1 is about 4,096 events, so few runs end one.
function forgetLookups(
  db: Database,
  organizationId: string,
  { firstSequence, lastSequence }: Purge
): Statement[] {
  const forget = (level: 0 | 1, buckets: readonly number[], events: number) =>
    db
      .delete(auditLookups)
      .where(
        and(
          eq(auditLookups.organizationId, organizationId),
          sql`level = ${sql.raw(`${level}`)} and bucket in (${sql.raw(buckets.join(', '))})`,
          lte(auditLookups.firstSequence, lastSequence - events + 1)
        )
      )
  const segments = (sequence: number) => Math.floor(sequence / EVENTS_IN_A_SEGMENT)
  const endsSegment = segments(lastSequence) > segments(firstSequence - 1)
  return [
    forget(0, [0], EVENTS_IN_A_BLOCK),
    ...(endsSegment ? [forget(1, EVERY_BUCKET, EVENTS_IN_A_SEGMENT)] : []),
  ]
}

// The conditions of the plan: no other run was faster, no hold was placed, and no replay is in progress.
function guards(
  context: DatabaseContext & ConfiguredConsumersContext,
  { firstSequence, lastSequence, forced }: Purge,
  { organizationId }: Run
): Statement[] {
  const { db } = context
  const ids = claimants(context).flatMap(({ id, required }) => (required ? [id] : []))
  const behind = sql`exists (select 1 from json_each(${JSON.stringify(ids)})
    where ${settledThrough(organizationId)} < ${lastSequence})`
  const held = sql`exists (select 1 from seatgate_audit_retention
    where organization_id = ${organizationId} and held_at is not null)`
  return [
    guard(db, 'stale', sql`${horizonOf(organizationId)} = ${firstSequence - 1} and not ${held}`),
    ...(forced ? [] : [guard(db, 'stale', sql`not ${behind}`)]),
  ]
}

function record({ db }: DatabaseContext, purge: Purge, run: Run): Statement {
  const { firstSequence, lastSequence, forced } = purge
  const { organizationId, startedAt } = run
  const going = sql`organization_id = ${organizationId} and sequence <= ${lastSequence}`
  const before = (column: 'lifecycle' | 'seat_limit') => sql`(select ${sql.raw(column)}
    from seatgate_audit_purges where organization_id = ${organizationId}
    order by last_sequence desc limit 1)`
  return db.insert(auditPurges).select(
    sql`select ${organizationId}, ${firstSequence}, ${lastSequence},
      (select hash from seatgate_audit_nodes where organization_id = ${organizationId}
        and level = 0 and position = ${lastSequence - 1}),
      (select max(size) from seatgate_audit_checkpoints where organization_id = ${organizationId}),
      (select count(*) from seatgate_audit_personal where ${isPersonalOf(run, purge)}),
      (select count(*) from seatgate_sink_dead_letters where ${going}),
      ${forced ? 1 : 0},
      coalesce((select action from seatgate_audit_events where ${going} and action in
        ('organization.create', 'organization.delete', 'organization.restore')
        order by sequence desc limit 1), ${before('lifecycle')}),
      coalesce((select metadata -> '$.limit' from seatgate_audit_events where ${going}
        and action = 'seat.limit_changed' order by sequence desc limit 1), ${before('seat_limit')}),
      ${startedAt.getTime()}, null`
  )
}

// How many events may come between two that share a row: those of requests that were planned at one time.
const EVENTS_BETWEEN = 1000

// The rows of `seatgate_audit_personal` that go with the events. A row that an event behind the range has too, stays.
function isPersonalOf({ organizationId }: Run, { lastSequence }: Purge): SQL {
  const key = sql`${personalUserColumn()}, organization_id, personal_digest`
  const of = (range: SQL) => sql`(select ${key} from seatgate_audit_events
    where organization_id = ${organizationId} and ${range} and personal_digest is not null)`
  const purged = of(sql`sequence <= ${lastSequence}`)
  const next = of(sql`sequence > ${lastSequence} and sequence <= ${lastSequence + EVENTS_BETWEEN}`)
  const row = sql`(user_id, organization_id, digest)`
  return sql`${row} in ${purged} and ${row} not in ${next}`
}
