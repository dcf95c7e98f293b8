/**
 * What must be true of own roles, groups and impersonations at any time, whatever happened.
 *
 * @module
 */
import { PERMISSIONS, permissionsOf, rightsOf, ROLES } from '../access/rights.ts'
import type { DelegationHost } from './host.ts'
import type { Known } from './known.ts'

const MINUTE = 60_000

export function wrongNow(known: Known, host: DelegationHost | null, now: number): string[] {
  if (host === null) return []
  return [
    ...wrongRoles(known, host),
    ...wrongGroups(known, host),
    ...wrongInvitations(known, now),
    ...wrongImpersonations(known, host),
  ]
}

function wrongRoles({ delegation: { own }, named }: Known, host: DelegationHost): string[] {
  const all: ReadonlySet<string> = new Set([...ROLES, ...Object.keys(own)])
  const twice = ROLES.filter((role) => Object.hasOwn(own, role))
  const unknown = Object.values(own)
    .flat()
    .filter((each) => !PERMISSIONS.includes(each))
  return [
    ...[...named].flatMap(([role, holder]) =>
      all.has(role) ? [] : [`${holder} has the role ${role}, which is not there`]
    ),
    ...(Object.keys(own).length > host.roles ? [`${Object.keys(own).length} own roles`] : []),
    ...twice.map((role) => `${role} is configured and made`),
    ...unknown.map((each) => `a role has ${each}, which is no permission`),
  ]
}

function wrongGroups({ delegation: { groups }, members }: Known, host: DelegationHost): string[] {
  const names = [...groups.values()].map(({ name }) => name.toLowerCase())
  const wrong = [...groups].flatMap(([id, { role, members: count, userIds }]) => [
    ...(role === 'owner' ? [`group ${id} carries the role of owners`] : []),
    ...(count === userIds.length ? [] : [`group ${id} has ${userIds.length}, stored are ${count}`]),
    ...(userIds.length > host.groupMembers ? [`group ${id} has ${userIds.length} members`] : []),
    ...userIds.flatMap((userId) => {
      const status = members.get(userId)?.status ?? 'gone'
      return status === 'active' ? [] : [`${userId} is in group ${id}, and ${status}`]
    }),
  ])
  const rights = [...members].flatMap(([userId, { group_roles, carried = [] }]) => {
    const due = carried.length === 0 ? null : JSON.stringify(carried)
    return group_roles === due ? [] : [`${userId} has ${group_roles} by groups that give ${due}`]
  })
  return [
    ...wrong,
    ...rights,
    ...(groups.size > host.groups ? [`${groups.size} groups`] : []),
    ...(new Set(names).size < names.length
      ? [`two groups have one name: ${names.join(', ')}`]
      : []),
  ]
}

/** An open invitation is by somebody who may still give what it promised. */
function wrongInvitations({ sent, members, rules, promised }: Known, now: number): string[] {
  return [...sent].flatMap(([id, { role, invited_by_id, expires_at }]) => {
    if (invited_by_id === null || expires_at <= now) return []
    const sender = members.get(invited_by_id)
    const say = (why: string) => [
      `invitation ${id} to ${role} is open, and ${invited_by_id} ${why}`,
    ]
    if (sender?.status !== 'active') return say('is no active member')
    if (role === 'owner') return sender.role === 'owner' ? [] : say('is no owner')
    const own = rightsOf(rules, sender)
    if (!own.includes('members:invite')) return say('may not invite')
    const beyond = permissionsOf(rules, role).filter(
      (each) => promised.get(id)?.includes(each) && !own.includes(each)
    )
    return beyond.length === 0 ? [] : say(`has not ${beyond.join(' ')}`)
  })
}

function wrongImpersonations(
  { delegation: { impersonations }, members, deleted }: Known,
  host: DelegationHost
): string[] {
  return [...impersonations].flatMap(([id, { user_id, expires_at, created_at }]) => {
    const status = deleted ? 'in a deleted organization' : (members.get(user_id)?.status ?? 'gone')
    return [
      ...(status === 'active' ? [] : [`impersonation ${id} runs, and ${user_id} is ${status}`]),
      ...(expires_at - created_at > host.minutes * MINUTE
        ? [`impersonation ${id} is too long`]
        : []),
    ]
  })
}
