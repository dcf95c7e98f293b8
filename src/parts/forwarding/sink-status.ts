import { observed } from '../../engine/access/observed.ts'
import { partOf } from '../../engine/changes/part.ts'
import type { AccessContext } from '../../engine/access/roles.ts'
import { and, asc, eq, gt, gte, lte, sql, type SQL } from 'drizzle-orm'
import * as v from 'valibot'
import type { Queries } from '../../database/batch.ts'
import { sinkCursors, sinkDeadLetters } from '../../database/schema/forwarding-tables.ts'
import { parseInput, shortText } from '../../base/input.ts'
import { Instant } from '../../base/instant.ts'
import { organizationIdOf } from '../../engine/access/organization-ref.ts'
import { find, authorizeKeeper, type Found, type Keeper } from '../../engine/access/authorize.ts'
import { knownParameters } from '../../base/parameters.ts'
import { parsePage, toPage, type NoParameters, type Page, type PageInput } from '../../base/page.ts'
import {
  ok,
  refused,
  type AccessRefusal,
  type InputRefusal,
  type PageRefusal,
  type Result,
} from '../../base/result.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { Sink } from '../../engine/delivery/sink.ts'
import type { ForwardingContext } from './forwarding.ts'

/** The state of a sink in an organization. */
export interface SinkStatus {
  readonly id: string
  /** The sequence up to which every event is settled: delivered, passed over or a dead letter. */
  readonly sequence: number
  /** The organization's last sequence. */
  readonly head: number
  readonly lag: number
  /** When the first unsettled event was recorded; null if all are settled. */
  readonly oldestUndeliveredAt: string | null
  readonly deadLetters: number
  /** How often the next event has failed. */
  readonly attempts: number
  readonly nextAttemptAt: string | null
  readonly lastError: string | null
  /** Why the sink is paused until it is resumed; null if it is not paused. */
  readonly pausedReason: string | null
}

/** An event that was given up for a sink. */
export interface DeadLetterView {
  readonly sequence: number
  readonly eventId: string
  readonly action: string
  /** `queued` will be tried again; `delivered` was delivered then. */
  readonly state: 'dead' | 'queued' | 'delivered'
  readonly reason: string
  readonly attempts: number
  readonly diedAt: string
  readonly updatedAt: string
}

/** A request for a page of dead letters, with filters. */
export interface DeadLetterInput extends PageInput, DeadLetterFilters {}

/** The context of a read of sinks. */
export interface SinkStatusContext extends AccessContext, ForwardingContext {}

/** Why {@link listSinks} refuses. */
export type ListSinksRefusal = AccessRefusal | InputRefusal

/**
 * Returns the state of each sink in an organization, for those who administer its members and for
 * operators.
 *
 * Refusals: `AccessRefusal`, `InputRefusal` (there are no parameters).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const sinks = await listSinks(seatgate, { caller, organization: 'acme' })
 * ```
 */
export function listSinks(
  context: SinkStatusContext,
  scope: OrganizationScope,
  input: NoParameters = {}
): Promise<Result<Page<SinkStatus>, ListSinksRefusal>> {
  return observed(context, 'audit.sink_list', async (context) => {
    const { db } = context
    const id = organizationIdOf(scope.organization)
    const sinkIds = JSON.stringify(shown(context).map((sink) => sink.id))
    const found = await find(db, scope, {
      sinks: db
        .select({
          id: sql<string>`sinks.value`.as('id'),
          sequence: sql<number>`coalesce(held.sequence, 0)`.as('sequence'),
          attempts: sql<number>`coalesce(held.attempts, 0)`.as('attempts'),
          nextAttemptAt: sql<number>`coalesce(held.next_attempt_at, 0)`.as('next_attempt_at'),
          lastError: sql<string | null>`held.last_error`.as('last_error'),
          pausedReason: sql<string | null>`held.paused_reason`.as('paused_reason'),
          head: sql<number>`coalesce((select max(sequence) from seatgate_audit_events
          where organization_id = ${id}), 0)`.as('head'),
          oldest: sql<number | null>`(select inserted_at from seatgate_audit_events
          where organization_id = ${id} and sequence > coalesce(held.sequence, 0)
          order by sequence limit 1)`.as('oldest'),
          deadLetters: sql<number>`(select count(*) from seatgate_sink_dead_letters as letters
          where letters.organization_id = ${id} and letters.sink_id = sinks.value
          and letters.state = 'dead')`.as('dead_letters'),
        })
        .from(
          sql`json_each(${sinkIds}) as sinks left join ${sinkCursors} as held
          on held.organization_id = ${id} and held.sink_id = sinks.value`
        ),
    })
    const keeper = authorizeKeeper(context, found)
    if (!keeper.ok) return keeper
    const known = knownParameters(input, [])
    if (!known.ok) return known
    const data = found.rows.sinks.map(({ oldest, nextAttemptAt, ...row }) => ({
      ...row,
      lag: row.head - row.sequence,
      oldestUndeliveredAt: timeOf(oldest),
      nextAttemptAt: timeOf(nextAttemptAt || null),
    }))
    return ok({ data, nextCursor: null })
  })
}

const Place = v.strictTuple([v.pipe(v.number(), v.safeInteger()), v.literal('dead_letters')])

/** Why {@link listDeadLetters} refuses. */
export type ListDeadLettersRefusal = AccessRefusal | PageRefusal | 'not_found'

/**
 * Lists the dead letters of a sink, oldest first, in every state: all, or those of an `action` and of a
 * time (`from`, `to`: when they were first given up, both included).
 *
 * Refusals: `AccessRefusal`, `PageRefusal`, `not_found` (there is no such sink).
 *
 * @throws {StoreUnavailable} if D1 does not answer.
 *
 * @example
 * ```ts
 * const page = await listDeadLetters(seatgate, { caller, organization: 'acme' }, 'siem', { limit: 50 })
 * ```
 */
export function listDeadLetters(
  context: SinkStatusContext,
  scope: OrganizationScope,
  sinkId: string,
  input: DeadLetterInput = {}
): Promise<Result<Page<DeadLetterView>, ListDeadLettersRefusal>> {
  return observed(context, 'audit.dead_letter_list', async (context) => {
    const { db } = context
    partOf(context, 'forwarding')
    const asked = parseInput(LetterFilters, input)
    const request = parsePage(input, Place, Object.keys(LetterFilters.entries))
    const { limit, after } = request.ok ? request.value : { limit: 0, after: null }
    const found = await find(db, scope, {
      letters: db
        .select()
        .from(sinkDeadLetters)
        .where(
          and(
            eq(sinkDeadLetters.organizationId, organizationIdOf(scope.organization)),
            eq(sinkDeadLetters.sinkId, sinkId),
            asked.ok ? matchingLetters(asked.value) : undefined,
            after ? gt(sinkDeadLetters.sequence, after[0]) : undefined
          )
        )
        .orderBy(asc(sinkDeadLetters.sequence))
        .limit(limit + 1),
    })
    const keeper = keeperOfSink(context, found, sinkId)
    if (!keeper.ok) return keeper
    if (!asked.ok) return asked
    if (!request.ok) return request
    const view = (row: (typeof found.rows.letters)[number]): DeadLetterView => ({
      sequence: row.sequence,
      eventId: row.eventId,
      action: row.action,
      state: row.state,
      reason: row.reason,
      attempts: row.attempts,
      diedAt: row.diedAt.toISOString(),
      updatedAt: row.updatedAt.toISOString(),
    })
    const place = ({ sequence }: { readonly sequence: number }) =>
      [sequence, 'dead_letters'] as const
    return ok(toPage(found.rows.letters, limit, view, place))
  })
}

/** Returns the result of `authorizeKeeper` if the host has configured a sink of that name. */
export function keeperOfSink(
  context: Pick<SinkStatusContext, 'roles' | 'forwarding'>,
  found: Found<Queries>,
  sinkId: string
): Result<Keeper, AccessRefusal | 'not_found'> {
  const keeper = authorizeKeeper(context, found)
  if (!keeper.ok) return keeper
  const isThere = shown(context).some(({ id }) => id === sinkId)
  return isThere ? keeper : refused({ code: 'not_found' })
}

function shown(context: ForwardingContext): readonly Sink[] {
  return partOf(context, 'forwarding').sinks.filter(({ internal }) => internal !== true)
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString()
}

/** The filters of dead letters: an action, and when they were first given up, both ends included. */
export const LetterFilters = v.object(
  {
    action: v.optional(shortText()),
    from: v.optional(Instant),
    to: v.optional(Instant),
  },
  'Must be an object.'
)

/** The filters of an input. */
export type DeadLetterFilters = v.InferInput<typeof LetterFilters>

/** Builds the condition on dead letters. */
export function matchingLetters({
  action,
  from,
  to,
}: v.InferOutput<typeof LetterFilters>): SQL | undefined {
  return and(
    action === undefined ? undefined : eq(sinkDeadLetters.action, action),
    from && gte(sinkDeadLetters.diedAt, from),
    to && lte(sinkDeadLetters.diedAt, to)
  )
}
