import { checkOptionNames, namesOf } from '../../base/names.ts'
import type { ChangeContext } from '../../engine/changes/change-context.ts'
import type { LossContext } from '../../engine/model/leave.ts'
import type { Part } from '../../engine/changes/part.ts'
import { groupFollower } from './end-members.ts'
import { groupsWithRole } from './group-holders.ts'

/** Options of {@link groups}. */
export interface GroupsOptions {
  /** How many groups an organization may have, 1 to 1000. Default 100. */
  readonly limit?: number
  /** How many members a group may have, 1 to 5000. Default 1000. */
  readonly memberLimit?: number
}

/** The part that {@link groups} makes. */
export interface GroupsPart extends Part<'groups'> {
  readonly limit: number
  readonly memberLimit: number
}

/** The context of an operation on groups. */
export interface GroupsContext extends ChangeContext, LossContext {
  readonly groups: GroupsPart
}

const OPTIONS = namesOf<GroupsOptions>({ limit: true, memberLimit: true })

/**
 * Lets organizations sort their members into groups.
 *
 * @throws {TypeError} if an option is invalid.
 *
 * @example
 * ```ts
 * import { groupRoutes, groups } from 'seatgate/groups'
 *
 * const seatgate = createSeatgate({ …, groups: groups({ limit: 50 }) })
 * app.route('/', groupRoutes(seatgate, { authenticate }))
 * ```
 */
export function groups(options: GroupsOptions = {}): GroupsPart {
  checkOptionNames('groups', options, OPTIONS)
  const { limit = 100, memberLimit = 1000 } = options
  checkNumber('limit', limit, 1000)
  checkNumber('memberLimit', memberLimit, 5000)
  return {
    part: 'groups',
    limit,
    memberLimit,
    followers: [groupFollower],
    roleHolders: [groupsWithRole],
  }
}

function checkNumber(name: keyof GroupsOptions, value: unknown, most: number): void {
  if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > most) {
    throw new TypeError(`groups: ${name} must be a whole number from 1 to ${most}.`)
  }
}
