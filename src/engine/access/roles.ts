import type { DatabaseContext } from '../../database/database.ts'
import * as v from 'valibot'
import { invalid, refused } from '../../base/result.ts'
import type { SeatTypeContext } from '../../base/seat-types.ts'
import type { OrganizationRow } from '../../database/schema/organizations-tables.ts'
import type { OwnPermission } from './permissions.ts'

/**
 * The configured roles and their rights. `Role` is the union of their names, and `Permission` that of the
 * permissions, if known.
 */
export interface Roles<
  Role extends string = string,
  Permission extends string = string,
> extends SeatTypeContext {
  readonly all: readonly Role[]
  readonly owner: Role
  readonly invitationAdmins: readonly Role[]
  readonly memberAdmins: readonly Role[]
  readonly organizationAdmins: readonly Role[]
  /** The roles whose members take no seat. */
  readonly seatless: readonly Role[]
  readonly billingAdmins: readonly Role[]
  readonly auditReaders: readonly Role[]
  /** All permissions: the library's own, then the host's. */
  readonly permissions: readonly Permission[]
  /** The permissions of each role. */
  readonly grants: ReadonlyMap<string, readonly Permission[]>
  /** Whether the host has set `roles.permissions`: then a caller gives no permission that they do not have. */
  readonly bounded: boolean
  /** Returns the roles of an organization that has made its own; null: organizations make no roles. */
  readonly extend: ((roles: Roles, organization: OrganizationRow) => Roles) | null
}

/** A configuration with the roles `Role`: the operations accept only these. */
export interface HasRoles<Role extends string> {
  readonly roles: Roles<Role>
}

/** The context of a function that decides on access. */
export interface AccessContext extends DatabaseContext {
  readonly roles: Roles
}

/** The rights of an actor: their role, and all permissions that they have. */
export interface Rights {
  readonly role: string
  readonly permissions: readonly string[]
}

/** The input of `changeRole` and `changeInvitationRole`. */
export interface ChangeRoleInput<Role extends string = string> {
  readonly role: Role
}

/** The form of the name of an organization's own role. */
export const OWN_ROLE_NAME = /^[a-z][a-z0-9_-]{0,31}$/

/**
 * Creates the schema of a role. The name of an organization's own role is accepted by its form: the plan
 * checks with {@link isConfigured} that the organization has it.
 */
export function roleInput({ all, extend }: Roles) {
  const known = (role: string) =>
    all.includes(role) || (extend !== null && OWN_ROLE_NAME.test(role))
  return v.pipe(v.string('Must be a string.'), v.check(known, oneOf(all)))
}

/** Returns the refusal of a role that the organization does not have. */
export function unknownRole({ all }: Roles) {
  return refused(invalid({ role: [oneOf(all)] }))
}

const oneOf = (all: readonly string[]) => `Must be one of ${all.join(', ')}.`

/**
 * Whether a stored role is configured, or one of the organization's own. One that was removed can no longer
 * be granted.
 */
export function isConfigured({ all }: Roles, role: string): boolean {
  return all.includes(role)
}

/** Whether a member with this role takes a seat. One whose role is not configured does. */
export function takesSeat({ seatless }: Pick<Roles, 'seatless'>, role: string): boolean {
  return !seatless.includes(role)
}

/** Whether roles differ in the seat that they take: if not, a change of role claims no seat. */
export function mayMoveSeats({ seatless, seatTypes }: Pick<Roles, 'seatless' | 'seatTypes'>) {
  return seatless.length > 0 || seatTypes.size > 0
}

/** Returns the roles of an organization: the configured ones, and those that it has made. */
export function rolesIn(roles: Roles, organization: OrganizationRow): Roles {
  return roles.extend?.(roles, organization) ?? roles
}

/** Returns the role of a machine that has these permissions and no configured role. */
export function roleOfPermissions(permissions: readonly string[]): string {
  return `[${permissions.join(' ')}]`
}

/**
 * Returns the permissions of a role: those of a configured one, or those that {@link roleOfPermissions}
 * names, as far as they are configured.
 */
export function permissionsOf<Permission extends string>(
  { grants, permissions }: Pick<Roles<string, Permission>, 'grants' | 'permissions'>,
  role: string
): readonly Permission[] {
  const granted = grants.get(role)
  if (granted) return granted
  const named = role.startsWith('[') ? role.slice(1, -1).split(' ') : []
  return permissions.filter((each) => named.includes(each))
}

/** The source of rights: a role, and for a member a JSON list of the roles of their groups. */
export interface RoleHolder {
  readonly role: string
  readonly groupRoles?: string | null
}

/**
 * Returns the rights of a member, or of a role. Those of a member are the union of their role's and their
 * groups'. A group's role that has become the owner's gives no right.
 */
export function rightsOf(roles: Roles, { role, groupRoles = null }: RoleHolder): Rights {
  const own = permissionsOf(roles, role)
  if (groupRoles === null) return { role, permissions: own }
  const byGroups = (JSON.parse(groupRoles) as readonly string[])
    .filter((each) => each !== roles.owner)
    .flatMap((each) => permissionsOf(roles, each))
  const all = new Set([...own, ...byGroups])
  return { role, permissions: roles.permissions.filter((each) => all.has(each)) }
}

function isAllowed({ permissions }: Rights, permission: OwnPermission): boolean {
  return permissions.includes(permission)
}

// Without `roles.permissions` the lists of the configuration say who may give which role.
function hasAllOf(roles: Roles, { permissions: own }: Rights, role: string): boolean {
  return !roles.bounded || permissionsOf(roles, role).every((each) => own.includes(each))
}

/**
 * Whether an actor may change a membership from one role to another; null stands for no membership. Only
 * an owner may grant or take the owner's role, and no actor gives permissions that they do not have.
 */
export function mayChangeRole(
  roles: Roles,
  actor: Rights,
  from: string | null,
  to: string | null
): boolean {
  if (from === roles.owner || to === roles.owner) return actor.role === roles.owner
  return isAllowed(actor, 'members:manage') && (to === null || hasAllOf(roles, actor, to))
}

/** Returns the permissions that an actor needs to give a role; null for the owner's, which owners alone give. */
export function neededToGive(roles: Roles, role: string): readonly string[] | null {
  if (role === roles.owner) return null
  return ['members:manage', ...(roles.bounded ? permissionsOf(roles, role) : [])]
}

/**
 * Whether an actor may invite to a role. Only an owner may invite to the owner's role, and no actor gives
 * permissions that they do not have.
 */
export function mayInvite(roles: Roles, actor: Rights, role: string): boolean {
  if (role === roles.owner) return actor.role === roles.owner
  return isAllowed(actor, 'members:invite') && hasAllOf(roles, actor, role)
}
