/**
 * Operators who act as users: every event of theirs says so, and there is none after the end.
 *
 * @module
 */
import type { Sometimes } from '../../../src/testing/index.ts'
import type { Event, Known } from './known.ts'

/** How the id of a request begins that an operator makes as a user. */
export const ACTING = 'acting '

export function wrongActor(
  { delegation: { impersonations } }: Known,
  event: Event,
  ever: ReadonlySet<string>,
  sometimes: Sometimes
): readonly string[] {
  const { action, actor_type, actor_id, effective_user_id, cause_event_id, occurred_at } = event
  const acts = actor_type === 'operator' && effective_user_id !== actor_id
  const asked = event.request_id?.startsWith(ACTING) === true
  if (action === 'organization.impersonation.started') return []
  if (!acts) {
    const isTheirs = asked && actor_type !== 'system'
    return isTheirs ? [`${action} by ${actor_id} does not say that an operator acted`] : []
  }
  if (cause_event_id === null || !ever.has(cause_event_id)) {
    return [`${action} by ${actor_id} as ${effective_user_id} has no start`]
  }
  sometimes('an operator acted as a user')
  const running = impersonations.get(cause_event_id)
  if (running === undefined) {
    // A refusal is recorded after its answer: in between it may end.
    return action === 'seat.limit_reached' ? [] : [`${action} after the end of ${cause_event_id}`]
  }
  const { user_id, operator_id, expires_at } = running
  return [
    ...(user_id !== effective_user_id || operator_id !== actor_id
      ? [
          `${action} by ${actor_id} as ${effective_user_id}, and it was ${operator_id} as ${user_id}`,
        ]
      : []),
    ...(expires_at <= occurred_at
      ? [`${action} ${occurred_at - expires_at} ms after the expiry of ${cause_event_id}`]
      : []),
  ]
}
