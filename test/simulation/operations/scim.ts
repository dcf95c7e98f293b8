import type { Result } from '../../../src/index.ts'
import {
  createScimToken,
  createScimUser,
  deleteScimUser,
  patchScimUser,
  replaceScimUser,
  revokeScimToken,
  rotateScimToken,
  scopeOfToken,
} from '../../../src/hono/scim/index.ts'
import type { FullSeatgate } from '../../kit/flat-options.ts'
import type { AccessLibrary } from '../access/host.ts'
import type { DelegationLibrary } from '../delegation/host.ts'
import { addressOf, administrator, as, DOMAIN, once, outsider, type Occasion } from './deed.ts'
import { delegated, keeping, whole, type AccessDeeds, type AccessMaker, type Ways } from './ways.ts'

const USER = 'urn:ietf:params:scim:schemas:core:2.0:User'
const PATCH = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

type TokenScope = NonNullable<Awaited<ReturnType<typeof scopeOfToken>>>

type Scope = TokenScope & { readonly requestId: string }

/** The id of a token, at times of one that has ended. */
function aToken({ random }: Occasion, { facts, secrets }: Ways): string | undefined {
  const told = [...secrets.keys()].filter((id) => secrets.get(id)?.startsWith('scim_'))
  const here = told.filter((id) => facts.tokens.has(id))
  return random.pick(random.chance(0.9) ? here : told)
}

/** What an identity provider does with a token. */
const withToken = (
  id: string,
  { secrets }: Ways,
  push: (library: FullSeatgate, scope: TokenScope) => Promise<Result<unknown>>
) => {
  const token = secrets.get(id) ?? ''
  const pushed = once(`token ${id}`, async (library) => {
    const scope = await scopeOfToken(library, token)
    if (scope === null) return { ok: false, error: { code: 'unauthenticated' } }
    return push(library, scope)
  })
  return { ...pushed, organizationId: token.split('_')[1] }
}

/** Something that an identity provider does with groups. */
export function byProvider(
  occasion: Occasion,
  ways: Ways,
  push: (library: DelegationLibrary, scope: TokenScope) => Promise<Result<unknown>>
): ReturnType<AccessMaker> {
  const id = aToken(occasion, ways)
  if (id === undefined) return null
  return withToken(id, ways, (library, scope) => push(delegated(library), scope))
}

/** Something that the identity provider does. Its request says whether the person is to be in or out. */
const pushing =
  (
    make: (
      occasion: Occasion,
      ways: Ways
    ) => {
      readonly wish: 'in' | 'out'
      readonly push: (library: AccessLibrary, scope: Scope) => Promise<Result<unknown>>
    } | null
  ): AccessMaker =>
  (occasion, ways) => {
    const id = aToken(occasion, ways)
    const made = id === undefined ? null : make(occasion, ways)
    if (id === undefined || made === null) return null
    const requestId = `scim ${made.wish} ${occasion.fresh()}`
    return withToken(id, ways, (library, scope) =>
      made.push(whole(library), { ...scope, requestId })
    )
  }

const wishOf = ({ random }: Occasion, inside: number) =>
  random.chance(inside) ? ('in' as const) : ('out' as const)

const pushedOne = ({ random }: Occasion, { facts }: Ways) => random.pick([...facts.pushed.keys()])

export const scim: AccessDeeds = {
  createScimToken: [
    4,
    (occasion, ways) => {
      const { random, now } = occasion
      const by = administrator(occasion)
      const expiresAt = random.chance(0.3) ? new Date(now + random.between(2_000, 600_000)) : null
      return once(by, async (library) =>
        keeping(
          ways,
          'token',
          await createScimToken(whole(library), as(by, occasion), { name: 'a provider', expiresAt })
        )
      )
    },
  ],
  rotateScimToken: [
    1,
    (occasion, ways) => {
      const id = occasion.random.pick([...ways.facts.tokens.keys()])
      if (id === undefined) return null
      const by = administrator(occasion)
      const input = { overlapHours: occasion.random.chance(0.6) ? 0 : 1 }
      return once(by, async (library) =>
        keeping(ways, 'token', await rotateScimToken(whole(library), as(by, occasion), id, input))
      )
    },
  ],
  revokeScimToken: [
    1,
    (occasion, ways) => {
      const id = occasion.random.pick([...ways.facts.tokens.keys()])
      if (id === undefined) return null
      const by = administrator(occasion)
      return once(by, (library) => revokeScimToken(whole(library), as(by, occasion), id))
    },
  ],
  createScimUser: [
    12,
    pushing((occasion) => {
      const { random } = occasion
      const wish = wishOf(occasion, 0.8)
      const strangers = `pushed-${1 + random.below(6)}@${DOMAIN}`
      const userName = random.chance(0.7) ? addressOf(outsider(occasion)) : strangers
      const input = { schemas: [USER], userName, active: wish === 'in' }
      return { wish, push: (library, scope) => createScimUser(library, scope, input) }
    }),
  ],
  replaceScimUser: [
    4,
    pushing((occasion, ways) => {
      const id = pushedOne(occasion, ways)
      if (id === undefined) return null
      const wish = wishOf(occasion, 0.5)
      const userName = ways.facts.pushed.get(id)?.user_name
      const title = occasion.fresh()
      const input = { schemas: [USER], userName, title, active: wish === 'in' }
      return { wish, push: (library, scope) => replaceScimUser(library, scope, id, input) }
    }),
  ],
  patchScimUser: [
    8,
    pushing((occasion, ways) => {
      const id = pushedOne(occasion, ways)
      if (id === undefined) return null
      const wish = wishOf(occasion, 0.5)
      const operation = { op: 'replace', path: 'active', value: wish === 'in' }
      const input = { schemas: [PATCH], Operations: [operation] }
      return { wish, push: (library, scope) => patchScimUser(library, scope, id, input) }
    }),
  ],
  deleteScimUser: [
    3,
    pushing((occasion, ways) => {
      const id = pushedOne(occasion, ways)
      if (id === undefined) return null
      return { wish: 'out', push: (library, scope) => deleteScimUser(library, scope, id) }
    }),
  ],
}
