import { namesOf } from '../base/names.ts'
import type { Grant, PermissionOf, PermissionOptions } from '../engine/access/permissions.ts'
import type { Roles } from '../engine/access/roles.ts'
import type { SeatAmount } from '../engine/seats/entitlement.ts'
import { seatLimit } from '../engine/seats/limit.ts'
import { SEAT_TYPE_NAME, type SeatTypeRules, type SeatTypes } from '../base/seat-types.ts'
import { groupOf, wrong } from './option-group.ts'
import { checkedGrants, checkedPermissions, rightsOfLists } from './permission-options.ts'

/** A type of seats. */
export interface SeatTypeOptions<Role extends string = string> {
  /** The roles whose members and invitations take a seat of this type. A role is in one type at most. */
  readonly roles: readonly Role[]
  /**
   * The limit of an organization whose plan does not name this type: a whole number from 0. Default
   * `"unlimited"`.
   */
  readonly defaultLimit?: SeatAmount
}

/** The roles of members. As literals in the call, they type the roles of every operation. */
export interface RoleOptions<
  Role extends string = string,
  Resources extends PermissionOptions = PermissionOptions,
> {
  /** The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. */
  readonly all?: readonly Role[]
  /** The role that at least one member of an organization always has. Default `"owner"`. */
  readonly owner?: NoInfer<Role>
  /** The roles that may invite. Default owner and admin. Without `grants` only. */
  readonly invitationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may add, suspend and remove members and read the audit trail. Default
   * `invitationAdmins`. Without `grants` only.
   */
  readonly memberAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may rename the organization, change its slug and its policy, and manage its
   * subscription. Default `invitationAdmins`. Without `grants` only.
   */
  readonly organizationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that take no seat, such as viewers and guests: their members and invitations are in no
   * count, and a change to another role claims a seat. Default `[]`. The owner always takes a seat.
   */
  readonly seatless?: readonly NoInfer<Role>[]
  /**
   * Types of seats beside the default one: each has its own limit, and its roles take no seat of another
   * type. Other roles take a seat of the default type. Default `{}`.
   */
  readonly seatTypes?: Readonly<Record<string, SeatTypeOptions<NoInfer<Role>>>>
  /**
   * The host's resources, each with its actions: `{ project: ['read', 'write'] }`. A permission is
   * `resource:action`. Needs `grants`.
   */
  readonly permissions?: Resources
  /**
   * The permissions of each role, the library's own ones included; `project:*` is all of a resource, `*`
   * all there are. A role that is not listed has no permission. The owner's role has all and is not
   * listed.
   */
  readonly grants?: Readonly<Partial<Record<NoInfer<Role>, readonly Grant<NoInfer<Resources>>[]>>>
}

const NAMES = namesOf<RoleOptions>({
  all: true,
  owner: true,
  invitationAdmins: true,
  memberAdmins: true,
  organizationAdmins: true,
  seatless: true,
  seatTypes: true,
  permissions: true,
  grants: true,
})

// Plain strings: only roles that the host lists are a type.
const ALL: readonly string[] = ['owner', 'admin', 'member']
const ADMINS: readonly string[] = ['owner', 'admin']

/** @throws {TypeError} if one of the options is invalid. */
export function checkedRoles<Role extends string, Resources extends PermissionOptions>(
  options: RoleOptions<Role, Resources> | undefined
): Roles<Role, PermissionOf<Resources>> {
  const given = groupOf('roles', options, NAMES)
  const { grants, permissions } = given
  if (given.all && !(given.owner && (given.invitationAdmins || grants))) {
    throw wrong('roles.all needs roles.owner and roles.invitationAdmins beside it.')
  }
  const { all = ALL as readonly Role[], owner = 'owner' as Role } = given
  checkNames('owner', [owner], all)
  const seatless = checkedSeatless(given.seatless ?? [], { all, owner })
  const seatTypes = checkedSeatTypes(given.seatTypes ?? {}, { all, owner, seatless })
  const names = checkedPermissions(permissions, grants)
  if (grants !== undefined) {
    const twice = (['invitationAdmins', 'memberAdmins', 'organizationAdmins'] as const).find(
      (list) => given[list] !== undefined
    )
    if (twice) throw wrong(`roles.${twice} and roles.grants say the same: leave one out.`)
    const rights = checkedGrants(names, { all, owner }, grants)
    return { all, owner, ...rights, bounded: true, seatless, seatTypes }
  }
  const { invitationAdmins = ADMINS as readonly Role[] } = given
  const { memberAdmins = invitationAdmins, organizationAdmins = invitationAdmins } = given
  const lists = { invitationAdmins, memberAdmins, organizationAdmins }
  for (const [name, roles] of Object.entries(lists)) {
    checkNames(name, roles, all)
    if (roles.length === 0) throw wrong(`roles.${name} must not be empty.`)
  }
  return { all, owner, ...rightsOfLists(names, all, lists), bounded: false, seatless, seatTypes }
}

function checkedSeatless<Role extends string>(
  seatless: readonly Role[],
  { all, owner }: Pick<Roles<Role>, 'all' | 'owner'>
): readonly Role[] {
  checkNames('seatless', seatless, all)
  if (seatless.includes(owner)) throw wrong(`roles.seatless must not have the owner "${owner}".`)
  return seatless
}

function checkedSeatTypes(
  options: Readonly<Record<string, SeatTypeOptions>>,
  { all, owner, seatless }: Pick<Roles, 'all' | 'owner' | 'seatless'>
): SeatTypes {
  const takenBy = new Map<string, string>()
  const types = Object.entries(groupOf('roles.seatTypes', options, Object.keys(options))).map(
    ([name, type]): [string, SeatTypeRules] => {
      const where = `roles.seatTypes.${name}`
      if (!SEAT_TYPE_NAME.test(name)) {
        throw wrong(`${where} must have a name of lower-case letters, digits and "_", at most 31.`)
      }
      const { roles, defaultLimit = 'unlimited' } = groupOf(where, type, ['roles', 'defaultLimit'])
      if (!Array.isArray(roles) || roles.length === 0)
        throw wrong(`${where}.roles must not be empty.`)
      checkNames(`seatTypes.${name}.roles`, roles, all)
      for (const role of roles) {
        if (role === owner) throw wrong(`${where}.roles must not have the owner "${owner}".`)
        const other = seatless.includes(role) ? 'roles.seatless' : takenBy.get(role)
        if (other !== undefined) throw wrong(`the role "${role}" is in ${other} and in ${where}.`)
        takenBy.set(role, where)
      }
      if (seatLimit(defaultLimit).kind === 'unknown') {
        throw wrong(`${where}.defaultLimit must be "unlimited" or a whole number from 0.`)
      }
      return [name, { roles, defaultLimit }]
    }
  )
  return new Map(types)
}

function checkNames(list: string, roles: readonly string[], all: readonly string[]): void {
  const stranger = roles.find((role) => !all.includes(role))
  if (stranger !== undefined) {
    throw wrong(`roles.${list} has "${stranger}", which is not in roles.all.`)
  }
}
