/**
 * What people do: every operation of the library, chosen so that it is mostly allowed, and often
 * enough not.
 *
 * @module
 */
import type { Deed, Deeds, Occasion } from './deed.ts'
import { groups } from './groups.ts'
import { host } from './host.ts'
import { actAsUser, impersonations } from './impersonation.ts'
import { invitations } from './invitations.ts'
import { actByKey, keys } from './keys.ts'
import { links } from './links.ts'
import { joining } from './joining.ts'
import { members } from './members.ts'
import { organizations, restoreOrganization } from './organizations.ts'
import { readings } from './reading.ts'
import { roles } from './roles.ts'
import { scimGroups } from './scim-groups.ts'
import { scim } from './scim.ts'
import { users } from './users.ts'
import type { AccessDeeds } from './ways.ts'

/** Every operation of the library in an organization that is there. */
export const deeds: Deeds = {
  ...members,
  ...invitations,
  ...joining,
  ...organizations,
  ...users,
  ...readings,
}

/** What is done where there are links, keys and identity providers. */
export const accessDeeds: AccessDeeds = { ...links, ...keys, ...scim }

/** What is done where organizations make roles and groups, and operators act as users. */
export const delegationDeeds: AccessDeeds = {
  ...roles,
  ...groups,
  ...scimGroups,
  ...impersonations,
}

type Weighed = readonly (readonly [string, Deeds[string]])[]

const ofAll: Weighed = Object.entries({ ...deeds, ...host })

const { createOrganization } = organizations

// What users found, their limits are for.
const withAccess: Weighed = [
  ...ofAll,
  ...inWays({ ...accessDeeds, actByKey: [16, actByKey] }),
  ...(createOrganization ? [['createOrganization', [4, createOrganization[1]]] as const] : []),
]

const withDelegation: Weighed = [
  ...withAccess,
  ...inWays({ ...delegationDeeds, actAsUser: [24, actAsUser] }),
]

const totalOf = (weighed: Weighed) => weighed.reduce((sum, [, [weight]]) => sum + weight, 0)
const [TOTAL, TOTAL_WITH_ACCESS, TOTAL_WITH_DELEGATION] = [
  totalOf(ofAll),
  totalOf(withAccess),
  totalOf(withDelegation),
]

/** Decides what somebody does next in this organization. */
export function drawDeed(occasion: Occasion): Deed {
  const { random, organization, ways } = occasion
  const [all, total] = ways?.host.delegation
    ? [withDelegation, TOTAL_WITH_DELEGATION]
    : ways
      ? [withAccess, TOTAL_WITH_ACCESS]
      : [ofAll, TOTAL]
  if (organization.deleted && !(ways && random.chance(0.3))) {
    return { name: 'restoreOrganization', ...restoreOrganization(occasion) }
  }
  for (;;) {
    let left = random.below(total)
    const [name = '', chosen] = all.find(([, [weight]]) => (left -= weight) < 0) ?? []
    const made = chosen?.[1](occasion)
    if (made) return { name, ...made }
  }
}

function inWays(made: AccessDeeds): Weighed {
  return Object.entries(made).map(
    ([name, [weight, make]]) =>
      [
        name,
        [weight, (occasion: Occasion) => (occasion.ways ? make(occasion, occasion.ways) : null)],
      ] as const
  )
}
