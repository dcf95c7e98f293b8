import { OWN_PERMISSIONS, type OwnPermission } from '../engine/access/permissions.ts'
import type { Roles } from '../engine/access/roles.ts'

/** The part of the roles that their permissions decide. */
export type Rights<Role extends string, Permission extends string> = Pick<
  Roles<Role, Permission>,
  | 'invitationAdmins'
  | 'memberAdmins'
  | 'organizationAdmins'
  | 'billingAdmins'
  | 'auditReaders'
  | 'permissions'
  | 'grants'
>

/** The lists of roles that stand for the library's own permissions without grants. */
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

/** Returns the permissions that follow from the lists of roles: the library's own ones. */
export function rightsOfLists<Role extends string, Permission extends string>(
  all: readonly Role[],
  lists: AdminLists<Role>
): Rights<Role, Permission> {
  const { memberAdmins, organizationAdmins } = lists
  const of = (role: Role) =>
    OWN_PERMISSIONS.filter((each) => lists[LIST_OF[each]].includes(role)) as readonly string[]
  return {
    ...lists,
    permissions: OWN_PERMISSIONS as readonly string[] as readonly Permission[],
    grants: new Map(all.map((role) => [role, of(role) as readonly Permission[]])),
    billingAdmins: organizationAdmins,
    auditReaders: memberAdmins,
  }
}
