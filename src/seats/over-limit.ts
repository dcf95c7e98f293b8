import { sql } from 'drizzle-orm'
import { organizationEvent, type EventDraft } from '../audit/event.ts'
import { recordEventWhere, type EventContext } from '../audit/statements.ts'
import { ACTIONS, isLibraryAction } from '../audit/actions.ts'
import type { Statement } from '../database/database.ts'
import type { Seatgate } from '../seatgate.ts'
import { isMarkedOver, isOver } from './standing.ts'

/**
 * Builds what tells that an organization has come over its limit with these events, or is within it
 * again. Only a limit that is lowered leads over it, and whatever frees a seat may lead back: where
 * nobody is over, that is two rows to read. What expires by the clock shows with the next change.
 */
export function turnsOf(
  seatgate: Seatgate,
  context: EventContext,
  drafts: readonly EventDraft[]
): readonly Statement[] {
  const { seatContext } = seatgate
  const { now } = context
  const touched = new Map<string, boolean>()
  for (const { organizationId, action } of drafts) {
    if (!isLibraryAction(action) || !ACTIONS[action].changesSeats) continue
    const relimited = action === 'seat.limit_changed'
    touched.set(organizationId, relimited || (touched.get(organizationId) ?? false))
  }
  return [...touched].flatMap(([id, relimited]) => {
    const marked = isMarkedOver(id)
    const over = isOver(seatContext, id, now)
    // Nobody counts who need not: a CASE is evaluated no further than it has to be.
    const entered = sql`case when ${marked} then 0 else ${over} end`
    const cleared = sql`case when ${marked} then not (${over}) else 0 end`
    const write = (action: 'seat.over_limit_entered' | 'seat.over_limit_cleared') =>
      recordEventWhere(
        seatgate,
        context,
        organizationEvent(id, action),
        action === 'seat.over_limit_entered' ? entered : cleared
      )
    return [
      ...(relimited ? [write('seat.over_limit_entered')] : []),
      write('seat.over_limit_cleared'),
    ]
  })
}
