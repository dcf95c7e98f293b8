import { sql } from 'drizzle-orm'
import { organizationEvent } from '../audit/event.ts'
import { markWaiting, recordEventsWhere, writtenBy } from '../audit/record-events.ts'
import { inBackground } from '../../base/async.ts'
import { batch } from '../../database/batch.ts'
import type { Refusal } from '../../base/refusal.ts'
import { WINDOW_MS } from '../seats/refusal-counter.ts'
import type { ChangeContext } from './change-context.ts'
import { contextOf, type Occasion } from './change-context.ts'
import { tellCommitted } from './listeners.ts'

/**
 * Records that a limit was reached, the first time and then once per window, with the number of refusals
 * since. It does not delay the response if the host keeps work alive.
 */
export async function tellRefusal(
  seatgate: ChangeContext,
  occasion: Occasion,
  organizationId: string | null,
  refusal: Refusal
): Promise<void> {
  if (organizationId === null || refusal.code !== 'seat_limit_reached') return
  const { limit, used } = refusal
  const window = Math.floor(occasion.now.getTime() / WINDOW_MS)
  const refusals = seatgate.refusals.count(organizationId, window)
  if (refusals === 0) return
  const record = async () => {
    let written = false
    try {
      const told = { refusals, used, limit }
      written = await recordReached(seatgate, occasion, organizationId, window, told)
    } finally {
      if (!written) seatgate.refusals.putBack(organizationId, window, refusals)
    }
  }
  await inBackground(seatgate, organizationId, [record])
}

// The key identifies the window: of many isolates that count, one records its number.
async function recordReached(
  seatgate: ChangeContext,
  occasion: Occasion,
  organizationId: string,
  window: number,
  metadata: { readonly refusals: number; readonly used: number; readonly limit: number }
): Promise<boolean> {
  const { db, measure } = seatgate
  const idempotencyKey = `seat.limit_reached:${window}`
  const event = {
    ...organizationEvent(organizationId, 'seat.limit_reached', metadata),
    outcome: 'failure',
    idempotencyKey,
  } as const
  const isFirst = sql`not exists (select 1 from seatgate_audit_events
    where organization_id = ${organizationId} and idempotency_key = ${idempotencyKey})
    and exists (select 1 from seatgate_organizations where id = ${organizationId})`
  const [recording] = recordEventsWhere(seatgate, contextOf(occasion), [event], () => isFirst)
  const mark = markWaiting(seatgate, event, occasion.now)
  const { reached } = await batch(db, {
    ...(recording && { reached: recording }),
    ...mark,
  })
  const events = writtenBy(reached)
  for (const told of events) measure({ name: 'audit.recorded', ...told })
  if (events.length > 0) {
    const markedIds = mark.marked ? [organizationId] : []
    const organizationIds = [organizationId]
    await tellCommitted(seatgate, { organizationIds, markedIds, events, freedSeats: [] })
  }
  return events.length > 0
}
