import { and, eq, sql } from 'drizzle-orm'
import * as v from 'valibot'
import { sinkDeadLetters } from '../../database/schema/forwarding-tables.ts'
import { parseInput } from '../../base/input.ts'
import type { OperationOptions } from '../../engine/changes/operation.ts'
import { partOf } from '../../engine/changes/part.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { changeSink, sequence, type SinkChangeContext } from './admin.ts'
import { trailEvent } from '../../engine/audit/part-actions.ts'
import { LetterFilters, matchingLetters, type DeadLetterFilters } from './sink-status.ts'

const Requeue = v.object(
  {
    ...LetterFilters.entries,
    sequence: v.optional(sequence),
    dryRun: v.optional(v.boolean('Must be true or false.'), false),
    force: v.optional(v.boolean('Must be true or false.'), false),
  },
  'Must be an object.'
)

const MOST_AT_ONCE = 10_000

/** The input of {@link requeueDeadLetters}: without filters it selects all dead letters of the sink. */
export interface RequeueInput extends DeadLetterFilters {
  /** The sequence of the event of one dead letter. */
  readonly sequence?: number | undefined
  /** Counts the dead letters without changing them. Default false. */
  readonly dryRun?: boolean | undefined
  /** Allows more than 10,000. Default false. */
  readonly force?: boolean | undefined
}

/** Why {@link requeueDeadLetters} refuses. */
export type RequeueDeadLettersRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'not_dead'
  | 'already_replayed'
  | 'too_many'

/**
 * Queues dead letters to be tried again: that of `{ sequence }`, or all, or those of an `action` and of a
 * time (`from`, `to`: when they were first given up, both included). With `dryRun` they are only counted;
 * more than 10,000 need `force`.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found` (there is no such sink, or no
 * event of the sequence that is named), `not_dead` (of the event that is named), `already_replayed` (of the
 * event that is named), `too_many`.
 *
 * @example
 * ```ts
 * await requeueDeadLetters(seatgate, scope, 'webhook', { from: outageBegan, to: outageEnded })
 * ```
 */
export async function requeueDeadLetters(
  context: SinkChangeContext,
  scope: OrganizationScope,
  sinkId: string,
  input: RequeueInput,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string; readonly events: number }, RequeueDeadLettersRefusal>> {
  const { db } = context
  partOf(context, 'forwarding')
  const parsed = parseInput(Requeue, input)
  const { sequence: named, dryRun, force, ...filters } = parsed.ok ? parsed.value : ({} as never)
  const ofSink = and(
    eq(sinkDeadLetters.organizationId, organizationIdOf(scope.organization)),
    eq(sinkDeadLetters.sinkId, sinkId)
  )
  const chosen = and(
    named === undefined ? undefined : eq(sinkDeadLetters.sequence, named),
    matchingLetters(filters),
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
  return changeSink(context, scope, sinkId, operation, (id, { head }, now, rows) => {
    if (!parsed.ok) return parsed
    const events = Number(rows['counted']?.[0]?.['events'] ?? 0)
    if (named !== undefined && events === 0) {
      const state = rows['letter']?.[0]?.['state']
      if (named > head || state === 'dead') return refused({ code: 'not_found' })
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
      event: trailEvent(id, 'audit.requeue', event),
    })
  })
}
