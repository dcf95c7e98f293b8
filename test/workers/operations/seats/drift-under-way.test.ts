import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Around } from '../../../../bench/meter.ts'
import {
  addMember,
  createInvitations,
  rebuildSeats,
  removeMember,
  resendInvitation,
  restoreMember,
  revokeInvitation,
  seatUsage,
  setSeatLimit,
  suspendMember,
  verifySeats,
} from '../../../../src/index.ts'
import {
  shareOf,
  differencesOf,
  expectRepaired,
  inLedger,
  repairsOf,
  copiedTeam,
  type ManualTeam,
  faultAt,
  losing,
  moments,
  muchLater,
  passTime,
  accept,
  invite,
  unwrap,
  createKit,
  newUser,
  type Kit,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

interface Act {
  readonly what: string
  act(kit: Kit, team: ManualTeam): Promise<unknown>
}

const asOwner = ({ organization }: ManualTeam) => organization.as(organization.owner)

const acts: Act[] = [
  {
    what: 'adding',
    act: async ({ seatgate }, team) =>
      addMember(seatgate, asOwner(team), { userId: await newUser(), role: 'member' }),
  },
  {
    what: 'removing',
    act: ({ seatgate }, team) => removeMember(seatgate, asOwner(team), team.member),
  },
  {
    what: 'suspending and restoring',
    async act({ seatgate }, team) {
      await suspendMember(seatgate, asOwner(team), team.member)
      await restoreMember(seatgate, asOwner(team), team.member)
    },
  },
  {
    what: 'inviting',
    act: ({ seatgate }, team) =>
      createInvitations(seatgate, asOwner(team), {
        invitations: [1, 2].map((n) => ({
          email: `${n}-${team.seat}@example.com`,
          role: 'member',
        })),
      }),
  },
  { what: 'accepting', act: (kit, { invitation }) => accept(kit, invitation) },
  {
    what: 'inviting again',
    act: (kit, { organization, invitation }) => invite(kit, organization, invitation.email),
  },
  {
    what: 'resending',
    act: ({ seatgate }, team) => resendInvitation(seatgate, asOwner(team), team.invitation.id),
  },
  {
    what: 'revoking',
    act: ({ seatgate }, team) => revokeInvitation(seatgate, asOwner(team), team.invitation.id),
  },
  {
    what: 'lowering the limit',
    act: ({ seatgate }, { organization }) =>
      setSeatLimit(seatgate, organization.asOperator, { limit: 1 }),
  },
  {
    what: 'raising the limit twice',
    async act({ seatgate }, { organization }) {
      await setSeatLimit(seatgate, organization.asOperator, { limit: 20 })
      await setSeatLimit(seatgate, organization.asOperator, { limit: 30 })
    },
  },
  {
    what: 'rebuilding',
    act: ({ seatgate }, { organization }) => rebuildSeats(seatgate, organization.asOperator),
  },
]

describe('a change in progress is no drift [SEAT-34]', () => {
  it.each(shareOf(acts, 3))('before and after every step of $what', async ({ act }) => {
    const calm = createKit()
    const scene = await copiedTeam(calm)
    const { organization } = scene
    const found: string[][] = []
    const look = async () => found.push(await differencesOf(calm, organization))
    const around: Around = async (_trip, run) => {
      await look()
      try {
        return await run()
      } finally {
        await look()
      }
    }
    const watched = createKit({ around })
    await act(watched, scene)
    await watched.settled()
    expect(found.length).toBeGreaterThan(5)
    expect(found.flat()).toEqual([])
  })

  it.each(shareOf(acts, 3))(
    'at every step of the verification, while it is $what',
    async ({ act }) => {
      let reached = true
      for (let step = 1; reached; step++) {
        const calm = createKit()
        const scene = await copiedTeam(calm)
        let count = 0
        const overtaken = createKit({
          async around(_trip, run) {
            count += 1
            if (count === step) {
              await act(calm, scene)
              await calm.settled()
            }
            return run()
          },
        })
        const verified = await verifySeats(overtaken.seatgate, scene.organization.asOperator)
        expect(unwrap(verified).differences, `step ${step}`).toEqual([])
        reached = count >= step
      }
    }
  )

  it('nor is a ledger that starts again while it is looked at', async () => {
    const calm = createKit()
    const scene = await copiedTeam(calm)
    const { organization, member } = scene
    const deaf = createKit({ around: losing('ledger') })
    unwrap(await removeMember(deaf.seatgate, organization.as(member), member))
    let looks = 0
    const overtaken = createKit({
      async around({ asked }, run) {
        // What seems wrong is looked at once more.
        if (asked.some((sql) => sql.includes("'seat.released'")) && looks++ === 0) {
          await inLedger(organization, 'DELETE FROM ledger')
          unwrap(await seatUsage(calm.seatgate, organization.asOperator))
        }
        return run()
      },
    })
    expect(await differencesOf(overtaken, organization)).toEqual([])
    expect(looks).toBe(1)
  })

  const leavingTraces = acts.filter(({ what }) => !/again|twice|restoring|revoking/.test(what))
  const deaths = leavingTraces.flatMap((act) => moments.map((moment) => ({ ...act, moment })))

  it.each(shareOf(deaths, 3))(
    'nor what a death leaves $moment each step of $what, until it has healed',
    async ({ act, moment }) => {
      let reached = true
      for (let step = 1; reached; step++) {
        const calm = createKit()
        const scene = await copiedTeam(calm)
        const { organization } = scene
        const repairs = (await repairsOf(organization)).length
        const fault = faultAt(step, 'death', moment)
        const dying = createKit({ around: fault.around })
        await Promise.race([act(dying, scene).catch(() => null), fault.died])
        await Promise.race([dying.settled(), fault.died])
        reached = fault.reached()
        const at = `${moment} step ${step}`
        expect(await differencesOf(calm, organization), at).toEqual([])
        // The deadline has passed, and the alarm has not come yet.
        passTime(40_000)
        expect(await differencesOf(calm, organization), at).toEqual([])
        await muchLater(organization.id)
        expect(await differencesOf(calm, organization), at).toEqual([])
        await expectRepaired(organization)
        expect((await repairsOf(organization)).length - repairs).toBeLessThanOrEqual(1)
        vi.useRealTimers()
      }
    }
  )
})
