import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  acceptInvitation,
  addMember,
  createInvitation,
  createInvitations,
  declineInvitation,
  resendInvitation,
  revokeInvitation,
  seatUsage,
  setSeatLimit,
  softDeleteOrganization,
  type InvitationWithToken,
} from '../../../src/index.ts'
import {
  LONG_ENOUGH_MS,
  muchLater,
  passTime,
  readState,
  violationsIn,
  createKit,
  invite,
  newAddress,
  userWith,
  meanwhile,
  testEnv,
  atScale,
  unwrap,
  codeOf,
  enforcing,
  enforcingOr,
  PASSWORD,
  type Provider,
  type TestOrganization,
  type Kit,
} from '../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const ROUNDS = atScale({ share: 2, thorough: 4, whole: 10 })
const WEEK_MS = 7 * 24 * 60 * 60 * 1000

const eachWay = enforcing.flatMap((provider) =>
  [0, 3].map((delayMs) => ({ provider, delayMs }) as const)
)

/** Somebody who is invited, and how they accept. */
interface Scene {
  readonly kit: Kit
  readonly organization: TestOrganization
  readonly invited: InvitationWithToken
  readonly userId: string
  accept(): ReturnType<typeof acceptInvitation>
}

async function stage(
  { provider, delayMs }: { readonly provider: Provider; readonly delayMs: number },
  limit: number
): Promise<Scene> {
  const calm = createKit({ provider })
  const organization = await calm.organization({ seats: limit })
  const invited = await invite(calm, organization)
  const userId = await userWith(invited.email)
  const kit = createKit({ provider, delayMs })
  const accept = () => acceptInvitation(kit.seatgate, { caller: { userId } }, invited)
  return { kit, organization, invited, userId, accept }
}

/** What is true afterwards, of which nothing is wrong. */
async function outcome({ kit, organization }: Scene, usedWhenLowered = 0) {
  await kit.settled()
  const state = await readState(organization.id)
  expect(violationsIn(state, { quiet: true, usedWhenLowered })).toEqual([])
  const isOpen = ({ accepted_at, revoked_at, declined_at }: (typeof state.invitations)[number]) =>
    accepted_at === null && revoked_at === null && declined_at === null
  return { members: state.members.length, open: state.invitations.filter(isOpen).length }
}

/** Every other round the other one starts first. */
async function both<A, B>(
  round: number,
  one: () => Promise<A>,
  other: () => Promise<B>
): Promise<[A, B]> {
  if (round % 2 === 0) return Promise.all([one(), other()])
  const [b, a] = await Promise.all([other(), one()])
  return [a, b]
}

describe.each(eachWay)('accepting, $provider seats, $delayMs ms a trip', (way) => {
  it('while it expires: in, or expired and the seat is free [INV-73 SEAT-38]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 2)
      const { organization, kit } = scene
      const [accepted] = await both(round, scene.accept, async () => {
        // The clock strikes everywhere in the course of it.
        for (let turn = (round * 3) % 10; turn > 0; turn--)
          await new Promise((resolve) => setTimeout(resolve))
        passTime(WEEK_MS)
        await runDurableObjectAlarm(testEnv.SEATS.getByName(organization.id))
      })
      await kit.settled()
      if (way.provider === 'ledger') await muchLater(organization.id)
      else passTime(LONG_ENOUGH_MS)
      expect(['ok', 'invitation_expired']).toContain(codeOf(accepted))
      const members = accepted.ok ? 2 : 1
      expect(await outcome(scene)).toEqual({ members, open: accepted.ok ? 0 : 1 })
      const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
      expect(usage).toMatchObject({ held: members, reserved: 0 })
      vi.useRealTimers()
    }
  })

  it('while the organization is deleted: in before, or not at all [INV-69 ORG-29]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 3)
      const { organization, kit } = scene
      const [accepted, deleted] = await both(round, scene.accept, () =>
        softDeleteOrganization(kit.seatgate, organization.as(organization.owner), {
          confirmName: 'Test',
          password: PASSWORD,
        })
      )
      expect(['ok ok', 'invitation_invalid ok']).toContain(`${codeOf(accepted)} ${codeOf(deleted)}`)
      await kit.settled()
      const state = await readState(organization.id)
      expect(state.members).toHaveLength(accepted.ok ? 2 : 1)
      expect(state.invitations).toMatchObject([
        accepted.ok
          ? { accepted_at: expect.any(Number), revoked_at: null }
          : { accepted_at: null, revoked_at: expect.any(Number) },
      ])
      // Its ledger hears of the end from the outbox, later.
      expect(violationsIn({ ...state, ledger: null }, { quiet: true })).toEqual([])
    }
  })

  it('while the limit is lowered: in, and over it [SEAT-43 MUSEUM-08]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 2)
      const { organization, kit } = scene
      const [accepted, lowered] = await both(round, scene.accept, () =>
        setSeatLimit(kit.seatgate, organization.asOperator, { limit: 1 })
      )
      expect([codeOf(accepted), codeOf(lowered)]).toEqual(['ok', 'ok'])
      expect(await outcome(scene, 2)).toEqual({ members: 2, open: 0 })
      const usage = unwrap(await seatUsage(kit.seatgate, organization.asOperator))
      expect(usage).toMatchObject({ limit: 1, held: 2, reserved: 0, overLimit: true })
    }
  })

  it('while the same person is added: one membership, one seat [MUSEUM-09]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 5)
      const { organization, kit, userId } = scene
      const [accepted, added] = await both(round, scene.accept, () =>
        addMember(kit.seatgate, organization.as(organization.owner), { userId, role: 'member' })
      )
      // Whoever is added has the invitation's seat, and the invitation has ended.
      if (accepted.ok) {
        const created = [accepted.value.created, unwrap(added).created]
        expect(created.filter(Boolean)).toHaveLength(1)
      } else {
        expect([codeOf(accepted), unwrap(added).created]).toEqual(['invitation_revoked', true])
      }
      expect(await outcome(scene)).toEqual({ members: 2, open: 0 })
    }
  })

  it('while the same person is added to a full organization [MUSEUM-09 SEAT-37]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 2)
      const { organization, kit, userId } = scene
      const [accepted, added] = await both(round, scene.accept, () =>
        addMember(kit.seatgate, organization.as(organization.owner), { userId, role: 'member' })
      )
      if (accepted.ok) expect(unwrap(added).created).toBe(!accepted.value.created)
      else expect([codeOf(accepted), unwrap(added).created]).toEqual(['invitation_revoked', true])
      expect(await outcome(scene)).toEqual({ members: 2, open: 0 })
    }
  })

  it('while it is sent again: the old token, or the new one [INV-36 INV-38]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 2)
      const { organization, kit, invited, userId } = scene
      const [accepted, resent] = await both(round, scene.accept, () =>
        resendInvitation(kit.seatgate, organization.as(organization.owner), invited.id)
      )
      const codes = `${codeOf(accepted)} ${codeOf(resent)}`
      expect(['ok not_pending', 'invitation_revoked ok']).toContain(codes)
      if (resent.ok) {
        expect(await outcome(scene)).toEqual({ members: 1, open: 1 })
        const caller = { userId }
        unwrap(await acceptInvitation(kit.seatgate, { caller }, resent.value))
      }
      expect(await outcome(scene)).toEqual({ members: 2, open: 0 })
    }
  })

  it('while the same address is invited again [INV-34 SEAT-39 MUSEUM-21]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const scene = await stage(way, 2)
      const { organization, kit, invited } = scene
      const [accepted, again] = await both(round, scene.accept, () =>
        createInvitation(kit.seatgate, organization.as(organization.owner), {
          email: invited.email,
          role: 'admin',
        })
      )
      const codes = `${codeOf(accepted)} ${codeOf(again)}`
      expect(['ok already_member', 'invitation_revoked ok']).toContain(codes)
      expect(await outcome(scene)).toEqual(
        accepted.ok ? { members: 2, open: 0 } : { members: 1, open: 1 }
      )
    }
  })
})

describe.each(enforcingOr('d1'))('accepting, overtaken before its batch, %s seats', (provider) => {
  type Overtaking = (scene: Scene, calm: Kit) => Promise<{ readonly ok: boolean }>
  const ways: [string, string, Overtaking][] = [
    [
      'sent again',
      'invitation_revoked',
      ({ organization, invited }, { seatgate }) =>
        resendInvitation(seatgate, organization.as(organization.owner), invited.id),
    ],
    [
      'made again',
      'invitation_revoked',
      ({ organization, invited }, { seatgate }) =>
        createInvitation(seatgate, organization.as(organization.owner), {
          email: invited.email,
          role: 'admin',
        }),
    ],
    [
      'revoked',
      'invitation_revoked',
      ({ organization, invited }, { seatgate }) =>
        revokeInvitation(seatgate, organization.as(organization.owner), invited.id),
    ],
    [
      'declined',
      'invitation_declined',
      ({ invited }, { seatgate }) =>
        declineInvitation(seatgate, { caller: { type: 'anonymous' } }, invited),
    ],
  ]
  it.each(ways)(
    'one that was %s since the read is %s [INV-72 INV-36]',
    async (_what, code, overtake) => {
      const scene = await stage({ provider, delayMs: 0 }, 2)
      const calm = createKit({ provider })
      const around = meanwhile(async () => {
        expect(await overtake(scene, calm)).toMatchObject({ ok: true })
      })
      const kit = createKit({ provider, around })
      const caller = { userId: scene.userId }
      expect(codeOf(await acceptInvitation(kit.seatgate, { caller }, scene.invited))).toBe(code)
      await calm.settled()
      await kit.settled()
      expect((await outcome(scene)).members).toBe(1)
    }
  )
})

describe.each(eachWay)('inviting, $provider seats, $delayMs ms a trip', (way) => {
  it('while the organization is deleted leaves no invitation open [INV-27 ORG-29]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const kit = createKit(way)
      const organization = await kit.organization({ seats: 5 })
      const asOwner = organization.as(organization.owner)
      const [created, deleted] = await both(
        round,
        () => createInvitation(kit.seatgate, asOwner, { email: newAddress(), role: 'member' }),
        () =>
          softDeleteOrganization(kit.seatgate, asOwner, {
            confirmName: 'Test',
            password: PASSWORD,
          })
      )
      expect(['ok ok', 'organization_not_found ok']).toContain(
        `${codeOf(created)} ${codeOf(deleted)}`
      )
      await kit.settled()
      const state = await readState(organization.id)
      expect(state.invitations).toHaveLength(created.ok ? 1 : 0)
      for (const row of state.invitations) expect(row.revoked_at).toEqual(expect.any(Number))
      expect(violationsIn({ ...state, ledger: null }, { quiet: true })).toEqual([])
    }
  })

  it('an expired one again, while the organization is deleted: one seat, freed once [ORG-29 SEAT-38]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const { kit, organization, invited } = await stage(way, 5)
      const asOwner = organization.as(organization.owner)
      passTime(WEEK_MS)
      const [resent, deleted] = await both(
        round,
        () => resendInvitation(kit.seatgate, asOwner, invited.id),
        () =>
          softDeleteOrganization(kit.seatgate, asOwner, {
            confirmName: 'Test',
            password: PASSWORD,
          })
      )
      expect(['ok ok', 'organization_not_found ok']).toContain(
        `${codeOf(resent)} ${codeOf(deleted)}`
      )
      await kit.settled()
      const state = await readState(organization.id)
      expect(violationsIn({ ...state, ledger: null }, { quiet: true })).toEqual([])
      vi.useRealTimers()
    }
  })

  it('and joining for the last seat: one of them [MUSEUM-01 MUSEUM-07 SEAT-36]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const kit = createKit(way)
      const organization = await kit.organization({ seats: 2 })
      const asOwner = organization.as(organization.owner)
      const userId = await userWith(newAddress())
      const answers = await both(
        round,
        () => createInvitation(kit.seatgate, asOwner, { email: newAddress(), role: 'member' }),
        () => addMember(kit.seatgate, asOwner, { userId, role: 'member' })
      )
      expect(answers.map(codeOf).toSorted()).toEqual(['ok', 'seat_limit_reached'])
      const loser = answers.find((answer) => !answer.ok)
      expect(loser).toMatchObject({ error: { limit: 2, used: 2 } })
      await kit.settled()
      const state = await readState(organization.id)
      expect(violationsIn(state, { quiet: true })).toEqual([])
      expect(state.members.length + state.invitations.length).toBe(2)
    }
  })

  it('two lists at once never get more seats than there are [SEAT-40 INV-33]', async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const kit = createKit(way)
      const organization = await kit.organization({ seats: 5 })
      const asOwner = organization.as(organization.owner)
      const five = () =>
        createInvitations(kit.seatgate, asOwner, {
          invitations: Array.from({ length: 5 }, () => ({ email: newAddress(), role: 'member' })),
        })
      const answers = await both(round, five, five)
      await kit.settled()
      const codes = answers.flatMap((answer) => unwrap(answer).map(codeOf))
      expect(codes.filter((code) => code === 'ok')).toHaveLength(4)
      expect(codes.filter((code) => code === 'seat_limit_reached')).toHaveLength(6)
      // Of each list the first come first.
      for (const answer of answers) {
        const own = unwrap(answer).map(({ ok }) => ok)
        expect(own).toEqual(own.toSorted((a, b) => Number(b) - Number(a)))
      }
      const state = await readState(organization.id)
      expect(state.invitations).toHaveLength(4)
      expect(violationsIn(state, { quiet: true })).toEqual([])
    }
  })
})
