import * as seatgate from '../../../src/index.ts'
import {
  administrator,
  anyMember,
  anyRole,
  as,
  loser,
  once,
  outsider,
  removable,
  repeatable,
  type Deeds,
  type Occasion,
  PASSWORD,
} from './deed.ts'

const suspendedIn = ({ organization }: Occasion) =>
  organization.members.filter((row) => row.status === 'suspended')

export const members: Deeds = {
  addMember: [
    26,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: outsider(occasion), role: anyRole(occasion) }
      return repeatable(by, (library, options) =>
        seatgate.addMember(library, as(by, occasion), input as never, options)
      )
    },
  ],
  prepareMember: [
    2,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: outsider(occasion), role: 'member' }
      return once(by, async (library) => {
        const prepared = await seatgate.prepareMember(library, as(by, occasion), input)
        return prepared.ok ? seatgate.commitTogether(library, prepared.value) : prepared
      })
    },
  ],
  removeMember: [
    14,
    (occasion) => {
      const by = administrator(occasion)
      const target = loser(occasion)
      return repeatable(by, (library, options) =>
        seatgate.removeMember(library, as(by, occasion), target, options)
      )
    },
  ],
  leaveOrganization: [
    4,
    (occasion) => {
      const by = removable(occasion)
      if (by === '') return null
      return repeatable(by, (library, options) =>
        seatgate.leaveOrganization(library, as(by, occasion), options)
      )
    },
  ],
  suspendMember: [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const target = loser(occasion)
      return repeatable(by, (library, options) =>
        seatgate.suspendMember(library, as(by, occasion), target, options)
      )
    },
  ],
  restoreMember: [
    7,
    (occasion) => {
      const by = administrator(occasion)
      const target = occasion.random.pick(suspendedIn(occasion))?.user_id
      if (target === undefined) return null
      return repeatable(by, (library, options) =>
        seatgate.restoreMember(library, as(by, occasion), target, options)
      )
    },
  ],
  restoreMembers: [
    3,
    (occasion) => {
      const by = administrator(occasion)
      const suspended = suspendedIn(occasion)
      if (suspended.length === 0) return null
      const input = { userIds: suspended.slice(0, 3).map((row) => row.user_id) }
      return repeatable(by, (library, options) =>
        seatgate.restoreMembers(library, as(by, occasion), input, options)
      )
    },
  ],
  changeRole: [
    6,
    (occasion) => {
      const by = administrator(occasion)
      const target = loser(occasion)
      const input = { role: anyRole(occasion) }
      return repeatable(by, (library, options) =>
        seatgate.changeRole(library, as(by, occasion), target, input as never, options)
      )
    },
  ],
  transferOwnership: [
    3,
    (occasion) => {
      const by = administrator(occasion)
      const input = { userId: anyMember(occasion)?.user_id ?? '', password: PASSWORD }
      return repeatable(by, (library, options) =>
        seatgate.transferOwnership(library, as(by, occasion), input, options)
      )
    },
  ],
}
