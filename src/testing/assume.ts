import type { EventState } from './state.ts'

/** The holder of a seat that is reserved for an invitation. */
export const PROMISED = 'an invitation'

/** A map that remembers every key that was ever set, deleted ones included. */
export class Told extends Map<string, string> {
  readonly ever = new Set<string>()

  override set(key: string, value: string): this {
    // The constructor of Map calls `set` before the field is initialized.
    this.ever?.add(key)
    return super.set(key, value)
  }
}

/** The state as far as the events record it; behind a horizon most of it is unknown. */
export interface Story {
  readonly roles: Told
  readonly standing: Told
  readonly seats: Told
  readonly invitations: Told
  readonly organization: { name?: unknown; slug?: unknown; mfa?: unknown; deleted?: unknown }
}

/**
 * Assumes what an event presupposes, where no earlier event recorded it: the state at the horizon cannot
 * be checked. What was recorded before is left to be checked.
 */
export function believe(story: Story, { action, target_id, metadata }: EventState): void {
  const { roles, standing, seats, invitations, organization } = story
  const first = (told: Told, id: string, value: string) => {
    if (!told.ever.has(id)) told.set(id, value)
  }
  switch (action) {
    case 'organization.member_role_change':
      first(roles, target_id, String(metadata['old_role']))
      break
    case 'organization.ownership_transfer': {
      const from = String(metadata['from_user_id'])
      first(roles, from, 'owner')
      for (const userId of [from, target_id]) first(standing, userId, 'active')
      break
    }
    case 'organization.member_suspend':
      first(standing, target_id, 'active')
      break
    case 'organization.member_restore':
      first(standing, target_id, `suspended by ${String(metadata['by'])}`)
      break
    case 'organization.member_remove':
      first(roles, target_id, 'some role')
      first(standing, target_id, 'active')
      break
    case 'organization.mfa_policy_change':
      organization.mfa ??= metadata['old_value']
      break
    case 'organization.delete':
    case 'organization.restore':
      organization.deleted ??= action === 'organization.restore'
      break
    case 'organization.invitation.accepted':
      first(invitations, target_id, `unfinished ${String(metadata['role'])}`)
      break
    case 'seat.released':
      first(seats, target_id, 'user_id' in metadata ? String(metadata['user_id']) : PROMISED)
      break
    default:
  }
}
