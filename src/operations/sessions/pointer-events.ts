import { organizationEvent, type EventDraft } from '../../engine/audit/event.ts'

/**
 * Creates the event of a moved pointer, for the trail of the organization that it moved to. A pointer
 * that was cleared, or moved because the organization was no longer accessible, is recorded in the trail
 * of the former one.
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
