import { observed } from '../../engine/access/observed.ts'
import { and, asc, between, eq, gt, gte, or } from 'drizzle-orm'
import * as v from 'valibot'
import { sinkAttempts, type PassedOver } from '../../database/schema/forwarding-tables.ts'
import { parseInput, wholeNumber } from '../../base/input.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { find } from '../../engine/access/authorize.ts'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import { ok, type AccessRefusal, type PageRefusal, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { EVENTS_PER_READ } from '../../engine/delivery/cursor.ts'
import { partOf } from '../../engine/changes/part.ts'
import { keeperOfSink, type SinkStatusContext } from './sink-status.ts'

/** An attempt: the outcome of a range of events, without those that the sink does not take. */
export interface AttemptView {
  /** The id of the attempt; a replay gets another one. */
  readonly id: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** All outcomes but `retry` and `paused` are final; `skipped` events were purged before their turn. */
  readonly outcome: 'delivered' | 'passed' | 'skipped' | 'retry' | 'paused' | 'dead'
  readonly reason: string | null
  /** The number of the attempt; 0 if no request was sent. */
  readonly attempt: number
  /** The events that the sink does not take, with the reason. */
  readonly passed: readonly PassedOver[]
  readonly attemptedAt: string
  readonly milliseconds: number
}

/** A request for a page of attempts, or for those of one event. */
export interface AttemptInput extends PageInput {
  readonly sequence?: number | string | undefined
}

const Event = v.object({
  sequence: v.optional(wholeNumber({ min: 1 })),
})
const integer = v.pipe(v.number(), v.safeInteger())
const Place = v.strictTuple([integer, integer, v.literal('attempts')])

/** Why {@link listAttempts} refuses. */
export type ListAttemptsRefusal = AccessRefusal | PageRefusal | 'not_found'

/**
 * Lists the attempts of a sink in the order of their events, those of one event in the order of time.
 * With `sequence`, lists the attempts of that event only. The history cannot be changed.
 *
 * Refusals: `AccessRefusal`, `PageRefusal`, `not_found` (there is no such sink).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const tried = await listAttempts(seatgate, scope, 'webhook', { sequence: 7 })
 * ```
 */
export function listAttempts(
  context: SinkStatusContext,
  scope: OrganizationScope,
  sinkId: string,
  input: AttemptInput = {}
): Promise<Result<Page<AttemptView>, ListAttemptsRefusal>> {
  return observed(context, 'audit.attempt_list', async (context) => {
    const { db } = context
    partOf(context, 'forwarding')
    const asked = parseInput(Event, input)
    const request = parsePage(input, Place, Object.keys(Event.entries))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const sequence = asked.ok ? asked.value.sequence : undefined
    const found = await find(db, scope, {
      attempts: db
        .select()
        .from(sinkAttempts)
        .where(
          and(
            eq(sinkAttempts.organizationId, organizationIdOf(scope.organization)),
            eq(sinkAttempts.sinkId, sinkId),
            sequence === undefined ? undefined : isAbout(sequence),
            after ? isBehind(after[0], after[1]) : undefined
          )
        )
        .orderBy(asc(sinkAttempts.firstSequence), asc(sinkAttempts.id))
        .limit(limit + 1),
    })
    const keeper = keeperOfSink(context, found, sinkId)
    if (!keeper.ok) return keeper
    if (!asked.ok) return asked
    if (!request.ok) return request
    const view = ({
      organizationId: _organizationId,
      sinkId: _sinkId,
      attemptedAt,
      ...row
    }: typeof sinkAttempts.$inferSelect): AttemptView => ({
      ...row,
      attemptedAt: attemptedAt.toISOString(),
    })
    const place = (row: typeof sinkAttempts.$inferSelect) =>
      [row.firstSequence, row.id, 'attempts'] as const
    return ok(toPage(found.rows.attempts, limit, view, place))
  })
}

// An attempt covers no more events than are read at a time, so older rows need no check.
function isAbout(sequence: number) {
  return and(
    between(sinkAttempts.firstSequence, sequence - EVENTS_PER_READ + 1, sequence),
    gte(sinkAttempts.lastSequence, sequence)
  )
}

function isBehind(sequence: number, id: number) {
  return or(
    gt(sinkAttempts.firstSequence, sequence),
    and(eq(sinkAttempts.firstSequence, sequence), gt(sinkAttempts.id, id))
  )
}
