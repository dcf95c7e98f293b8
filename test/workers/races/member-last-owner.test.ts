import { beforeEach, describe, expect, it } from 'vitest'
import {
  changeRole,
  commitTogether,
  deleteUser,
  prepareUserDeletion,
  removeMember,
  suspendMember,
  transferOwnership,
  type Result,
} from '../../../src/index.ts'
import {
  shareOf,
  readState,
  violations,
  violationsIn,
  everything,
  kitWithHooks,
  pointerOf,
  sessionOf,
  freshStores,
  testEnv,
  WHOLE,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  PASSWORD,
  type Provider,
  type TestOrganization,
  type Kit,
} from '../../kit/index.ts'

// Each of the two worlds once, and each order of the two; `npm run scale` for more.
const ORGANIZATIONS = WHOLE ? 2 : 1
const ROUNDS = WHOLE ? 10 : 2

const host = { type: 'system' } as const

/** Takes `target` out of the owners. */
type Out = (
  kit: Kit,
  organization: TestOrganization,
  target: string,
  other: string
) => Promise<Result<unknown>>

const byHost = ({ id }: TestOrganization) => ({ caller: host, organization: id })

/** What an owner does, or has done by the other owner. */
const BY_PEOPLE = {
  leaves: ({ seatgate }, { as }, target) => removeMember(seatgate, as(target), target),
  'is removed': ({ seatgate }, { as }, target, other) => removeMember(seatgate, as(other), target),
  'steps down': ({ seatgate }, { as }, target) =>
    changeRole(seatgate, as(target), target, { role: 'admin' }),
  'is demoted': ({ seatgate }, { as }, target, other) =>
    changeRole(seatgate, as(other), target, { role: 'member' }),
  'suspends themselves': ({ seatgate }, { as }, target) =>
    suspendMember(seatgate, as(target), target),
  'is suspended': ({ seatgate }, { as }, target, other) =>
    suspendMember(seatgate, as(other), target),
  'deletes the account': ({ seatgate }, _organization, userId) =>
    deleteUser(seatgate, { caller: { userId } }, { password: PASSWORD }),
} satisfies Record<string, Out>

/** The same by the host: it has no membership that could change, so nothing but the guard refuses. */
const BY_HOST = {
  'is removed by the host': ({ seatgate }, organization, target) =>
    removeMember(seatgate, byHost(organization), target),
  'is demoted by the host': ({ seatgate }, organization, target) =>
    changeRole(seatgate, byHost(organization), target, { role: 'member' }),
  'is suspended by the host': ({ seatgate }, organization, target) =>
    suspendMember(seatgate, byHost(organization), target),
  'is deleted by the host': async ({ seatgate }, _organization, target) => {
    const leaving = await prepareUserDeletion(seatgate, { caller: host }, target)
    return leaving.ok ? commitTogether(seatgate, leaving.value) : leaving
  },
} satisfies Record<string, Out>

const OUTS: Readonly<Record<string, Out>> = { ...BY_PEOPLE, ...BY_HOST }
const people = Object.keys(BY_PEOPLE)
const all = Object.keys(OUTS)

// Each pair once. What people do to one another is raced with a ledger in membership-owners.test.ts.
const pairs = all.flatMap((first, index) =>
  all
    .slice(index)
    .flatMap((second) =>
      enforcing
        .filter(
          (provider) => provider === 'd1' || !people.includes(first) || !people.includes(second)
        )
        .map((provider) => ({ first, second, provider }))
    )
)

const REFUSALS = [
  'last_owner',
  'insufficient_role',
  'organization_not_found',
  // A prepared deletion is prepared anew.
  'operation_in_progress',
]

/**
 * Has two owners act at once, again and again: whoever is left takes in another one for the next
 * round, so that there is one organization, and one ledger, to be made.
 */
async function eachRound(...race: Parameters<typeof inOneOrganization>) {
  await Promise.all(Array.from({ length: ORGANIZATIONS }, () => inOneOrganization(...race)))
}

async function inOneOrganization(
  provider: Provider,
  acts: (kit: Kit, organization: TestOrganization, first: string, second: string) => Act[],
  check: (codes: readonly string[], owners: readonly string[], said: string) => void
) {
  const calm = createKit({ provider })
  const kits = [kitWithHooks({ provider }), kitWithHooks({ provider, delayMs: 2 })] as const
  let organization = await calm.organization()
  for (let round = 0; round < ROUNDS; round++) {
    const kit = kits[round < ROUNDS / 2 ? 0 : 1]
    const second = await join(calm, organization, 'owner')
    const both = acts(kit, organization, organization.owner, second)
    if (round % 2 === 1) both.reverse()
    const codes = (await Promise.all(both.map((act) => act()))).map(codeOf)
    await kit.settled()
    const owners = await actingOwners(organization)
    const said = `round ${round}: ${codes.join(', ')}`
    check(codes, owners, said)
    for (const surplus of owners.slice(1)) {
      unwrap(await removeMember(calm.seatgate, organization.as(owners[0]!), surplus))
    }
    organization = { ...organization, owner: owners[0]! }
  }
  await calm.settled()
  expect(await violations(organization.id, { quiet: true })).toEqual([])
}

type Act = () => Promise<Result<unknown>>

async function actingOwners({ id }: TestOrganization): Promise<string[]> {
  const { results } = await testEnv.DB.prepare(
    `SELECT user_id FROM seatgate_memberships
     WHERE organization_id = ? AND role = 'owner' AND status = 'active'`
  )
    .bind(id)
    .all<{ user_id: string }>()
  return results.map(({ user_id }) => user_id)
}

describe('two owners who leave at once', () => {
  it.each(shareOf(pairs, 10))(
    'one does: $first, $second ($provider) [MUSEUM-22 MUSEUM-24]',
    async ({ first, second, provider }) => {
      await eachRound(
        provider,
        (kit, organization, one, other) => [
          () => OUTS[first]!(kit, organization, one, other),
          () => OUTS[second]!(kit, organization, other, one),
        ],
        (codes, owners, said) => {
          expect(
            codes.filter((code) => code === 'ok'),
            said
          ).toHaveLength(1)
          expect(REFUSALS, said).toContain(codes.find((code) => code !== 'ok'))
          expect(owners, said).toHaveLength(1)
        }
      )
    }
  )

  it.each(
    shareOf(
      enforcing.flatMap((provider) => all.map((out) => [out, provider] as const)),
      6
    )
  )(
    'a hand-over to an owner who %s at the same time ends with an owner (%s) [MUSEUM-22 MUSEUM-27]',
    async (out, provider) => {
      await eachRound(
        provider,
        (kit, organization, one, other) => [
          () =>
            transferOwnership(kit.seatgate, organization.as(one), {
              userId: other,
              password: PASSWORD,
            }),
          () => OUTS[out]!(kit, organization, other, one),
        ],
        (codes, owners, said) => {
          // Who was only demoted is an owner again by the hand-over: then both have happened.
          expect(codes, said).toContain('ok')
          expect(owners, said).toHaveLength(1)
        }
      )
    }
  )
})

describe('the last owner', () => {
  beforeEach(freshStores)

  it.each(
    shareOf(
      enforcing.flatMap((provider) => all.map((out) => [out, provider] as const)),
      6
    )
  )(
    'is refused, and keeps session, seat and a clean record: %s (%s) [ORG-112 SEAT-27]',
    async (out, provider) => {
      const kit = kitWithHooks({ provider })
      const organization = await kit.organization()
      const first = organization.owner
      // Another owner who cannot act, and so does not count.
      const suspended = await join(kit, organization, 'owner')
      unwrap(await suspendMember(kit.seatgate, organization.as(first), suspended))
      const session = await sessionOf(first, organization.id)
      await kit.settled()
      const [rows, state] = [await everything(), await readState(organization.id)]

      const answer = await OUTS[out]!(kit, organization, first, first)
      await kit.settled()
      expect(codeOf(answer)).toBe('last_owner')
      expect(await everything()).toEqual(rows)
      expect(await readState(organization.id)).toEqual(state)
      expect(await pointerOf(session)).toBe(organization.id)
      expect(violationsIn(state, { quiet: true })).toEqual([])
    }
  )
})
