import { namesOf } from '../base/names.ts'
import type { Roles } from '../engine/access/roles.ts'
import { groupOf, wrong } from './option-group.ts'

/** The roles of members. As literals in the call, they type the roles of every operation. */
export interface RoleOptions<Role extends string = string> {
  /** The names of the roles. Default owner, admin, member. They are a set, not a hierarchy. */
  readonly all?: readonly Role[]
  /** The role that at least one member of an organization always has. Default `"owner"`. */
  readonly owner?: NoInfer<Role>
  /** The roles that may invite. Default owner and admin. */
  readonly invitationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may add, suspend and remove members and read the audit trail. Default
   * `invitationAdmins`.
   */
  readonly memberAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that may rename the organization, change its slug and its policy. Default
   * `invitationAdmins`.
   */
  readonly organizationAdmins?: readonly NoInfer<Role>[]
  /**
   * The roles that take no seat, such as viewers and guests: their members and invitations are in no
   * count, and a change to another role claims a seat. Default `[]`. The owner always takes a seat.
   */
  readonly seatless?: readonly NoInfer<Role>[]
}

const NAMES = namesOf<RoleOptions>({
  all: true,
  owner: true,
  invitationAdmins: true,
  memberAdmins: true,
  organizationAdmins: true,
  seatless: true,
})

// Plain strings: only roles that the host lists are a type.
const ALL: readonly string[] = ['owner', 'admin', 'member']
const ADMINS: readonly string[] = ['owner', 'admin']

/** @throws {TypeError} if one of the options is invalid. */
export function checkedRoles<Role extends string>(
  options: RoleOptions<Role> | undefined
): Roles<Role> {
  const given = groupOf('roles', options, NAMES)
  if (given.all && !(given.owner && given.invitationAdmins)) {
    throw wrong('roles.all needs roles.owner and roles.invitationAdmins beside it.')
  }
  const { all = ALL as readonly Role[], owner = 'owner' as Role } = given
  const { invitationAdmins = ADMINS as readonly Role[] } = given
  const { memberAdmins = invitationAdmins, organizationAdmins = invitationAdmins } = given
  const { seatless = [] } = given
  const lists = { owner: [owner], invitationAdmins, memberAdmins, organizationAdmins, seatless }
  for (const [name, roles] of Object.entries(lists)) {
    const stranger = roles.find((role) => !all.includes(role))
    if (stranger !== undefined) {
      throw wrong(`roles.${name} has "${stranger}", which is not in roles.all.`)
    }
    if (roles.length === 0 && name !== 'seatless') throw wrong(`roles.${name} must not be empty.`)
  }
  if (seatless.includes(owner)) throw wrong(`roles.seatless must not have the owner "${owner}".`)
  return { all, owner, invitationAdmins, memberAdmins, organizationAdmins, seatless }
}
