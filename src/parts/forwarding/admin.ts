/**
 * Changes of a sink by those who administer it: each is decided on the current rows, and recorded.
 *
 * @module
 */
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import { partOf } from '../../engine/changes/part.ts'
import { and, eq, sql } from 'drizzle-orm'
import { guard } from '../../database/commit.ts'
import type { Statement, DatabaseContext } from '../../database/database.ts'
import { sinkCursors } from '../../database/schema/forwarding-tables.ts'
import { jsonNumber } from '../../base/input.ts'
import { guardAccess } from '../../engine/access/access-guards.ts'
import { perform, type OperationOptions } from '../../engine/changes/operation.ts'
import { NOTHING, type Extent } from '../../engine/audit/trail-extent.ts'
import {
  ok,
  type AccessRefusal,
  type RefusalCode,
  type Result,
  type StoreRefusal,
} from '../../base/result.ts'
import type { Plan } from '../../engine/model/plan.ts'
import type { OrganizationScope } from '../../engine/access/principal.ts'
import type { EventDraft } from '../../engine/audit/event.ts'
import { isFree } from '../../engine/delivery/attempt.ts'
import { extentIn } from '../../engine/model/trail-access.ts'
import type { ForwardingContext } from './forwarding.ts'
import { keeperOfSink } from './sink-status.ts'

/** A sequence of an input. */
export const sequence = jsonNumber({ min: 1 })

/** A change of a cursor. The sink is tried again at once, unless it is paused. */
interface CursorChange {
  readonly sequence?: number
  readonly pausedReason?: string
}

/** A decision. */
export interface Change<T> {
  readonly value: T
  /** The new cursor; null leaves it unchanged. */
  readonly set: CursorChange | null
  readonly statements: readonly Statement[]
  /** The event of the change; null if the decision changes no row. */
  readonly event: EventDraft | null
}

/** The context of a change of a sink. */
export interface SinkChangeContext extends ChangeContext, ForwardingContext {}

type Rows = Readonly<Record<string, readonly Readonly<Record<string, unknown>>[] | undefined>>

type ChangeSinkRefusal = AccessRefusal | StoreRefusal | 'not_found'

/** Changes a sink, for those who may administer it. */
export function changeSink<T, Code extends RefusalCode = never>(
  context: SinkChangeContext,
  scope: OrganizationScope,
  sinkId: string,
  operation: {
    readonly name: string
    readonly input: unknown
    readonly options: OperationOptions
    readonly queries?: Readonly<Record<string, Statement>>
  },
  decide: (id: string, extent: Extent, now: Date, rows: Rows) => Result<Change<T>, Code>
): Promise<Result<T, Code | ChangeSinkRefusal>> {
  const { name, input, options, queries } = operation
  partOf(context, 'forwarding')
  return perform(
    context,
    scope,
    {
      name,
      input: [sinkId, input],
      grows: false,
      refusals: [],
      queries: { ...queries, extent: extentIn(context, scope) },
      plan(found, _caller, now): Result<Plan<T>, Code | AccessRefusal | 'not_found'> {
        const keeper = keeperOfSink(context, found, sinkId)
        if (!keeper.ok) return keeper
        const organizationId = keeper.value.organization.id
        const rows = found.rows as unknown as Rows
        const decided = decide(organizationId, found.rows.extent[0] ?? NOTHING, now, rows)
        if (!decided.ok) return decided
        const { value, set, statements, event } = decided.value
        if (event === null) return ok({ value, statements: [], events: [] })
        return ok({
          value,
          statements: [
            guardAccess(context, keeper.value),
            ...(set === null ? [] : moveCursor(context, organizationId, sinkId, set, now)),
            ...statements,
          ],
          events: [{ ...event, wakesConsumers: true }],
        })
      },
    },
    options
  )
}

// A delivery in progress would move the cursor back to its own position.
function moveCursor(
  { db }: DatabaseContext,
  organizationId: string,
  sinkId: string,
  set: CursorChange,
  now: Date
): Statement[] {
  const place = and(eq(sinkCursors.organizationId, organizationId), eq(sinkCursors.sinkId, sinkId))
  const idle = sql`not exists (select 1 from seatgate_sink_cursors where ${place}
    and not ${isFree(now)})`
  const untried = { attempts: 0, nextAttemptAt: new Date(0), failingSince: null }
  const moved = { pausedReason: null, ...untried, ...set }
  return [
    guard(db, 'operation_in_progress', idle),
    db
      .insert(sinkCursors)
      .values({ organizationId, sinkId, leasedUntil: new Date(0), ...moved })
      .onConflictDoUpdate({
        target: [sinkCursors.organizationId, sinkCursors.sinkId],
        set: moved,
      }),
  ]
}
