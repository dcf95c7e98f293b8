import {
  addToGroup,
  createGroup,
  deleteGroup,
  removeFromGroup,
  updateGroup,
} from '../../../src/hono/groups/index.ts'
import { administrator, as, ownOr, repeatable, type Occasion } from './deed.ts'
import { delegated, type AccessDeeds, type AccessMaker, type Ways } from './ways.ts'

// Some differ by the case of their letters alone.
const NAMES = ['Design', 'design', 'Sales', 'SALES', 'Support', 'Operations']

const nameOf = ({ random }: Occasion) => random.pick(NAMES) ?? ''

const CARRIED = ['admin', 'admin', 'recruiter', 'recruiter', 'member', 'owner', null]

const carriedRole = (occasion: Occasion) => ownOr(occasion, occasion.random.pick(CARRIED))

const withGroup =
  (make: (id: string, by: string, occasion: Occasion, ways: Ways) => ReturnType<AccessMaker>) =>
  (occasion: Occasion, ways: Ways) => {
    const ids = [...ways.facts.delegation.groups.keys()]
    // Most of it happens in one.
    const id = occasion.random.chance(0.6) ? ids[0] : occasion.random.pick(ids)
    return id === undefined ? null : make(id, administrator(occasion), occasion, ways)
  }

const someMembers = ({ random, organization, userIds }: Occasion): readonly string[] => {
  const inside = organization.members.map(({ user_id }) => user_id)
  return Array.from(
    { length: 1 + random.below(3) },
    () => random.pick(random.chance(0.95) ? inside : userIds) ?? ''
  )
}

export const groups: AccessDeeds = {
  createGroup: [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const input = { name: nameOf(occasion), role: carriedRole(occasion) }
      return repeatable(by, (library, options) =>
        createGroup(delegated(library), as(by, occasion), input, options)
      )
    },
  ],
  updateGroup: [
    12,
    withGroup((id, by, occasion) => {
      const { random } = occasion
      const renames = random.chance(0.3)
      const input = {
        ...(renames && { name: nameOf(occasion) }),
        ...((!renames || random.chance(0.4)) && { role: carriedRole(occasion) }),
      }
      return repeatable(by, (library, options) =>
        updateGroup(delegated(library), as(by, occasion), id, input, options)
      )
    }),
  ],
  deleteGroup: [
    3,
    withGroup((id, by, occasion) =>
      repeatable(by, (library, options) =>
        deleteGroup(delegated(library), as(by, occasion), id, options)
      )
    ),
  ],
  addToGroup: [
    20,
    withGroup((id, by, occasion) => {
      const input = { userIds: someMembers(occasion) }
      return repeatable(by, (library, options) =>
        addToGroup(delegated(library), as(by, occasion), id, input, options)
      )
    }),
  ],
  removeFromGroup: [
    8,
    withGroup((id, by, occasion, { facts }) => {
      const { random, userIds } = occasion
      const inside = facts.delegation.groups.get(id)?.userIds ?? []
      const target = random.pick(random.chance(0.95) ? inside : userIds)
      if (target === undefined) return null
      const leaves = random.chance(0.3) ? target : by
      return repeatable(leaves, (library, options) =>
        removeFromGroup(delegated(library), as(leaves, occasion), id, target, options)
      )
    }),
  ],
}
