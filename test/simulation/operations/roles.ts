import { createRole, deleteRole, updateRole } from '../../../src/hono/roles/index.ts'
import { PERMISSIONS, ROLES } from '../access/rights.ts'
import { administrator, as, repeatable, type Occasion } from './deed.ts'
import { delegated, type AccessDeeds, type Ways } from './ways.ts'

// Few, so that one that was deleted is soon made again.
const NAMES = ['auditor', 'billing', 'helper', 'lead', 'writer']

const nameOf = ({ random }: Occasion, { facts }: Ways) =>
  random.pick(random.chance(0.9) ? Object.keys(facts.delegation.own) : NAMES)

const somePermissions = ({ random }: Occasion) => PERMISSIONS.filter(() => random.chance(0.6))

/** All but one, or one or two more or less. */
function otherPermissions({ random }: Occasion, had: readonly string[]): readonly string[] {
  if (random.chance(0.4)) {
    const lost = random.chance(0.5) ? 'members:invite' : random.pick(had)
    return had.filter((each) => each !== lost)
  }
  const changed = new Set([random.pick(PERMISSIONS), random.pick(PERMISSIONS)])
  return PERMISSIONS.filter((each) => had.includes(each) !== changed.has(each))
}

export const roles: AccessDeeds = {
  createRole: [
    8,
    (occasion) => {
      const by = administrator(occasion)
      const name = occasion.random.pick(NAMES) ?? ''
      const input = { name, permissions: somePermissions(occasion) }
      return repeatable(by, (library, options) =>
        createRole(delegated(library), as(by, occasion), input, options)
      )
    },
  ],
  updateRole: [
    10,
    (occasion, ways) => {
      const { random } = occasion
      const name = nameOf(occasion, ways)
      if (name === undefined) return null
      const by = administrator(occasion)
      const had = ways.facts.delegation.own[name] ?? []
      const renames = random.chance(0.5)
      const input = {
        ...(renames && { name: random.pick(NAMES) }),
        ...((!renames || random.chance(0.4)) && { permissions: otherPermissions(occasion, had) }),
      }
      return repeatable(by, (library, options) =>
        updateRole(delegated(library), as(by, occasion), name, input, options)
      )
    },
  ],
  deleteRole: [
    6,
    (occasion, ways) => {
      const { random } = occasion
      const name = nameOf(occasion, ways)
      if (name === undefined) return null
      const by = administrator(occasion)
      const others = [...ROLES, ...Object.keys(ways.facts.delegation.own)]
      const input = random.chance(0.6) ? { replacement: random.pick(others) } : {}
      return repeatable(by, (library, options) =>
        deleteRole(delegated(library), as(by, occasion), name, input, options)
      )
    },
  ],
}
