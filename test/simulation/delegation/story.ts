/**
 * Own roles, groups and impersonations as the trail tells them: what is stored is what the events lead to.
 *
 * @module
 */
import type { Sometimes } from '../../../src/testing/index.ts'
import type { OwnRoles } from '../access/rights.ts'
import type { DelegationFacts, GroupFacts, ImpersonationFacts } from './facts.ts'
import type { Event, Known } from './known.ts'

const LEAVING = /^organization\.member_(remove|suspend)$/

const LISTED = (permissions: unknown) => String(permissions).split(' ').filter(Boolean)

/** What an event makes of what was known. */
export function follow(known: Known, event: Event, sometimes: Sometimes): Known {
  const { action, metadata, target_id } = event
  const { delegation } = known
  const changed = (change: Partial<DelegationFacts>): Known => ({
    ...known,
    delegation: { ...delegation, ...change },
  })
  const inGroup = (id: string, change: (group: GroupFacts) => Partial<GroupFacts>) => {
    const group = delegation.groups.get(id)
    if (group === undefined) return known
    return changed({ groups: new Map(delegation.groups).set(id, { ...group, ...change(group) }) })
  }
  const isUsed = (role: string) =>
    [...known.members.values()].some((member) => member.role === role) ||
    [...delegation.groups.values()].some((group) => group.role === role)
  switch (action) {
    case 'organization.role.created': {
      const own = { ...delegation.own, [target_id]: LISTED(metadata['permissions']) }
      return changed({ own, version: delegation.version + 1 })
    }
    case 'organization.role.updated': {
      const { [target_id]: had = [], ...own } = delegation.own
      const { new_role: to = target_id, new_permissions } = metadata
      const permissions = new_permissions === undefined ? had : LISTED(new_permissions)
      if (to !== target_id && isUsed(target_id)) {
        sometimes('a role got another name under those who had it')
      }
      if (had.some((each) => !permissions.includes(each))) sometimes('a role lost a permission')
      return changed({
        ...replaced(delegation, { ...own, [String(to)]: permissions }, target_id, String(to)),
      })
    }
    case 'organization.role.deleted': {
      const { [target_id]: _deleted, ...own } = delegation.own
      const { replacement } = metadata
      if (replacement === undefined) return changed({ own, version: delegation.version + 1 })
      if (isUsed(target_id)) sometimes('a role was replaced for those who had it')
      return changed(replaced(delegation, own, target_id, String(replacement)))
    }
    case 'organization.group.created': {
      const { name, role } = metadata as { readonly name: string; readonly role?: string }
      const group = { name, role: role ?? null, members: 0, userIds: [] }
      return changed({ groups: new Map(delegation.groups).set(target_id, group) })
    }
    case 'organization.group.updated':
      return inGroup(target_id, ({ name, role, members }) => {
        const isNew = metadata['new_role'] !== undefined
        if (isNew && members > 0) sometimes('a group got another role under its members')
        return {
          name: String(metadata['new_name'] ?? name),
          role: isNew ? (metadata['new_role'] as string | null) : role,
        }
      })
    case 'organization.group.deleted': {
      const groups = new Map(delegation.groups)
      groups.delete(target_id)
      return changed({ groups })
    }
    case 'organization.group.member_added':
      return inGroup(String(metadata['group_id']), ({ userIds }) => ({
        userIds: [...userIds, target_id],
      }))
    case 'organization.group.member_removed':
      return inGroup(String(metadata['group_id']), ({ userIds }) => ({
        userIds: userIds.filter((each) => each !== target_id),
      }))
    case 'organization.impersonation.started': {
      const row: ImpersonationFacts = {
        user_id: target_id,
        operator_id: String(event.actor_id),
        expires_at: Date.parse(String(metadata['expires_at'])),
        created_at: event.occurred_at,
      }
      const there = new Map(delegation.impersonations).set(event.id, row)
      return changed({ impersonations: there })
    }
    case 'organization.impersonation.ended': {
      const impersonations = new Map(delegation.impersonations)
      impersonations.delete(event.cause_event_id ?? '')
      return changed({ impersonations })
    }
    case 'organization.delete':
      return changed({ impersonations: new Map() })
    default:
      return LEAVING.test(action) ? changed(without(delegation, target_id, sometimes)) : known
  }
}

/** The own roles, with another in the place of one. */
function replaced(
  { groups, version }: DelegationFacts,
  own: OwnRoles,
  from: string,
  to: string
): Partial<DelegationFacts> {
  const renamed = [...groups].map(
    ([id, group]) => [id, { ...group, role: group.role === from ? to : group.role }] as const
  )
  return { own, version: version + 1, groups: new Map(renamed) }
}

/** Nobody stays in a group, or is acted as, who is no active member. */
function without(
  { groups, impersonations }: DelegationFacts,
  userId: string,
  sometimes: Sometimes
): Partial<DelegationFacts> {
  if ([...groups.values()].some(({ userIds }) => userIds.includes(userId))) {
    sometimes('who left was taken out of their groups')
  }
  const left = [...impersonations].filter(([, { user_id }]) => user_id !== userId)
  if (left.length < impersonations.size) {
    sometimes('an impersonation ended with the membership of its user')
  }
  return {
    impersonations: new Map(left),
    groups: new Map(
      [...groups].map(([id, group]) => [
        id,
        { ...group, userIds: group.userIds.filter((each) => each !== userId) },
      ])
    ),
  }
}

/** Where what is stored differs from what the events lead to. */
export function wrongStory({ delegation: told }: Known, { delegation: there }: Known): string[] {
  const wrong: string[] = []
  const compare = (what: string, expected: unknown, actual: unknown) => {
    const [a, b] = [JSON.stringify(expected), JSON.stringify(actual)]
    if (a !== b) wrong.push(`${what} by the trail: ${a}, stored: ${b}`)
  }
  const sorted = (own: OwnRoles) =>
    Object.entries(own)
      .map(([role, permissions]) => `${role}: ${permissions.toSorted().join(' ')}`)
      .toSorted()
  const groupsOf = ({ groups }: DelegationFacts) =>
    [...groups]
      .map(([id, { name, role, userIds }]) => [id, name, role, userIds.toSorted()].join(' '))
      .toSorted()
  compare('own roles', sorted(told.own), sorted(there.own))
  compare('the version of own roles', told.version, there.version)
  compare('groups', groupsOf(told), groupsOf(there))
  for (const [id, { user_id, expires_at }] of there.impersonations) {
    const on = told.impersonations.get(id)
    if (on?.user_id !== user_id || on.expires_at !== expires_at) {
      wrong.push(`impersonation ${id} of ${user_id} runs, and the trail says no such thing`)
    }
  }
  return wrong
}
