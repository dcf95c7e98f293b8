import { organizationEvent, type EventDraft } from '../../engine/audit/event.ts'

/**
 * The record of a pointer that moved, for the trail of the organization it moved to. One that was
 * cleared, or had to move because its organization was gone for this person, is on record there.
 */
export function pointerMoved(
  action: 'organization.active_switched' | 'organization.active_auto_reassigned',
  from: string | null,
  to: string | null,
  leftOut = 0
): readonly EventDraft[] {
  const organizationId = action === 'organization.active_switched' ? (to ?? from) : from
  if (organizationId === null || from === to) return []
  if (action === 'organization.active_auto_reassigned') {
    return [organizationEvent(organizationId, action, { from, to })]
  }
  const counted = leftOut > 0 ? { left_out: leftOut } : {}
  return [organizationEvent(organizationId, action, { from, to, ...counted })]
}
