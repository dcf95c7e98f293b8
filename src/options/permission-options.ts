import { checkOptionNames, namesOf, type NoOptions } from '../base/names.ts'
import {
  OWN_PERMISSIONS,
  type Grant,
  type OwnPermission,
  type PermissionOf,
  type PermissionOptions,
} from '../engine/access/permissions.ts'
import type { Roles } from '../engine/access/roles.ts'
import { wrong } from './option-group.ts'
import type { Rights } from './rights.ts'

/** The options of {@link permissions}. */
export interface PermissionPartOptions<
  Role extends string = string,
  Resources extends PermissionOptions = PermissionOptions,
> {
  /**
   * The host's resources, each with its actions: `{ project: ['read', 'write'] }`. A permission is
   * `resource:action`. Default `{}`: the permissions are the library's own.
   */
  readonly resources?: Resources
  /**
   * The permissions of each role, the library's own ones included; `project:*` is all of a resource, `*`
   * all there are. A role that is not listed has no permission. The owner's role has all and is not
   * listed.
   */
  readonly grants: { readonly [R in Role]?: readonly Grant<NoInfer<Resources>>[] }
}

/** The permissions of roles, made by {@link permissions}. */
export interface PermissionPart<
  Role extends string = string,
  Resources extends PermissionOptions = PermissionOptions,
> {
  /** The roles that have grants. */
  readonly granted: readonly Role[]
  readonly resources: Resources
  /**
   * @throws {TypeError} if a name is not valid, a role is not among `roles`, or a list of roles is there
   *   too.
   */
  rightsFor<All extends string>(
    roles: Pick<Roles<All>, 'all' | 'owner'> & { readonly [L in (typeof LISTS)[number]]?: unknown }
  ): Rights<All, PermissionOf<Resources>>
}

// They say what permissions say.
const LISTS = ['invitationAdmins', 'memberAdmins', 'organizationAdmins'] as const
const OPTIONS = namesOf<PermissionPartOptions>({ resources: true, grants: true })

/**
 * Gives roles sets of permissions, in place of the lists of roles: pass it as `permissions` of `roles`.
 * With it a caller gives no permission that they do not have. `createSeatgate` checks the names.
 *
 * @throws {TypeError} if an option is not known.
 *
 * @example
 * ```ts
 * const roles = {
 *   permissions: permissions({
 *     resources: { project: ['read', 'write', 'delete'] },
 *     grants: { admin: ['*'], member: ['project:read', 'members:invite'] },
 *   }),
 * }
 * ```
 */
export function permissions<
  const Role extends string,
  const Resources extends PermissionOptions = NoOptions,
>(options: PermissionPartOptions<Role, Resources>): PermissionPart<Role, Resources> {
  checkOptionNames('permissions', options, OPTIONS)
  const { resources = {} as Resources, grants } = options
  return {
    granted: Object.keys(grants ?? {}) as Role[],
    resources,
    rightsFor(roles) {
      const twice = LISTS.find((list) => roles[list] !== undefined)
      if (twice) throw wrong(`roles.${twice} and roles.permissions say the same: leave one out.`)
      return checkedGrants(checkedPermissions(resources), roles, grants)
    },
  }
}

const NAME = /^[a-z][a-z0-9_-]{0,31}$/
const FORM = 'must have 1 to 32 characters of a-z, 0-9, _ and -, and begin with a letter'
const MOST_PERMISSIONS = 200

/**
 * Returns the names of all permissions, the library's own first.
 *
 * @throws {TypeError} if a name has another form, is there twice, or is the library's.
 */
function checkedPermissions<Resources extends PermissionOptions>(
  resources: Resources
): readonly PermissionOf<Resources>[] {
  if (!isRecord(resources)) throw wrong('roles.permissions: resources must be an object.')
  const own = new Set(OWN_PERMISSIONS.map(resourceOf))
  const hosts = Object.entries(resources).flatMap(([resource, actions]) => {
    if (!NAME.test(resource)) {
      throw wrong(`roles.permissions: resources has the resource "${resource}": a name ${FORM}.`)
    }
    if (own.has(resource)) {
      throw wrong(`roles.permissions: resources has "${resource}", a resource of the library.`)
    }
    return actionsOf(resource, actions).map((action) => `${resource}:${action}`)
  })
  const names = [...OWN_PERMISSIONS, ...hosts]
  if (names.length > MOST_PERMISSIONS) {
    throw wrong(`roles.permissions: there are more than ${MOST_PERMISSIONS} permissions.`)
  }
  return names as PermissionOf<Resources>[]
}

function actionsOf(resource: string, actions: unknown): readonly string[] {
  if (!Array.isArray(actions) || actions.length === 0) {
    throw wrong(`roles.permissions: resources.${resource} must be a list of actions.`)
  }
  const wrongOne = actions.find((action) => typeof action !== 'string' || !NAME.test(action))
  if (wrongOne !== undefined) {
    throw wrong(
      `roles.permissions: resources.${resource} has the action "${String(wrongOne)}": a name ${FORM}.`
    )
  }
  if (new Set(actions).size < actions.length) {
    throw wrong(`roles.permissions: resources.${resource} has an action twice.`)
  }
  return actions as string[]
}

/**
 * Returns the permissions of each role as `grants` says, and the lists of roles that follow from them.
 *
 * @throws {TypeError} if a role or a permission is not known, or the owner's role is listed.
 */
function checkedGrants<Role extends string, Permission extends string>(
  permissions: readonly Permission[],
  { all, owner }: Pick<Roles<Role>, 'all' | 'owner'>,
  grants: unknown
): Rights<Role, Permission> {
  if (!isRecord(grants)) throw wrong('roles.permissions: grants must be an object.')
  for (const role of Object.keys(grants)) {
    if (role === owner) {
      throw wrong(`roles.permissions: grants has "${owner}", which has all permissions.`)
    }
    if (!(all as readonly string[]).includes(role)) {
      throw wrong(`roles.permissions: grants has "${role}", which is not in roles.all.`)
    }
  }
  const of = (role: Role) =>
    role === owner ? permissions : granted(permissions, role, grants[role] ?? [])
  return rightsOf(permissions, all, new Map(all.map((role) => [role, of(role)])))
}

function granted<Permission extends string>(
  permissions: readonly Permission[],
  role: string,
  names: unknown
): readonly Permission[] {
  if (!Array.isArray(names))
    throw wrong(`roles.permissions: grants.${role} must be a list of permissions.`)
  const matching = (name: unknown) =>
    permissions.filter((each) => name === '*' || name === each || name === `${resourceOf(each)}:*`)
  const stranger = names.findIndex((name) => matching(name).length === 0)
  if (stranger >= 0) {
    throw wrong(
      `roles.permissions: grants.${role} has "${String(names[stranger])}", which is not a permission.`
    )
  }
  const all = new Set(names.flatMap(matching))
  return permissions.filter((each) => all.has(each))
}

/** Returns the lists of roles that follow from the permissions of each. */
function rightsOf<Role extends string, Permission extends string>(
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
