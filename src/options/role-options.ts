import type { SeatTypes } from '../base/seat-types.ts'
import type { PermissionOf, PermissionOptions } from '../engine/access/permissions.ts'
import type { Roles } from '../engine/access/roles.ts'
import { ANY, checkNames, groupOf, hasMethods, wrong, type Rules } from './option-group.ts'
import type { PermissionPart } from './permission-options.ts'
import { rightsOfLists } from './rights.ts'
import type { SeatTypePart } from './seat-type-options.ts'

/** The roles of members. As literals in the call, they type the roles of every operation. */
export interface RoleOptions<
  Role extends string = string,
  Resources extends PermissionOptions = PermissionOptions,
> {
  /** The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. */
  readonly all?: readonly Role[]
  /** The role that at least one member of an organization always has. Default `"owner"`. */
  readonly owner?: NoInfer<Role>
  /** The roles that may invite. Default owner and admin. Without `permissions` only. */
  readonly invitationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may add, suspend and remove members and read the audit trail. Default
   * `invitationAdmins`. Without `permissions` only.
   */
  readonly memberAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may rename the organization, change its slug and its policy, and manage its
   * subscription. Default `invitationAdmins`. Without `permissions` only.
   */
  readonly organizationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that take no seat, such as viewers and guests: their members and invitations are in no
   * count, and a change to another role claims a seat. Default `[]`. The owner always takes a seat.
   */
  readonly seatless?: readonly NoInfer<Role>[]
  /**
   * Types of seats beside the default one: each has its own limit, and its roles take no seat of another
   * type: `seatTypes({ … })`. Other roles take a seat of the default type. Default null.
   */
  readonly seatTypes?: SeatTypePart<NoInfer<Role>> | null
  /**
   * Sets of permissions in place of the lists above: `permissions({ resources, grants })`. Default null:
   * the permissions follow from the lists.
   */
  readonly permissions?: PermissionPart<NoInfer<Role>, Resources> | null
}

const RULES: Rules<RoleOptions> = {
  all: ANY,
  owner: ANY,
  invitationAdmins: ANY,
  memberAdmins: ANY,
  organizationAdmins: ANY,
  seatless: ANY,
  seatTypes: ['be seatTypes({ … })', (value) => value === null || hasMethods(value, 'typesFor')],
  permissions: [
    'be permissions({ grants })',
    (value) => value === null || hasMethods(value, 'rightsFor'),
  ],
}

// Plain strings: only roles that the host lists are a type.
const ALL: readonly string[] = ['owner', 'admin', 'member']
const ADMINS: readonly string[] = ['owner', 'admin']
const NO_TYPES: SeatTypes = new Map()

/** @throws {TypeError} if one of the options is invalid. */
export function checkedRoles<Role extends string, Resources extends PermissionOptions>(
  options: RoleOptions<Role, Resources> | undefined
): Roles<Role, PermissionOf<Resources>> {
  const given = groupOf('roles', options, RULES)
  const permissions = given.permissions ?? null
  if (given.all && !(given.owner && (given.invitationAdmins || permissions))) {
    throw wrong('roles.all needs roles.owner and roles.invitationAdmins beside it.')
  }
  const { all = ALL as readonly Role[], owner = 'owner' as Role } = given
  checkNames('owner', [owner], all)
  const seatless = checkedSeatless(given.seatless ?? [], { all, owner })
  const seatTypes = given.seatTypes?.typesFor({ all, owner, seatless }) ?? NO_TYPES
  const roles = { all, owner, seatless, seatTypes, extend: null }
  if (permissions !== null) {
    return { ...roles, ...permissions.rightsFor({ ...given, all, owner }), bounded: true }
  }
  const { invitationAdmins = ADMINS as readonly Role[] } = given
  const { memberAdmins = invitationAdmins, organizationAdmins = invitationAdmins } = given
  const lists = { invitationAdmins, memberAdmins, organizationAdmins }
  for (const [name, list] of Object.entries(lists)) {
    checkNames(name, list, all)
    if (list.length === 0) throw wrong(`roles.${name} must not be empty.`)
  }
  return { ...roles, ...rightsOfLists(all, lists), bounded: false }
}

function checkedSeatless<Role extends string>(
  seatless: readonly Role[],
  { all, owner }: Pick<Roles<Role>, 'all' | 'owner'>
): readonly Role[] {
  checkNames('seatless', seatless, all)
  if (seatless.includes(owner)) throw wrong(`roles.seatless must not have the owner "${owner}".`)
  return seatless
}
