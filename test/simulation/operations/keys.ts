import * as seatgate from '../../../src/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import {
  authenticateKeys,
  createApiKey,
  revokeApiKey,
  rotateApiKey,
} from '../../../src/hono/keys/index.ts'
import {
  addressOf,
  administrator,
  anyRole,
  as,
  once,
  outsider,
  removable,
  repeatable,
  type Act,
  type Occasion,
} from './deed.ts'
import { keeping, whole, type AccessDeeds, type AccessMaker, type Ways } from './ways.ts'

const PERMISSIONS = ['members:invite', 'organization:update', 'billing:manage', 'project:read']

const rightsOfKey = ({ random }: Occasion, { host }: Ways) =>
  host.bounded
    ? { permissions: ['members:manage', ...PERMISSIONS.filter(() => random.chance(0.5))] }
    : { role: random.pick(['admin', 'admin', 'recruiter', 'member']) ?? 'admin' }

const withKey =
  (make: (id: string, by: string, occasion: Occasion, ways: Ways) => ReturnType<AccessMaker>) =>
  (occasion: Occasion, ways: Ways) => {
    const id = occasion.random.pick([...ways.facts.keys.keys()])
    return id === undefined ? null : make(id, administrator(occasion), occasion, ways)
  }

/** Something that a machine does, or an operator as a user. */
export function actOf(
  occasion: Occasion,
  caller: (library: FullSeatgate) => seatgate.Caller,
  request: { readonly requestId?: string } = {}
): Act {
  const scopeIn = (library: FullSeatgate) => ({
    ...request,
    caller: caller(library),
    organization: occasion.organization.id,
  })
  const role = anyRole(occasion) as never
  const userId = outsider(occasion)
  const target = removable(occasion)
  const acts: readonly Act[] = [
    (library) => seatgate.addMember(library, scopeIn(library), { userId, role }),
    (library) => seatgate.addMember(library, scopeIn(library), { userId, role: 'member' as never }),
    (library) => seatgate.removeMember(library, scopeIn(library), target),
    (library) => seatgate.suspendMember(library, scopeIn(library), target),
    (library) => seatgate.changeRole(library, scopeIn(library), target, { role }),
    (library) =>
      seatgate.createInvitation(library, scopeIn(library), { email: addressOf(userId), role }),
  ]
  return occasion.random.pick(acts) ?? acts[0]!
}

export const keys: AccessDeeds = {
  createApiKey: [
    6,
    (occasion, ways) => {
      const { random, now } = occasion
      const by = administrator(occasion)
      const input = {
        name: 'a machine',
        ...rightsOfKey(occasion, ways),
        ...(random.chance(0.4) && { expiresAt: new Date(now + random.between(2_000, 600_000)) }),
        endsWithCreator: random.chance(0.6),
      }
      return repeatable(by, async (library, options) =>
        keeping(ways, 'key', await createApiKey(whole(library), as(by, occasion), input, options))
      )
    },
  ],
  rotateApiKey: [
    2,
    withKey((id, by, occasion, ways) => {
      const input = { overlapHours: occasion.random.chance(0.7) ? 0 : 1 }
      return repeatable(by, async (library, options) =>
        keeping(
          ways,
          'key',
          await rotateApiKey(whole(library), as(by, occasion), id, input, options)
        )
      )
    }),
  ],
  revokeApiKey: [
    3,
    withKey((id, by, occasion) =>
      once(by, (library) => revokeApiKey(whole(library), as(by, occasion), id))
    ),
  ],
}

/** What machines do with a key, one that has ended at times. */
export const actByKey: AccessMaker = (occasion, { facts, secrets }) => {
  const { random } = occasion
  const told = [...secrets.keys()].filter((id) => secrets.get(id)?.startsWith('sg_live_'))
  const here = told.filter((id) => facts.keys.has(id))
  const id = random.pick(random.chance(0.85) && here.length > 0 ? here : told)
  if (id === undefined) return null
  const key = secrets.get(id) ?? ''
  const header = () => `Bearer ${key}`
  const act = actOf(
    occasion,
    (library) => authenticateKeys(whole(library))({ req: { header } } as never) as seatgate.Caller
  )
  return once(`key ${id}`, act)
}
