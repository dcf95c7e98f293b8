import { SEAT_TYPE_NAME, type SeatTypeRules, type SeatTypes } from '../base/seat-types.ts'
import type { Roles } from '../engine/access/roles.ts'
import type { SeatAmount } from '../engine/seats/entitlement.ts'
import { seatLimit } from '../engine/seats/limit.ts'
import { checkOptionNames } from '../base/names.ts'
import { checkNames, checkOptions, isList, wrong, type Rules } from './option-group.ts'

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

/** Types of seats, made by {@link seatTypes}. */
export interface SeatTypePart<Role extends string = string> {
  readonly types: Readonly<Record<string, SeatTypeOptions<Role>>>
  /** @throws {TypeError} if a name is not valid, or a role is in two types. */
  typesFor(roles: Pick<Roles, 'all' | 'owner' | 'seatless'>): SeatTypes
}

/**
 * Gives roles seats of types with limits of their own: pass it as `seatTypes` of `roles`.
 * `createSeatgate` checks the names and the roles.
 *
 * @example
 * ```ts
 * const roles = {
 *   all: ['owner', 'member', 'viewer'],
 *   owner: 'owner',
 *   invitationAdmins: ['owner'],
 *   seatTypes: seatTypes({ light: { roles: ['viewer'], defaultLimit: 20 } }),
 * }
 * ```
 */
export function seatTypes<const Role extends string>(
  types: Readonly<Record<string, SeatTypeOptions<Role>>>
): SeatTypePart<Role> {
  return { types, typesFor: (roles) => checkedSeatTypes(types, roles) }
}

const RULES: Rules<SeatTypeOptions> = {
  roles: ['not be empty', (value) => isList(value, Boolean) && (value as unknown[]).length > 0],
  defaultLimit: [
    'be "unlimited" or a whole number from 0',
    (value) => value === undefined || seatLimit(value).kind !== 'unknown',
  ],
}

function checkedSeatTypes(
  options: Readonly<Record<string, SeatTypeOptions>>,
  { all, owner, seatless }: Pick<Roles, 'all' | 'owner' | 'seatless'>
): SeatTypes {
  const takenBy = new Map<string, string>()
  checkOptionNames('createSeatgate', options, Object.keys(options), 'roles.seatTypes')
  const types = Object.entries(options).map(([name, type]): [string, SeatTypeRules] => {
    const where = `roles.seatTypes.${name}`
    if (!SEAT_TYPE_NAME.test(name)) {
      throw wrong(`${where} must have a name of lower-case letters, digits and "_", at most 31.`)
    }
    checkOptions(type, RULES, where)
    const { roles, defaultLimit = 'unlimited' } = type
    checkNames(`seatTypes.${name}.roles`, roles, all)
    for (const role of roles) {
      if (role === owner) throw wrong(`${where}.roles must not have the owner "${owner}".`)
      const other = seatless.includes(role) ? 'roles.seatless' : takenBy.get(role)
      if (other !== undefined) throw wrong(`the role "${role}" is in ${other} and in ${where}.`)
      takenBy.set(role, where)
    }
    return [name, { roles, defaultLimit }]
  })
  return new Map(types)
}
