import { describe, expect, it } from 'vitest'
import type { Around } from '../../../bench/meter.ts'
import {
  changeRole,
  deleteUser,
  leaveOrganization,
  removeMember,
  suspendMember,
  transferOwnership,
  type Result,
} from '../../../src/index.ts'
import {
  shareOf,
  type FullSeatgate,
  readState,
  violations,
  violationsIn,
  everything,
  kitWithHooks,
  isChange,
  testEnv,
  atScale,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  PASSWORD,
  type TestOrganization,
} from '../../kit/index.ts'

const ROUNDS = atScale({ share: 1, thorough: 2, whole: 10 })
const calm = createKit()

type Act = (
  seatgate: FullSeatgate,
  organization: TestOrganization,
  self: string,
  other: string
) => Promise<Result<unknown>>

/** Every way in which an owner stops being one: by their own hand, or by that of the other owner. */
const WAYS = {
  leaves: (seatgate, { id }, self) =>
    leaveOrganization(seatgate, { caller: { userId: self }, organization: id }),
  'removes the other': (seatgate, { as }, self, other) => removeMember(seatgate, as(self), other),
  'steps down': (seatgate, { as }, self) => changeRole(seatgate, as(self), self, { role: 'admin' }),
  'demotes the other': (seatgate, { as }, self, other) =>
    changeRole(seatgate, as(self), other, { role: 'member' }),
  'is suspended by their own hand': (seatgate, { as }, self) =>
    suspendMember(seatgate, as(self), self),
  'suspends the other': (seatgate, { as }, self, other) => suspendMember(seatgate, as(self), other),
  'hands over to the other': (seatgate, { as }, self, other) =>
    transferOwnership(seatgate, as(self), { userId: other, password: PASSWORD }),
  'deletes the account': (seatgate, _organization, self) =>
    deleteUser(seatgate, { caller: { userId: self } }, { password: PASSWORD }),
} satisfies Record<string, Act>

type Way = keyof typeof WAYS
const ways = Object.keys(WAYS) as Way[]

function ownersOf(organizationId: string): Promise<number> {
  return testEnv.DB.prepare(
    `SELECT count(*) AS owners FROM seatgate_memberships
     WHERE organization_id = ? AND role = 'owner' AND status = 'active'`
  )
    .bind(organizationId)
    .first<number>('owners')
    .then(Number)
}

/** Ways after which whoever went them is no owner; by the others it is the other who is none. */
const OWN: readonly Way[] = [
  'leaves',
  'steps down',
  'is suspended by their own hand',
  'hands over to the other',
  'deletes the account',
]

/** What a refused one may be told, never anything else. */
const REFUSALS = [
  'last_owner',
  'insufficient_role',
  'organization_not_found',
  'not_a_member',
  'not_found',
]

// Each pair once, in both orders of the two owners.
const pairs = ways.flatMap((first, index) =>
  ways.slice(index).flatMap((second) => [0, 3].map((delayMs) => ({ first, second, delayMs })))
)

describe('two owners at once', () => {
  it.each(shareOf(pairs, 10))(
    'A $first, B $second ($delayMs ms) [MUSEUM-22 MUSEUM-24]',
    async ({ first, second, delayMs }) => {
      let present = ''
      const owners: number[] = []
      // Looked at after every batch: an instant without an owner is one too many.
      const around: Around = async ({ asked }, run) => {
        const answer = await run()
        if (isChange(asked)) owners.push(await ownersOf(present))
        return answer
      }
      const kit = kitWithHooks({ delayMs, around, provider: 'ledger' })
      for (let round = 0; round < ROUNDS; round++) {
        const organization = await calm.organization()
        const { owner, id } = organization
        present = id
        const other = await join(calm, organization, 'owner')
        const acts = [
          () => WAYS[first](kit.seatgate, organization, owner, other),
          () => WAYS[second](kit.seatgate, organization, other, owner),
        ]
        if (round % 2 === 1) acts.reverse()
        const codes = (await Promise.all(acts.map((act) => act()))).map(codeOf)
        await kit.settled()

        const said = `round ${round}: ${codes.join(', ')}`
        const state = await readState(id)
        expect(violationsIn(state, { quiet: true }), said).toEqual([])
        const succeeded = codes.filter((code) => code === 'ok').length
        expect(succeeded, said).toBeGreaterThanOrEqual(1)
        // Both end the same person's ownership: then the second finds nothing that stands against it.
        const conflicting = OWN.includes(first) === OWN.includes(second)
        const harmless = first === 'hands over to the other' || second === 'hands over to the other'
        if (conflicting && !harmless) expect(succeeded, said).toBe(1)
        for (const code of codes) expect(['ok', ...REFUSALS], said).toContain(code)
      }
      expect(owners.length).toBeGreaterThanOrEqual(ROUNDS)
      expect(Math.min(...owners)).toBeGreaterThanOrEqual(1)
    }
  )
})

describe('the only owner', () => {
  it.each(enforcing)('is not removed, and the row stays (%s) [ORG-101]', async (provider) => {
    const kit = createKit({ provider })
    const organization = await kit.organization()
    await join(kit, organization, 'admin')
    const { owner } = organization
    const before = await everything()
    for (const caller of [{ userId: owner }, { type: 'system' } as const]) {
      const scope = { caller, organization: organization.id }
      expect(await removeMember(kit.seatgate, scope, owner)).toEqual({
        ok: false,
        error: { code: 'last_owner' },
      })
    }
    expect(await everything()).toEqual(before)
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it.each(['member', 'admin'])('cannot become %s', async (role) => {
    const organization = await calm.organization()
    const { owner } = organization
    const answer = await changeRole(calm.seatgate, organization.as(owner), owner, { role })
    expect(codeOf(answer)).toBe('last_owner')
  })
})

describe('one of two owners', () => {
  it.each(enforcing)('is removed (%s) [ORG-102]', async (provider) => {
    const kit = createKit({ provider })
    const organization = await kit.organization()
    const other = await join(kit, organization, 'owner')
    const answer = await removeMember(kit.seatgate, organization.as(organization.owner), other)
    await kit.settled()
    expect(answer).toEqual({ ok: true, value: { endedInvitations: 0 } })
    expect((await readState(organization.id)).members.map(({ user_id }) => user_id)).toEqual([
      organization.owner,
    ])
    expect(await violations(organization.id, { quiet: true })).toEqual([])
  })

  it('is the founder, is removed, and the second one remains owner [ORG-108]', async () => {
    const organization = await calm.organization()
    const { owner, id } = organization
    const second = await join(calm, organization, 'owner')
    unwrap(await removeMember(calm.seatgate, organization.as(second), owner))
    await calm.settled()
    expect((await readState(id)).members).toMatchObject([
      { user_id: second, role: 'owner', status: 'active' },
    ])
    const again = await removeMember(calm.seatgate, organization.as(second), second)
    expect(codeOf(again)).toBe('last_owner')
    expect(await violations(id, { quiet: true })).toEqual([])
  })
})

describe('an owner who cannot act', () => {
  it.each(ways.filter((way) => OWN.includes(way) && way !== 'hands over to the other'))(
    'does not stand in for the one who %s [MUSEUM-25 ORG-100]',
    async (way) => {
      const kit = kitWithHooks()
      const organization = await kit.organization()
      const { owner, id } = organization
      const suspended = await join(kit, organization, 'owner')
      unwrap(await suspendMember(kit.seatgate, organization.as(owner), suspended))
      await kit.settled()
      const before = await readState(id)
      const answer = await WAYS[way](kit.seatgate, organization, owner, suspended)
      await kit.settled()
      expect(codeOf(answer)).toBe('last_owner')
      expect(await readState(id)).toEqual(before)
    }
  )

  it('can leave, because an owner who can act stays [MUSEUM-25 ORG-100]', async () => {
    const organization = await calm.organization()
    const { owner, id } = organization
    for (const act of [WAYS['removes the other'], WAYS['demotes the other']]) {
      const suspended = await join(calm, organization, 'owner')
      unwrap(await suspendMember(calm.seatgate, organization.as(owner), suspended))
      expect(codeOf(await act(calm.seatgate, organization, owner, suspended))).toBe('ok')
    }
    await calm.settled()
    expect(await violations(id, { quiet: true })).toEqual([])
  })
})
