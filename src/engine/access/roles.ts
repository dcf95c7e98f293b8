import type { DatabaseContext } from '../../database/database.ts'
import * as v from 'valibot'

/** The configured roles, and what they may do. `Role` is the union of their names, where it is known. */
export interface Roles<Role extends string = string> {
  readonly all: readonly Role[]
  readonly owner: Role
  readonly invitationAdmins: readonly Role[]
  readonly memberAdmins: readonly Role[]
  readonly organizationAdmins: readonly Role[]
}

/** A configuration whose roles are `Role`: an operation that takes a role takes one of them. */
export interface HasRoles<Role extends string> {
  readonly roles: Roles<Role>
}

/** What a function needs that decides who may do what. */
export interface AccessContext extends DatabaseContext {
  readonly roles: Roles
}

/** What `changeRole` and `changeInvitationRole` take. */
export interface ChangeRoleInput<Role extends string = string> {
  readonly role: Role
}

/** A role of the configured set. */
export function roleInput({ all }: Roles) {
  return v.pipe(
    v.string('Must be a string.'),
    v.check((role) => all.includes(role), `Must be one of ${all.join(', ')}.`)
  )
}

/**
 * Whether a stored role is one of the configured set. One that was taken out of the configuration is
 * granted to nobody any more.
 */
export function isConfigured({ all }: Roles, role: string): boolean {
  return all.includes(role)
}

/**
 * Whether somebody may change a membership from one role to another; null stands for no membership.
 * Only an owner makes an owner, and only an owner unmakes one.
 */
export function mayChangeRole(
  roles: Roles,
  actorRole: string,
  from: string | null,
  to: string | null
): boolean {
  if (from === roles.owner || to === roles.owner) return actorRole === roles.owner
  return roles.memberAdmins.includes(actorRole)
}

/** Whether somebody may invite to a role: those who invite, and to the owner's role owners alone. */
export function mayInvite(roles: Roles, actorRole: string, role: string): boolean {
  if (role === roles.owner) return actorRole === roles.owner
  return roles.invitationAdmins.includes(actorRole)
}
