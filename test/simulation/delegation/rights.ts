/**
 * Whoever changes something has the right to it the moment it is written, and gives no permission that they
 * do not have.
 *
 * @module
 */
import type { Sometimes } from '../../../src/testing/index.ts'
import { permissionsOf, rightsOf } from '../access/rights.ts'
import { holderOf, type Event, type Known } from './known.ts'

const NEEDED: Readonly<Record<string, string>> = {
  'organization.rename': 'organization:update',
  'organization.update': 'organization:update',
  'organization.slug_change': 'organization:update',
  'organization.member_remove': 'members:manage',
  'organization.member_suspend': 'members:manage',
  'organization.member_restore': 'members:manage',
  'organization.member_role_change': 'members:manage',
  'organization.invitation.created': 'members:invite',
  'organization.invitation.resent': 'members:invite',
  'organization.invitation.role_change': 'members:invite',
  'organization.invite_link.created': 'members:invite',
  'organization.api_key.created': 'organization:update',
  'organization.api_key.rotated': 'organization:update',
  'organization.api_key.revoked': 'organization:update',
  'organization.role.created': 'organization:update',
  'organization.role.updated': 'organization:update',
  'organization.role.deleted': 'organization:update',
  'organization.group.created': 'members:manage',
  'organization.group.updated': 'members:manage',
  'organization.group.deleted': 'members:manage',
  'organization.group.member_added': 'members:manage',
  'organization.group.member_removed': 'members:manage',
}

/** What everybody may do for themselves. */
const OF_ONES_OWN: ReadonlySet<string> = new Set([
  'organization.member_remove',
  'organization.group.member_removed',
])

export function wrongRight(before: Known, event: Event, sometimes: Sometimes): readonly string[] {
  const { action, actor_type, actor_id, effective_user_id, target_id } = event
  const needed = NEEDED[action]
  if (needed === undefined || actor_type === 'system') return []
  // Operators in person, and accounts that end.
  if (actor_type === 'operator' && effective_user_id === actor_id) return []
  if (OF_ONES_OWN.has(action) && effective_user_id === target_id) return []
  const holder = holderOf(before, event)
  const who = `${effective_user_id ?? actor_id}`
  if (holder === null) return [`${action} by ${who}, who is not there`]
  const own = rightsOf(before.rules, holder)
  if (!own.includes(needed)) return [`${action} by ${who} without ${needed}`]
  if (!permissionsOf(before.rules, holder.role).includes(needed)) {
    sometimes('a group gave the right to an act')
  }
  const beyond = givenBy(before, event).filter((each) => !own.includes(each))
  return beyond.length === 0 ? [] : [`${action} by ${who} gives ${beyond.join(' ')}`]
}

/** The permissions that somebody gets by a change of a role or a group. */
function givenBy({ rules, delegation }: Known, event: Event): readonly string[] {
  const { action, target_id, metadata } = event
  const listed = (name: string) =>
    String(metadata[name] ?? '')
      .split(' ')
      .filter(Boolean)
  const ofRole = (role: unknown) => (typeof role === 'string' ? permissionsOf(rules, role) : [])
  switch (action) {
    case 'organization.role.created':
      return listed('permissions')
    case 'organization.role.updated': {
      const had = rules.own?.[target_id] ?? []
      return listed('new_permissions').filter((each) => !had.includes(each))
    }
    case 'organization.role.deleted':
      return ofRole(metadata['replacement'])
    case 'organization.group.created':
      return ofRole(metadata['role'])
    case 'organization.group.updated':
      return ofRole(metadata['new_role'])
    case 'organization.group.member_added':
      return ofRole(delegation.groups.get(String(metadata['group_id']))?.role)
    default:
      return []
  }
}
