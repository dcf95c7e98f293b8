/**
 * Hosts whose organizations make roles and groups, and whose operators act as users.
 *
 * @module
 */
import { impersonation, type ImpersonationContext } from '../../../src/hono/impersonation/index.ts'
import { groups, type GroupsContext } from '../../../src/hono/groups/index.ts'
import { ownRoles, type OwnRolesContext } from '../../../src/hono/roles/index.ts'
import type { FlatOptions } from '../../kit/flat-options.ts'
import type { AccessLibrary } from '../access/host.ts'
import { createRandom } from '../random.ts'

/** What differs from one such history's host to the next. */
export interface DelegationHost {
  /** How many roles and groups an organization may make, and how many members a group may have. */
  readonly roles: number
  readonly groups: number
  readonly groupMembers: number
  /** The longest impersonation, in minutes. */
  readonly minutes: number
}

/** What such a host's Seatgate has. */
export type DelegationLibrary = AccessLibrary &
  GroupsContext &
  OwnRolesContext &
  ImpersonationContext

export function drawDelegation(seed: number): DelegationHost {
  const random = createRandom(seed ^ 0x64656c67)
  return {
    roles: 2 + random.below(4),
    groups: 2 + random.below(4),
    groupMembers: 2 + random.below(6),
    minutes: 1 + random.below(5),
  }
}

/** What the host passes besides the rest. */
export function delegationOptions(host: DelegationHost): Partial<FlatOptions> {
  return {
    ownRoles: ownRoles({ limit: host.roles }),
    groups: groups({ limit: host.groups, memberLimit: host.groupMembers }),
    impersonation: impersonation({
      isOperator: (userId) => userId === 'operator',
      mostMinutes: host.minutes,
    }),
  }
}
