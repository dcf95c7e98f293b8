/**
 * What people do: every operation of the library, chosen so that it is mostly allowed, and often
 * enough not.
 *
 * @module
 */
import type { Deed, Deeds, Occasion } from './deed.ts'
import { host } from './host.ts'
import { invitations } from './invitations.ts'
import { actByKey, keys } from './keys.ts'
import { links } from './links.ts'
import { joining } from './joining.ts'
import { members } from './members.ts'
import { organizations, restoreOrganization } from './organizations.ts'
import { readings } from './reading.ts'
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

type Weighed = readonly (readonly [string, Deeds[string]])[]

const ofAll: Weighed = Object.entries({ ...deeds, ...host })

const { createOrganization } = organizations

// What users found, their limits are for.
const withAccess: Weighed = [
  ...ofAll,
  ...Object.entries({ ...accessDeeds, actByKey: [16, actByKey] } satisfies AccessDeeds).map(
    ([name, [weight, make]]) =>
      [
        name,
        [weight, (occasion: Occasion) => (occasion.ways ? make(occasion, occasion.ways) : null)],
      ] as const
  ),
  ...(createOrganization ? [['createOrganization', [4, createOrganization[1]]] as const] : []),
]

const totalOf = (weighed: Weighed) => weighed.reduce((sum, [, [weight]]) => sum + weight, 0)
const [TOTAL, TOTAL_WITH_ACCESS] = [totalOf(ofAll), totalOf(withAccess)]

/** Decides what somebody does next in this organization. */
export function drawDeed(occasion: Occasion): Deed {
  const { random, organization, ways } = occasion
  const all = ways ? withAccess : ofAll
  const total = ways ? TOTAL_WITH_ACCESS : TOTAL
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
