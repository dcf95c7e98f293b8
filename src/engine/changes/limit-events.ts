import { sql, type SQL } from 'drizzle-orm'
import { changesSeats, organizationEvent, type EventDraft } from '../audit/event.ts'
import { recordEventsWhere, writtenBy, type EventContext } from '../audit/record-events.ts'
import { markWaiting } from '../audit/consumers.ts'
import { inBackground } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import type { Refusal } from '../../base/result.ts'
import {
  contextOf,
  notifyCommitted,
  trailOf,
  type ChangeContext,
  type ChangeInfo,
} from './change-context.ts'
import type { Statement } from '../../database/database.ts'
import { isMarkedOver, isOver } from '../seats/counts.ts'
import { poolOf } from '../../base/seat-types.ts'

// For how long refusals are counted before the next event.
const WINDOW_MS = 10 * 60_000
const MOST_POOLS = 10_000

/**
 * Records that a limit was reached, the first time and then once per window, with the number of refusals
 * since: a rush writes one event per window instead of one per refusal. Counts that an isolate has not
 * written when it ends are lost. It does not delay the response if the host keeps work alive.
 */
export async function recordRefusal(
  context: ChangeContext,
  info: ChangeInfo,
  organizationId: string | null,
  refusal: Refusal
): Promise<void> {
  if (organizationId === null || refusal.code !== 'seat_limit_reached') return
  const { limit, used, seatType = null } = refusal
  const window = Math.floor(info.now.getTime() / WINDOW_MS)
  const pool = poolOf(organizationId, seatType)
  const last = context.refusals.get(pool)
  const refusals = (last?.refusals ?? 0) + 1
  if (last?.window === window) return keepCount(context, pool, { window, refusals })
  keepCount(context, pool, { window, refusals: 0 })
  const record = async () => {
    let written = false
    try {
      const told = { refusals, used, limit, ...(seatType !== null && { seat_type: seatType }) }
      written = await recordReached(context, info, organizationId, window, told)
    } finally {
      // Another writer has recorded an event in this window.
      if (!written) {
        const later = context.refusals.get(pool)?.refusals ?? 0
        keepCount(context, pool, { window, refusals: later + refusals })
      }
    }
  }
  await inBackground(context, organizationId, [record])
}

// The pool with the oldest refusal is forgotten first.
function keepCount(
  { refusals }: Pick<ChangeContext, 'refusals'>,
  pool: string,
  count: { readonly window: number; readonly refusals: number }
): void {
  refusals.delete(pool)
  refusals.set(pool, count)
  const [oldest] = refusals.keys()
  if (refusals.size > MOST_POOLS && oldest !== undefined) refusals.delete(oldest)
}

// The key identifies the window: of many isolates that count, one records its number.
async function recordReached(
  context: ChangeContext,
  info: ChangeInfo,
  organizationId: string,
  window: number,
  metadata: {
    readonly refusals: number
    readonly used: number
    readonly limit: number
    readonly seat_type?: string
  }
): Promise<boolean> {
  const { db, measure } = context
  const ofType = metadata.seat_type === undefined ? '' : `:${metadata.seat_type}`
  const idempotencyKey = `seat.limit_reached:${window}${ofType}`
  const event = {
    ...organizationEvent(organizationId, 'seat.limit_reached', metadata),
    outcome: 'failure',
    idempotencyKey,
  } as const
  const isFirst = sql`not exists (select 1 from seatgate_audit_events
    where organization_id = ${organizationId} and idempotency_key = ${idempotencyKey})
    and exists (select 1 from seatgate_organizations where id = ${organizationId})`
  const [recording] = recordEventsWhere(trailOf(context), contextOf(info), [event], () => isFirst)
  const mark = markWaiting(context, event, info.now)
  const { reached } = await batch(db, {
    ...(recording && { reached: recording }),
    ...mark,
  })
  const events = writtenBy(reached)
  for (const told of events) measure({ name: 'audit.recorded', ...told })
  if (events.length > 0) {
    const markedIds = mark.marked ? [organizationId] : []
    const organizationIds = [organizationId]
    await notifyCommitted(context, { organizationIds, markedIds, events, freedSeats: [] })
  }
  return events.length > 0
}

/**
 * Builds the statements that record that an organization has exceeded its limit with these events, or is
 * within it again. Only a lower limit leads over it, and every freed seat may lead back: in an
 * organization within its limit that costs two rows to read. An expiry is recorded with the next change.
 */
export function turnsOf(
  context: ChangeContext,
  eventContext: EventContext,
  drafts: readonly EventDraft[]
): readonly Statement[] {
  const { seatContext } = context
  const { now } = eventContext
  const trail = trailOf(context)
  const touched = new Set<string>()
  const relimited = new Set<string>()
  for (const { organizationId, action } of drafts) {
    if (!changesSeats(action)) continue
    touched.add(organizationId)
    if (action === 'seat.limit_changed') relimited.add(organizationId)
  }
  // A CASE stops at the first match, so that seats are counted only if needed.
  const entered = (id: SQL<string> | string) =>
    sql`case when ${isMarkedOver(id)} then 0 else ${isOver(seatContext, id, now)} end`
  const cleared = (id: SQL<string> | string) =>
    sql`case when ${isMarkedOver(id)} then not (${isOver(seatContext, id, now)}) else 0 end`
  const about = (
    action: 'seat.over_limit_entered' | 'seat.over_limit_cleared',
    ids: ReadonlySet<string>
  ) => [...ids].map((id) => organizationEvent(id, action))
  return [
    ...recordEventsWhere(trail, eventContext, about('seat.over_limit_entered', relimited), entered),
    ...recordEventsWhere(trail, eventContext, about('seat.over_limit_cleared', touched), cleared),
  ]
}
