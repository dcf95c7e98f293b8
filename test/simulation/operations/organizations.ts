import * as seatgate from '../../../src/index.ts'
import {
  administrator,
  as,
  byOperator,
  once,
  operator,
  PASSWORD,
  repeatable,
  type Deeds,
  type Occasion,
} from './deed.ts'

const renaming = (rename: typeof seatgate.renameOrganization) => (occasion: Occasion) => {
  const by = administrator(occasion)
  const input = { name: `Renamed ${occasion.fresh()}` }
  return repeatable(by, (library, options) => rename(library, as(by, occasion), input, options))
}

export const organizations: Deeds = {
  createOrganization: [
    2,
    ({ random, userIds, fresh }) => {
      const by = random.pick(userIds) ?? ''
      const input = { name: 'Further', slug: `s${fresh()}` }
      return repeatable(by, (library, options) =>
        seatgate.createOrganization(library, { caller: { userId: by } }, input, options)
      )
    },
  ],
  prepareOrganization: [
    1,
    ({ random, userIds, fresh }) => {
      const by = random.pick(userIds) ?? ''
      const input = { name: 'Composed', slug: `s${fresh()}` }
      return once(by, async (library) => {
        const scope = { caller: { userId: by } }
        const prepared = await seatgate.prepareOrganization(library, scope, input)
        return prepared.ok ? seatgate.commitTogether(library, prepared.value) : prepared
      })
    },
  ],
  renameOrganization: [1, renaming(seatgate.renameOrganization)],
  updateOrganization: [1, renaming(seatgate.updateOrganization)],
  updateSlug: [
    1,
    (occasion) => {
      const by = administrator(occasion)
      const { slug: confirmSlug } = occasion.organization
      const input = { slug: `s${occasion.fresh()}`, confirmSlug, password: PASSWORD }
      return repeatable(by, (library, options) =>
        seatgate.updateSlug(library, as(by, occasion), input, options)
      )
    },
  ],
  softDeleteOrganization: [
    2,
    (occasion) => {
      const by = administrator(occasion)
      const input = { confirmName: occasion.organization.name, password: PASSWORD }
      return repeatable(by, (library, options) =>
        seatgate.softDeleteOrganization(library, as(by, occasion), input, options)
      )
    },
  ],
  setMfaPolicy: [
    1,
    (occasion) => {
      const by = administrator(occasion)
      const input = { enabled: occasion.random.chance(0.5) }
      const checks = { mfaCheck: (_userId: string) => true }
      return once(by, (library) => seatgate.setMfaPolicy(library, as(by, occasion), input, checks))
    },
  ],
  setSeatLimit: [
    8,
    ({ random, organization }) => {
      const used = organization.members.length + organization.unfinished.length
      const around = random.chance(0.5) ? random.below(used + 2) : Math.max(1, used - 1)
      const limit = random.chance(0.05) ? 'unlimited' : around
      // Somebody who sends versions of their own may send them in any order.
      const version = random.chance(0.2) ? { version: 1 + random.below(12) } : {}
      const scope = { caller: operator, organization: organization.id }
      return once('operator', (library) =>
        seatgate.setSeatLimit(library, scope, { limit, ...version })
      )
    },
  ],
  setEntitlement: [
    3,
    ({ random, organization }) => {
      const used = organization.members.length + organization.unfinished.length
      const input = {
        included: random.chance(0.1) ? ('unlimited' as const) : random.below(used + 3),
        ...(random.chance(0.4) && { purchased: random.below(3) }),
        ...(random.chance(0.3) && { cap: 1 + random.below(used + 2) }),
        reason: 'contract',
      }
      const scope = { caller: operator, organization: organization.id }
      return once('operator', (library) => seatgate.setEntitlement(library, scope, input))
    },
  ],
  rebuildSeats: [1, byOperator(seatgate.rebuildSeats)],
  verifySeats: [1, byOperator(seatgate.verifySeats)],
}

/** All that can be done with an organization that is deleted. */
export const restoreOrganization = ({ organization }: Occasion) =>
  repeatable('operator', (library, options) =>
    seatgate.restoreOrganization(library, { caller: operator }, organization.id, options)
  )
