import {
  OWN_PERMISSIONS,
  type OwnPermission,
  type PermissionOf,
  type PermissionOptions,
} from '../engine/access/permissions.ts'
import type { Roles } from '../engine/access/roles.ts'
import { wrong } from './option-group.ts'

/** The part of the roles that their permissions decide. */
type Rights<Role extends string, Permission extends string> = Pick<
  Roles<Role, Permission>,
  | 'invitationAdmins'
  | 'memberAdmins'
  | 'organizationAdmins'
  | 'billingAdmins'
  | 'auditReaders'
  | 'permissions'
  | 'grants'
>

/** The lists of roles that stand for the library's own permissions where `grants` are not set. */
interface AdminLists<Role extends string> {
  readonly invitationAdmins: readonly Role[]
  readonly memberAdmins: readonly Role[]
  readonly organizationAdmins: readonly Role[]
}

const LIST_OF = {
  'members:invite': 'invitationAdmins',
  'members:manage': 'memberAdmins',
  'organization:update': 'organizationAdmins',
  'billing:manage': 'organizationAdmins',
  'audit:read': 'memberAdmins',
} as const satisfies Record<OwnPermission, keyof AdminLists<string>>

const NAME = /^[a-z][a-z0-9_-]{0,31}$/
const FORM = 'must be 1 to 32 of a-z, 0-9, _ and -, a letter first'
const MOST_PERMISSIONS = 200

/**
 * Returns the names of all permissions, the library's own first.
 *
 * @throws {TypeError} if a name has another form, is there twice, or is the library's.
 */
export function checkedPermissions<Resources extends PermissionOptions>(
  resources: Resources | undefined,
  grants: object | undefined
): readonly PermissionOf<Resources>[] {
  if (resources === undefined) return OWN_PERMISSIONS
  if (grants === undefined) throw wrong('roles.permissions needs roles.grants beside it.')
  if (!isRecord(resources)) throw wrong('roles.permissions must be an object.')
  const own = new Set(OWN_PERMISSIONS.map(resourceOf))
  const hosts = Object.entries(resources).flatMap(([resource, actions]) => {
    if (!NAME.test(resource)) {
      throw wrong(`roles.permissions has the resource "${resource}": a name ${FORM}.`)
    }
    if (own.has(resource)) {
      throw wrong(`roles.permissions has "${resource}", a resource of the library.`)
    }
    return actionsOf(resource, actions).map((action) => `${resource}:${action}`)
  })
  const names = [...OWN_PERMISSIONS, ...hosts]
  if (names.length > MOST_PERMISSIONS) {
    throw wrong(`roles.permissions has more than ${MOST_PERMISSIONS} permissions.`)
  }
  return names as PermissionOf<Resources>[]
}

function actionsOf(resource: string, actions: unknown): readonly string[] {
  if (!Array.isArray(actions) || actions.length === 0) {
    throw wrong(`roles.permissions.${resource} must be a list of actions.`)
  }
  const wrongOne = actions.find((action) => typeof action !== 'string' || !NAME.test(action))
  if (wrongOne !== undefined) {
    throw wrong(
      `roles.permissions.${resource} has the action "${String(wrongOne)}": a name ${FORM}.`
    )
  }
  if (new Set(actions).size < actions.length) {
    throw wrong(`roles.permissions.${resource} has an action twice.`)
  }
  return actions as string[]
}

/**
 * Returns the permissions of each role as `grants` says, and the lists of roles that follow from them.
 *
 * @throws {TypeError} if a role or a permission is not known, or the owner's role is listed.
 */
export function checkedGrants<Role extends string, Permission extends string>(
  permissions: readonly Permission[],
  { all, owner }: Pick<Roles<Role>, 'all' | 'owner'>,
  grants: unknown
): Rights<Role, Permission> {
  if (!isRecord(grants)) throw wrong('roles.grants must be an object.')
  for (const role of Object.keys(grants)) {
    if (role === owner) throw wrong(`roles.grants has "${owner}", which has all permissions.`)
    if (!(all as readonly string[]).includes(role)) {
      throw wrong(`roles.grants has "${role}", which is not in roles.all.`)
    }
  }
  const of = (role: Role) =>
    role === owner ? permissions : granted(permissions, role, grants[role] ?? [])
  return rights(permissions, all, new Map(all.map((role) => [role, of(role)])))
}

function granted<Permission extends string>(
  permissions: readonly Permission[],
  role: string,
  names: unknown
): readonly Permission[] {
  if (!Array.isArray(names)) throw wrong(`roles.grants.${role} must be a list of permissions.`)
  const matching = (name: unknown) =>
    permissions.filter((each) => name === '*' || name === each || name === `${resourceOf(each)}:*`)
  const stranger = names.findIndex((name) => matching(name).length === 0)
  if (stranger >= 0) {
    throw wrong(`roles.grants.${role} has "${String(names[stranger])}", which is no permission.`)
  }
  const all = new Set(names.flatMap(matching))
  return permissions.filter((each) => all.has(each))
}

/** Returns the permissions that follow from the lists of roles: the library's own ones. */
export function rightsOfLists<Role extends string, Permission extends string>(
  permissions: readonly Permission[],
  all: readonly Role[],
  lists: AdminLists<Role>
): Rights<Role, Permission> {
  const of = (role: Role) =>
    permissions.filter((each) => lists[LIST_OF[each as OwnPermission]].includes(role))
  return { ...rights(permissions, all, new Map(all.map((role) => [role, of(role)]))), ...lists }
}

function rights<Role extends string, Permission extends string>(
  permissions: readonly Permission[],
  all: readonly Role[],
  grants: ReadonlyMap<string, readonly Permission[]>
): Rights<Role, Permission> {
  const having = (permission: OwnPermission) =>
    all.filter((role) => (grants.get(role) as readonly string[] | undefined)?.includes(permission))
  return {
    permissions,
    grants,
    invitationAdmins: having('members:invite'),
    memberAdmins: having('members:manage'),
    organizationAdmins: having('organization:update'),
    billingAdmins: having('billing:manage'),
    auditReaders: having('audit:read'),
  }
}

function resourceOf(permission: string): string {
  return permission.slice(0, permission.indexOf(':'))
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
