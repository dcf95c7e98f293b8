import { and, eq, isNull } from 'drizzle-orm'
import * as v from 'valibot'
import { batch } from '../../database/batch.ts'
import { organizationEvent } from '../../engine/audit/event.ts'
import type { DatabaseContext } from '../../database/database.ts'
import { auditPurges } from '../../database/schema.ts'
import { parseInput } from '../../base/input.ts'
import { Instant } from '../../base/instant-input.ts'
import { perform } from '../../engine/changes/operation.ts'
import { unchanged } from '../../engine/model/plan.ts'
import type { InputRefusal, StoreRefusal } from '../../base/refusal.ts'
import { ok, refused, type Result } from '../../base/result.ts'
import type { Runtime } from '../../base/runtime.ts'
import { isOperator, isSystem, type OrganizationScope } from '../../engine/access/principal.ts'
import { beginningOf, beginningQueries, EVENTS_PER_RUN } from './purge-beginning.ts'
import { planPurge } from './purge-plan.ts'
import type { RetentionContext } from './retention-windows.ts'
import { purgeStatements } from './purge-statements.ts'

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
  /** What prevents purging more: `legal_hold`, `checkpoint`, or the ids of sinks. */
  readonly waitsFor: readonly string[]
}

/** Why {@link purgeAuditEvents} refuses. */
export type PurgeAuditEventsRefusal =
  | 'unauthenticated'
  | 'insufficient_role'
  | InputRefusal
  | StoreRefusal

/**
 * Purges the beginning of an organization's trail that is past its window: at most 1,000 events with
 * their personal parts and dead letters. A legal hold and the last checkpoint are never passed; a
 * required sink that has not settled an event is passed only with `force`. Each run is recorded as
 * `audit.purge_run` or `audit.forced_purge`. Without a window no event is purged. Identify the
 * organization by its id, even if it is deleted; `system` for the platform's own events. For the host
 * itself and its operators.
 *
 * Refusals: `unauthenticated`, `insufficient_role`, `InputRefusal`, `StoreRefusal`.
 *
 * @example
 * ```ts
 * const scope = { caller: { type: 'system' }, organization: organizationId } as const
 * const would = await purgeAuditEvents(seatgate, scope, { dryRun: true })
 * ```
 */
export async function purgeAuditEvents(
  seatgate: RetentionContext,
  { organization: organizationId, ...scope }: OrganizationScope,
  input: PurgeInput = {}
): Promise<Result<PurgeRun, PurgeAuditEventsRefusal>> {
  const { retention, now } = seatgate
  const began = now()
  const parsed = parseInput(Request, input)
  const done = await perform(seatgate, scope, {
    name: 'audit.purge_run',
    input: organizationId,
    grows: false,
    refusals: [],
    queries: beginningQueries(seatgate, organizationId),
    plan({ rows }, by) {
      if (!isOperator(by) && !isSystem(by)) return refused({ code: 'insufficient_role' })
      if (!parsed.ok) return parsed
      const { dryRun } = parsed.value
      const purge = planPurge(
        retention,
        organizationId,
        beginningOf(seatgate, rows),
        parsed.value,
        began
      )
      const { firstSequence, lastSequence, forced, unsettled, waitsFor } = purge
      const events = lastSequence - firstSequence + 1
      const more = events === EVENTS_PER_RUN
      const value = { organizationId, horizon: lastSequence, events, more, waitsFor }
      if (dryRun || events === 0) return ok(unchanged(value))
      const action = forced ? 'audit.forced_purge' : 'audit.purge_run'
      return ok({
        value,
        statements: purgeStatements(seatgate, purge, {
          organizationId,
          startedAt: began,
          more,
        }),
        events: [
          organizationEvent(organizationId, action, {
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
  if (went) await finish(seatgate, done.value, now().getTime() - began.getTime())
  return done
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
