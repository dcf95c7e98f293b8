import type { DatabaseContext } from '../../database/database.ts'
import * as v from 'valibot'

/** The configured roles and their rights. `Role` is the union of their names, if known. */
export interface Roles<Role extends string = string> {
  readonly all: readonly Role[]
  readonly owner: Role
  readonly invitationAdmins: readonly Role[]
  readonly memberAdmins: readonly Role[]
  readonly organizationAdmins: readonly Role[]
  /** The roles whose members take no seat. */
  readonly seatless: readonly Role[]
}

/** A configuration with the roles `Role`: the operations accept only these. */
export interface HasRoles<Role extends string> {
  readonly roles: Roles<Role>
}

/** The context of a function that decides on access. */
export interface AccessContext extends DatabaseContext {
  readonly roles: Roles
}

/** The input of `changeRole` and `changeInvitationRole`. */
export interface ChangeRoleInput<Role extends string = string> {
  readonly role: Role
}

/** Creates the schema of a configured role. */
export function roleInput({ all }: Roles) {
  return v.pipe(
    v.string('Must be a string.'),
    v.check((role) => all.includes(role), `Must be one of ${all.join(', ')}.`)
  )
}

/**
 * Whether a stored role is configured. A role that was removed from the configuration can no longer be
 * granted.
 */
export function isConfigured({ all }: Roles, role: string): boolean {
  return all.includes(role)
}

/** Whether a member with this role takes a seat. One whose role is not configured does. */
export function takesSeat({ seatless }: Pick<Roles, 'seatless'>, role: string): boolean {
  return !seatless.includes(role)
}

/**
 * Whether an actor may change a membership from one role to another; null stands for no membership. Only
 * an owner may grant or take the owner's role.
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

/** Whether an actor may invite to a role. Only an owner may invite to the owner's role. */
export function mayInvite(roles: Roles, actorRole: string, role: string): boolean {
  if (role === roles.owner) return actorRole === roles.owner
  return roles.invitationAdmins.includes(actorRole)
}
