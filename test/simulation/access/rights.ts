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

export const PERMISSIONS: readonly string[] = [
  ...OWN,
  ...PROJECT.map((action) => `project:${action}`),
]

/** The permissions of each role, where each has its own. */
export const GRANTS: Readonly<Record<string, readonly string[]>> = {
  owner: PERMISSIONS,
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

/** The roles that an organization has made, with their permissions. */
export type OwnRoles = Readonly<Record<string, readonly string[]>>

/** What decides about a role in an organization. */
export interface RoleRules extends Pick<AccessHost, 'bounded'> {
  readonly own?: OwnRoles
}

/** Somebody with a role, and with the roles that their groups carry. */
export interface Holder {
  readonly role: string
  readonly carried?: readonly string[]
}

/** The permissions of a role, or of a key's list. */
export function permissionsOf(rules: RoleRules | null, role: string): readonly string[] {
  if (role.startsWith('[')) return role.slice(1, -1).split(' ')
  return (rules?.bounded ? GRANTS : LISTED)[role] ?? rules?.own?.[role] ?? []
}

/** The union of what somebody has. */
export function rightsOf(
  rules: RoleRules | null,
  { role, carried = [] }: Holder
): readonly string[] {
  return [role, ...carried].flatMap((each) => permissionsOf(rules, each))
}

/** Whether somebody may give another a role, to somebody who had one or none. */
export function mayGive(
  rules: RoleRules | null,
  right: 'members:invite' | 'members:manage',
  by: Holder,
  roles: readonly string[],
  to: string,
  given: readonly string[] = permissionsOf(rules, to)
): boolean {
  if (roles.includes('owner') || to === 'owner') return by.role === 'owner'
  const own = rightsOf(rules, by)
  if (!own.includes(right)) return false
  return !rules?.bounded || given.every((each) => own.includes(each))
}
