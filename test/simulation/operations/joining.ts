import * as seatgate from '../../../src/index.ts'
import type { DomainView, RequestView } from '../people.ts'
import {
  administrator,
  anyRole,
  as,
  DOMAIN,
  once,
  outsider,
  repeatable,
  returner,
  type Deeds,
  type Maker,
  type Occasion,
} from './deed.ts'

const whereConfigured =
  (make: Maker): Maker =>
  (occasion) =>
    occasion.joining ? make(occasion) : null

const withDomain = (
  make: (domain: DomainView, by: string, occasion: Occasion) => ReturnType<Maker>
): Maker =>
  whereConfigured((occasion) => {
    const domain = occasion.random.pick(occasion.organization.domains)
    return domain === undefined ? null : make(domain, administrator(occasion), occasion)
  })

const withRequest = (
  make: (request: RequestView, by: string, occasion: Occasion) => ReturnType<Maker>
): Maker =>
  whereConfigured((occasion) => {
    const request = occasion.random.pick(occasion.organization.requests)
    return request === undefined ? null : make(request, administrator(occasion), occasion)
  })

const aMode = ({ random }: Occasion) => random.pick(['auto', 'auto', 'auto', 'request', 'off'])

export const joining: Deeds = {
  addDomain: [
    4,
    whereConfigured((occasion) => {
      const { random, organization } = occasion
      if (organization.domains.length > 1) return null
      const by = administrator(occasion)
      const domain = random.chance(0.9) ? DOMAIN : 'new.example'
      const input = { domain, mode: aMode(occasion) }
      return repeatable(by, (library, options) =>
        seatgate.addDomain(library, as(by, occasion), input as never, options)
      )
    }),
  ],
  verifyDomain: [
    6,
    withDomain(({ id, verified }, by, occasion) =>
      verified ? null : once(by, (library) => seatgate.verifyDomain(library, as(by, occasion), id))
    ),
  ],
  setDomainMode: [
    2,
    withDomain(({ id }, by, occasion) => {
      const input = { mode: aMode(occasion) }
      return once(by, (library) =>
        seatgate.setDomainMode(library, as(by, occasion), id, input as never)
      )
    }),
  ],
  removeDomain: [
    1,
    withDomain(({ id }, by, occasion) =>
      once(by, (library) => seatgate.removeDomain(library, as(by, occasion), id))
    ),
  ],
  joinOrganization: [
    18,
    whereConfigured((occasion) => {
      const { id: organizationId, domains } = occasion.organization
      if (!domains.some(({ verified }) => verified)) return null
      const back = occasion.random.chance(0.3) ? returner(occasion) : undefined
      const by = back ?? outsider(occasion)
      return repeatable(by, (library, options) =>
        seatgate.joinOrganization(library, { caller: { userId: by } }, { organizationId }, options)
      )
    }),
  ],
  approveJoinRequest: [
    6,
    withRequest(({ id }, by, occasion) => {
      const input = occasion.random.chance(0.3) ? { role: anyRole(occasion) } : {}
      return repeatable(by, (library, options) =>
        seatgate.approveJoinRequest(library, as(by, occasion), id, input, options)
      )
    }),
  ],
  declineJoinRequest: [
    2,
    withRequest(({ id }, by, occasion) =>
      repeatable(by, (library, options) =>
        seatgate.declineJoinRequest(library, as(by, occasion), id, options)
      )
    ),
  ],
  withdrawJoinRequest: [
    2,
    withRequest(({ id, user_id: userId }) =>
      once(userId, (library) => seatgate.withdrawJoinRequest(library, { caller: { userId } }, id))
    ),
  ],
}
