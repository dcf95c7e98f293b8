/**
 * What people do: every operation of the library, chosen so that it is mostly allowed, and often
 * enough not.
 *
 * @module
 */
import type { Deed, Deeds, Occasion } from './deed.ts'
import { host } from './host.ts'
import { invitations } from './invitations.ts'
import { joining } from './joining.ts'
import { members } from './members.ts'
import { organizations, restoreOrganization } from './organizations.ts'
import { readings } from './reading.ts'
import { users } from './users.ts'

/** Every operation of the library in an organization that is there. */
export const deeds: Deeds = {
  ...members,
  ...invitations,
  ...joining,
  ...organizations,
  ...users,
  ...readings,
}

const all = Object.entries({ ...deeds, ...host })
const TOTAL = all.reduce((sum, [, [weight]]) => sum + weight, 0)

/** Decides what somebody does next in this organization. */
export function drawDeed(occasion: Occasion): Deed {
  const { random, organization } = occasion
  if (organization.deleted) {
    return { name: 'restoreOrganization', ...restoreOrganization(occasion) }
  }
  for (;;) {
    let left = random.below(TOTAL)
    const [name = '', chosen] = all.find(([, [weight]]) => (left -= weight) < 0) ?? []
    const made = chosen?.[1](occasion)
    if (made) return { name, ...made }
  }
}
