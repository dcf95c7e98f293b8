/**
 * Sends again, each time on record.
 *
 * @module
 */
import { and, eq, gt, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { guard } from '../database/commit.ts'
import type { Statement } from '../database/database.ts'
import { sinkCursors, sinkDeadLetters } from '../database/schema.ts'
import { parseInput } from '../input.ts'
import { guardLive } from '../memberships/guards.ts'
import { perform, type OperationOptions } from '../operations/perform.ts'
import { organizationIdOf } from '../organizations/reference.ts'
import { invalid } from '../refusal.ts'
import { NOTHING, type Extent } from '../retention/horizon.ts'
import { ok, refused, type Result } from '../result.ts'
import type { OrganizationScope } from '../scope.ts'
import type { Seatgate } from '../seatgate.ts'
import { organizationEvent, type EventDraft } from './event.ts'
import { extentIn } from './queries.ts'
import { keeperOf, sinkNamed } from './sink-status.ts'

const sequence = v.pipe(
  v.number('Must be a number.'),
  v.safeInteger('Must be a whole number.'),
  v.minValue(1, 'Must be at least 1.')
)
const Replay = v.object({ fromSequence: sequence }, 'Must be an object.')
const Requeue = v.object(
  {
    sequence: v.optional(sequence),
    action: v.optional(v.string('Must be a text.')),
    dryRun: v.optional(v.boolean('Must be true or false.'), false),
    force: v.optional(v.boolean('Must be true or false.'), false),
  },
  'Must be an object.'
)

const MOST_AT_ONCE = 10_000

/**
 * Sends everything `{ fromSequence }` on to a sink again, in order: the same events under the same ids.
 * A sink that was paused is resumed. Not while a delivery is under way (`operation_in_progress`).
 *
 * Refusals: `unauthenticated`, `organization_not_found`, `insufficient_role`, `not_found` for a sink
 * that there is not, `validation_error`, `before_horizon`, `operation_in_progress`, `unavailable`.
 *
 * @example
 * ```ts
 * await replaySink(seatgate, { caller: { userId, operator: true }, organization }, 'webhook', { fromSequence: 1 })
 * ```
 */
export function replaySink(
  seatgate: Seatgate,
  scope: OrganizationScope,
  sinkId: string,
  input: unknown,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string; readonly fromSequence: number }>> {
  const parsed = parseInput(Replay, input)
  return change(seatgate, scope, sinkId, { name: 'audit.replay', input, options }, (id, extent) => {
    if (!parsed.ok) return parsed
    const { fromSequence } = parsed.value
    const { head, horizon } = extent
    if (fromSequence > head + 1) {
      return refused(invalid({ fromSequence: [`Must be at most ${head + 1}.`] }))
    }
    if (fromSequence <= horizon) return refused({ code: 'before_horizon', horizon })
    const event = { sink: sinkId, from_sequence: fromSequence }
    return ok({
      value: { sink: sinkId, fromSequence },
      set: { sequence: fromSequence - 1 },
      statements: [],
      event: organizationEvent(id, 'audit.replay', event),
    })
  })
}

/**
 * Lets a sink go on that was paused, where it stood.
 *
 * Refusals: as {@link replaySink}.
 */
export function resumeSink(
  seatgate: Seatgate,
  scope: OrganizationScope,
  sinkId: string,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string }>> {
  const operation = { name: 'audit.sink_resume', input: null, options }
  return change(seatgate, scope, sinkId, operation, (id) =>
    ok({
      value: { sink: sinkId },
      set: {},
      statements: [],
      event: organizationEvent(id, 'audit.sink_resume', { sink: sinkId }),
    })
  )
}

/**
 * Puts dead letters back, to be tried once more: that of `{ sequence }`, or all (of an `action`). With
 * `dryRun` they are only counted; more than 10,000 need `force`.
 *
 * Refusals: as {@link replaySink}; `not_found`, `not_dead` and `already_replayed` of the one that is
 * named; `too_many`.
 *
 * @example
 * ```ts
 * await requeueDeadLetters(seatgate, scope, 'webhook', { action: 'organization.rename' })
 * ```
 */
export async function requeueDeadLetters(
  seatgate: Seatgate,
  scope: OrganizationScope,
  sinkId: string,
  input: unknown,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string; readonly events: number }>> {
  const { db } = seatgate
  const parsed = parseInput(Requeue, input)
  const { sequence: named, action, dryRun, force } = parsed.ok ? parsed.value : ({} as never)
  const ofSink = and(
    eq(sinkDeadLetters.organizationId, organizationIdOf(scope.organization)),
    eq(sinkDeadLetters.sinkId, sinkId)
  )
  const chosen = and(
    named === undefined ? undefined : eq(sinkDeadLetters.sequence, named),
    action === undefined ? undefined : eq(sinkDeadLetters.action, action),
    eq(sinkDeadLetters.state, 'dead')
  )
  const queries = {
    counted: db
      .select({ events: sql<number>`count(*)`.as('events') })
      .from(sinkDeadLetters)
      .where(and(ofSink, chosen)),
    letter: db
      .select({ state: sinkDeadLetters.state, one: sql`1`.as('one') })
      .from(sinkDeadLetters)
      .where(and(ofSink, eq(sinkDeadLetters.sequence, named ?? 0))),
  }
  const operation = { name: 'audit.requeue', input, options, queries }
  return change(seatgate, scope, sinkId, operation, (id, { head }, now, rows) => {
    if (!parsed.ok) return parsed
    const events = Number(rows['counted']?.[0]?.['events'] ?? 0)
    if (named !== undefined && events === 0) {
      const state = rows['letter']?.[0]?.['state']
      if (named > head) return refused({ code: 'not_found' })
      return refused({ code: state === undefined ? 'not_dead' : 'already_replayed' })
    }
    const value = { sink: sinkId, events }
    if (dryRun || events === 0) return ok({ value, set: null, statements: [], event: null })
    if (events > MOST_AT_ONCE && !force) return refused({ code: 'too_many' })
    const event = { sink: sinkId, events, ...(named !== undefined && { sequence: named }) }
    return ok({
      value,
      set: null,
      statements: [
        db
          .update(sinkDeadLetters)
          .set({ state: 'queued', updatedAt: now })
          .where(
            and(eq(sinkDeadLetters.organizationId, id), eq(sinkDeadLetters.sinkId, sinkId), chosen)
          ),
      ],
      event: organizationEvent(id, 'audit.requeue', event),
    })
  })
}

interface Change<T> {
  readonly value: T
  /** What becomes of the cursor; null leaves it alone. */
  readonly set: { readonly sequence?: number } | null
  readonly statements: readonly Statement[]
  /** Null: nothing is done, and nothing is on record. */
  readonly event: EventDraft | null
}

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[] | undefined>>

function change<T>(
  seatgate: Seatgate,
  scope: OrganizationScope,
  sinkId: string,
  operation: {
    readonly name: string
    readonly input: unknown
    readonly options: OperationOptions
    readonly queries?: Readonly<Record<string, Statement>>
  },
  decide: (id: string, extent: Extent, now: Date, rows: Rows) => Result<Change<T>>
): Promise<Result<T>> {
  const { name, input, options, queries } = operation
  return perform(
    seatgate,
    scope,
    {
      name,
      input: [sinkId, input],
      grows: false,
      queries: { ...queries, extent: extentIn(seatgate, scope) },
      plan(found, _caller, now) {
        const keeper = keeperOf(seatgate, found)
        if (!keeper.ok) return keeper
        const sink = sinkNamed(seatgate, sinkId)
        if (!sink.ok) return sink
        const organizationId = keeper.value
        const rows = found.rows as unknown as Rows
        const decided = decide(organizationId, found.rows.extent[0] ?? NOTHING, now, rows)
        if (!decided.ok) return decided
        const { value, set, statements, event } = decided.value
        if (event === null) return ok({ value, statements: [], events: [] })
        return ok({
          value,
          statements: [
            guardLive(seatgate, organizationId),
            ...(set === null ? [] : moveCursor(seatgate, organizationId, sinkId, set, now)),
            ...statements,
          ],
          events: [event],
        })
      },
    },
    options
  )
}

// What is under way would move the cursor back to where it thinks it stands.
function moveCursor(
  { db }: Seatgate,
  organizationId: string,
  sinkId: string,
  set: { readonly sequence?: number },
  now: Date
): Statement[] {
  const place = and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
  const idle = sql`not exists (select 1 from sink_cursors where ${place}
    and ${gt(sinkCursors.leasedUntil, now)})`
  return [
    guard(db, 'operation_in_progress', idle),
    db
      .update(sinkCursors)
      .set({
        ...set,
        attempts: 0,
        nextAttemptAt: new Date(0),
        failingSince: null,
        pausedReason: null,
      })
      .where(place),
  ]
}
