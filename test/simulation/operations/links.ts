import * as seatgate from '../../../src/index.ts'
import {
  administrator,
  as,
  DOMAIN,
  once,
  outsider,
  ownOr,
  repeatable,
  returner,
  type Maker,
  type Occasion,
} from './deed.ts'
import { keeping, liveOr, type AccessDeeds, type Ways } from './ways.ts'

const LINK_ROLES = ['member', 'member', 'member', 'guest', 'admin', 'recruiter']

const withLink =
  (
    make: (link: { id: string; token: string }, occasion: Occasion, ways: Ways) => ReturnType<Maker>
  ) =>
  (occasion: Occasion, ways: Ways) => {
    const open = [...ways.facts.links].filter(
      ([, { revoked_at, uses_left }]) => revoked_at === null && uses_left > 0
    )
    const id = liveOr(occasion, open, ways.facts.links)
    const token = ways.secrets.get(id ?? '')
    return id === undefined || token === undefined ? null : make({ id, token }, occasion, ways)
  }

export const links: AccessDeeds = {
  createInviteLink: [
    6,
    (occasion, ways) => {
      const { random } = occasion
      const by = administrator(occasion)
      const input = {
        role: ownOr(occasion, random.pick(LINK_ROLES) ?? 'member'),
        maxUses: 1 + random.below(3),
        ttlSeconds: 60 + random.below(3_600),
        ...(random.chance(0.2) && { domain: DOMAIN }),
      }
      return repeatable(by, async (library, options) =>
        keeping(
          ways,
          'token',
          await seatgate.createInviteLink(library, as(by, occasion), input, options)
        )
      )
    },
  ],
  joinByLink: [
    22,
    withLink(({ token }, occasion) => {
      const back = occasion.random.chance(0.1) ? returner(occasion) : undefined
      const by = back ?? outsider(occasion)
      return repeatable(by, (library, options) =>
        seatgate.joinByLink(library, { caller: { userId: by } }, { token }, options)
      )
    }),
  ],
  revokeInviteLink: [
    2,
    withLink(({ id }, occasion) => {
      const by = administrator(occasion)
      return once(by, (library) => seatgate.revokeInviteLink(library, as(by, occasion), id))
    }),
  ],
}
