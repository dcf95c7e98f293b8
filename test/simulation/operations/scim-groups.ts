import {
  createScimGroup,
  deleteScimGroup,
  patchScimGroup,
  replaceScimGroup,
} from '../../../src/hono/scim/index.ts'
import type { Occasion } from './deed.ts'
import { byProvider } from './scim.ts'
import type { AccessDeeds, AccessMaker, Ways } from './ways.ts'

const GROUP = 'urn:ietf:params:scim:schemas:core:2.0:Group'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'
const NAMES = ['Design', 'Sales', 'Provided']

const membersOf = ({ random }: Occasion, { facts }: Ways) =>
  [...facts.pushed.keys()].filter(() => random.chance(0.4)).map((value) => ({ value }))

const withGroup =
  (make: (id: string, occasion: Occasion, ways: Ways) => ReturnType<AccessMaker>): AccessMaker =>
  (occasion, ways) => {
    const id = occasion.random.pick([...ways.facts.delegation.groups.keys()])
    return id === undefined ? null : make(id, occasion, ways)
  }

export const scimGroups: AccessDeeds = {
  createScimGroup: [
    2,
    (occasion, ways) => {
      const displayName = occasion.random.pick(NAMES)
      const input = { schemas: [GROUP], displayName, members: membersOf(occasion, ways) }
      return byProvider(occasion, ways, (library, scope) => createScimGroup(library, scope, input))
    },
  ],
  patchScimGroup: [
    5,
    withGroup((id, occasion, ways) => {
      const { random } = occasion
      const op = random.pick(['add', 'add', 'remove', 'replace'])
      const operation = { op, path: 'members', value: membersOf(occasion, ways) }
      const input = { schemas: [PATCH], Operations: [operation] }
      return byProvider(occasion, ways, (library, scope) =>
        patchScimGroup(library, scope, id, input)
      )
    }),
  ],
  replaceScimGroup: [
    2,
    withGroup((id, occasion, ways) => {
      const displayName = occasion.random.pick(NAMES)
      const input = { schemas: [GROUP], displayName, members: membersOf(occasion, ways) }
      return byProvider(occasion, ways, (library, scope) =>
        replaceScimGroup(library, scope, id, input)
      )
    }),
  ],
  deleteScimGroup: [
    1,
    withGroup((id, occasion, ways) =>
      byProvider(occasion, ways, (library, scope) => deleteScimGroup(library, scope, id))
    ),
  ],
}
