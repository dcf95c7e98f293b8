import * as v from 'valibot'
import { parseInput } from '../../base/input.ts'
import type { OperationOptions } from '../../engine/changes/operation.ts'
import {
  invalid,
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

const Replay = v.object({ fromSequence: sequence }, 'Must be an object.')

/** The input of {@link replaySink}: the first event to forward again. */
export interface ReplayInput {
  readonly fromSequence: number
}

/** Why {@link replaySink} refuses. */
export type ReplaySinkRefusal =
  | AccessRefusal
  | InputRefusal
  | StoreRefusal
  | 'not_found'
  | 'before_horizon'

/**
 * Sends every event from `{ fromSequence }` on to a sink again, in order and under the same ids. A paused
 * sink is resumed. Refused with `operation_in_progress` during a delivery.
 *
 * Refusals: `AccessRefusal`, `InputRefusal`, `StoreRefusal`, `not_found` (there is no such sink),
 * `before_horizon`.
 *
 * @example
 * ```ts
 * await replaySink(seatgate, { caller: { userId, operator: true }, organization }, 'webhook', { fromSequence: 1 })
 * ```
 */
export function replaySink(
  context: SinkChangeContext,
  scope: OrganizationScope,
  sinkId: string,
  input: ReplayInput,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string; readonly fromSequence: number }, ReplaySinkRefusal>> {
  const parsed = parseInput(Replay, input)
  return changeSink(
    context,
    scope,
    sinkId,
    { name: 'audit.replay', input, options },
    (id, { head, horizon }) => {
      if (!parsed.ok) return parsed
      const { fromSequence } = parsed.value
      if (fromSequence > head + 1) {
        return refused(invalid({ fromSequence: [`Must be at most ${head + 1}.`] }))
      }
      if (fromSequence <= horizon) return refused({ code: 'before_horizon', horizon })
      const event = { sink: sinkId, from_sequence: fromSequence }
      return ok({
        value: { sink: sinkId, fromSequence },
        set: { sequence: fromSequence - 1 },
        statements: [],
        event: trailEvent(id, 'audit.replay', event),
      })
    }
  )
}

/** Why {@link resumeSink} refuses. */
export type ResumeSinkRefusal = AccessRefusal | StoreRefusal | 'not_found'

/**
 * Resumes a paused sink at its cursor.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found` (there is no such sink).
 *
 * @example
 * ```ts
 * await resumeSink(seatgate, { caller, organization: 'acme' }, 'siem')
 * ```
 */
export function resumeSink(
  context: SinkChangeContext,
  scope: OrganizationScope,
  sinkId: string,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string }, ResumeSinkRefusal>> {
  const operation = { name: 'audit.sink_resume', input: null, options }
  return changeSink(context, scope, sinkId, operation, (id) =>
    ok({
      value: { sink: sinkId },
      set: {},
      statements: [],
      event: trailEvent(id, 'audit.sink_resume', { sink: sinkId }),
    })
  )
}

/** Why {@link pauseSink} refuses. */
export type PauseSinkRefusal = AccessRefusal | StoreRefusal | 'not_found'

// The `pausedReason` of a sink that was paused by an operation.
const BY_HAND = 'by hand'

/**
 * Pauses a sink at its cursor: it receives no event until {@link resumeSink} or {@link replaySink}, and
 * misses no event. Retention waits for it, as for any sink that is behind. Refused with `operation_in_progress`
 * during a delivery.
 *
 * Refusals: `AccessRefusal`, `StoreRefusal`, `not_found` (there is no such sink).
 *
 * @example
 * ```ts
 * await pauseSink(seatgate, { caller: { userId, operator: true }, organization }, 'webhook')
 * ```
 */
export function pauseSink(
  context: SinkChangeContext,
  scope: OrganizationScope,
  sinkId: string,
  options: OperationOptions = {}
): Promise<Result<{ readonly sink: string }, PauseSinkRefusal>> {
  const operation = { name: 'audit.sink_pause', input: null, options }
  return changeSink(context, scope, sinkId, operation, (id) =>
    ok({
      value: { sink: sinkId },
      set: { pausedReason: BY_HAND },
      statements: [],
      event: trailEvent(id, 'audit.sink_pause', { sink: sinkId }),
    })
  )
}
