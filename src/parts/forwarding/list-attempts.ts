import { and, asc, between, eq, gt, gte, or } from 'drizzle-orm'
import * as v from 'valibot'
import { sinkAttempts, type PassedOver } from '../../database/schema.ts'
import { parseInput } from '../../base/input.ts'
import { wholeNumber } from '../../base/number-input.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { find } from '../../engine/access/authorize.ts'
import { parsePage, toPage, type Page, type PageInput } from '../../base/page.ts'
import type { AccessRefusal, PageRefusal } from '../../base/refusal.ts'
import { ok, type Result } from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import { EVENTS_PER_READ } from '../../engine/delivery/cursor.ts'
import { keeperOfSink, type SinkStatusContext } from './sink-status.ts'

/** What was tried for the events from one to another, but for those that the sink does not take. */
export interface AttemptView {
  /** Names the attempt: a replay is another one. */
  readonly id: number
  readonly firstSequence: number
  readonly lastSequence: number
  /** All but `retry` and `paused` is final; `skipped` are events that were not there any more. */
  readonly outcome: 'delivered' | 'passed' | 'skipped' | 'retry' | 'paused' | 'dead'
  readonly reason: string | null
  /** Which attempt it was; 0 where nothing was sent. */
  readonly attempt: number
  /** What the sink does not take, and why. */
  readonly passed: readonly PassedOver[]
  readonly attemptedAt: string
  readonly milliseconds: number
}

/** What is asked for: a page, or what was tried for one event. */
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
 * Lists what was tried for a sink, in the order of the events, and for one event in the order in which
 * it was tried; with `sequence`, of that event alone. Nobody can change it.
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
export async function listAttempts(
  seatgate: SinkStatusContext,
  scope: OrganizationScope,
  sinkId: string,
  input: AttemptInput = {}
): Promise<Result<Page<AttemptView>, ListAttemptsRefusal>> {
  const { db } = seatgate
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
  const keeper = keeperOfSink(seatgate, found, sinkId)
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
}

// No attempt is about more events than are read at once, so that nothing older need be looked at.
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
