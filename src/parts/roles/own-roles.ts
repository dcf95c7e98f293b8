import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { Part, PartContext } from '../../engine/changes/part.ts'
import type { Roles } from '../../engine/access/roles.ts'
import type { LossContext } from '../../engine/model/leave.ts'
import type { RoleHolderContext } from '../../engine/model/role-holders.ts'
import { extend } from './role.ts'

/** Options of {@link ownRoles}. */
export interface OwnRolesOptions {
  /** How many roles an organization may make, 1 to 100. Default 20. */
  readonly limit?: number
}

/** The part that {@link ownRoles} makes. */
export interface OwnRolesPart extends Part<'ownRoles'> {
  readonly limit: number
  readonly extend: NonNullable<Roles['extend']>
}

/** The context of an operation on own roles. */
export interface OwnRolesContext extends ChangeContext, LossContext, RoleHolderContext {
  readonly ownRoles: OwnRolesPart
}

const OPTIONS = namesOf<OwnRolesOptions>({ limit: true })
const MOST_ROLES = 100

/**
 * Lets organizations create their own roles as sets of the configured permissions. Requires
 * `roles.permissions`.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * import { ownRoles, roleRoutes } from 'seatgate/roles'
 *
 * const seatgate = createSeatgate({
 *   …,
 *   roles: { permissions: permissions({ grants: { admin: ['*'] } }) },
 *   ownRoles: ownRoles(),
 * })
 * app.route('/', roleRoutes(seatgate, { authenticate }))
 * ```
 */
export function ownRoles(options: OwnRolesOptions = {}): OwnRolesPart {
  checkOptionNames('ownRoles', options, OPTIONS)
  const { limit = 20 } = options
  if (!Number.isInteger(limit) || limit < 1 || limit > MOST_ROLES) {
    throw new TypeError(`ownRoles: limit must be a whole number from 1 to ${MOST_ROLES}.`)
  }
  return {
    part: 'ownRoles',
    limit,
    extend,
    check({ roles }: PartContext) {
      if (!roles.bounded) throw new TypeError('createSeatgate: ownRoles needs roles.permissions.')
    },
  }
}
