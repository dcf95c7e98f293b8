/**
 * Who may give which role, written down once more: the checkers do not ask the library.
 *
 * @module
 */
import type { AccessHost } from './host.ts'

const OWN = [
  'members:invite',
  'members:manage',
  'organization:update',
  'billing:manage',
  'audit:read',
] as const

export const PROJECT = ['read', 'write'] as const

export const ROLES = ['owner', 'admin', 'recruiter', 'member', 'guest'] as const

const ALL = [...OWN, ...PROJECT.map((action) => `project:${action}`)]

/** The permissions of each role, where each has its own. */
export const GRANTS: Readonly<Record<string, readonly string[]>> = {
  owner: ALL,
  admin: [
    'members:invite',
    'members:manage',
    'organization:update',
    'project:read',
    'project:write',
  ],
  recruiter: ['members:invite', 'project:read'],
  member: ['project:read'],
  guest: [],
}

/** What the lists of roles say. */
const LISTED: Readonly<Record<string, readonly string[]>> = {
  owner: OWN,
  admin: OWN,
  recruiter: ['members:invite'],
}

type Rules = Pick<AccessHost, 'bounded'> | null

/** The permissions of a role, or of a key's list. */
export function permissionsOf(rules: Rules, role: string): readonly string[] {
  if (role.startsWith('[')) return role.slice(1, -1).split(' ')
  return (rules?.bounded ? GRANTS : LISTED)[role] ?? []
}

/** Whether somebody with a role may give another, to somebody who had one or none. */
export function mayGive(
  rules: Rules,
  right: 'members:invite' | 'members:manage',
  by: string,
  roles: readonly string[],
  to: string
): boolean {
  if (roles.includes('owner') || to === 'owner') return by === 'owner'
  const own = permissionsOf(rules, by)
  if (!own.includes(right)) return false
  return !rules?.bounded || permissionsOf(rules, to).every((each) => own.includes(each))
}
