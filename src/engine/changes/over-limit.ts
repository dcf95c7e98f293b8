import { sql, type SQL } from 'drizzle-orm'
import { organizationEvent, type EventDraft } from '../audit/event.ts'
import { recordEventsWhere, type EventContext, type TrailContext } from '../audit/record-events.ts'
import { ACTIONS, isLibraryAction } from '../audit/actions.ts'
import type { Statement } from '../../database/database.ts'
import type { ProviderContext } from '../seats/provider.ts'
import { isMarkedOver, isOver } from '../seats/over-limit-marks.ts'

/**
 * Builds the statements that record that an organization has exceeded its limit with these events, or is
 * within it again. Only a lower limit leads over it, and every freed seat may lead back: in an
 * organization within its limit that costs two rows to read. An expiry is recorded with the next change.
 */
export function turnsOf(
  seatgate: Pick<TrailContext, 'db' | 'newId' | 'withSeatCount'> &
    Pick<ProviderContext, 'seatContext'>,
  context: EventContext,
  drafts: readonly EventDraft[]
): readonly Statement[] {
  const { seatContext } = seatgate
  const { now } = context
  const touched = new Set<string>()
  const relimited = new Set<string>()
  for (const { organizationId, action } of drafts) {
    if (!isLibraryAction(action) || !ACTIONS[action].changesSeats) continue
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
    ...recordEventsWhere(seatgate, context, about('seat.over_limit_entered', relimited), entered),
    ...recordEventsWhere(seatgate, context, about('seat.over_limit_cleared', touched), cleared),
  ]
}
