import { afterEach, describe, expect, it, vi } from 'vitest'
import {
  forwardOrganization,
  rebuildSeats,
  removeMember,
  revokeInvitation,
  setSeatLimit,
  suspendMember,
} from '../../../../src/index.ts'
import { carriedSeats, promisedSeats } from '../../../../src/testing/index.ts'
import {
  differencesOf,
  expectRepaired,
  inD1,
  pointInD1,
  pointInLedger,
  repairsOf,
  team,
  type ManualTeam,
  LONG_ENOUGH_MS,
  passTime,
  accept,
  invite,
  readLedger,
  readState,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  type TestOrganization,
  type Kit,
  shareOf,
} from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const points = { D1: pointInD1, 'the ledger': pointInLedger }

interface Meanwhile {
  readonly what: string
  readonly act: (kit: Kit, team: ManualTeam) => Promise<unknown>
}

const meanwhiles: Meanwhile[] = [
  { what: 'somebody came', act: (kit, { organization }) => join(kit, organization) },
  {
    what: 'somebody left',
    act: ({ seatgate }, { organization, member }) =>
      removeMember(seatgate, organization.as(member), member),
  },
  {
    what: 'one came, one left',
    async act(kit, { organization, member }) {
      unwrap(await removeMember(kit.seatgate, organization.as(member), member))
      await join(kit, organization)
    },
  },
  {
    what: 'somebody was suspended',
    act: ({ seatgate }, { organization, member }) =>
      suspendMember(seatgate, organization.as(organization.owner), member),
  },
  { what: 'somebody was invited', act: (kit, { organization }) => invite(kit, organization) },
  {
    what: 'an invitation was accepted',
    act: (kit, { invitation }) => accept(kit, invitation),
  },
  {
    what: 'an invitation was revoked',
    act: ({ seatgate }, { organization, invitation }) =>
      revokeInvitation(seatgate, organization.as(organization.owner), invitation.id),
  },
  {
    what: 'the limit was lowered',
    act: ({ seatgate }, { organization }) =>
      setSeatLimit(seatgate, organization.asOperator, { limit: 1 }),
  },
  {
    what: 'the ledger started anew',
    act: ({ seatgate }, { organization }) => rebuildSeats(seatgate, organization.asOperator),
  },
]

/** Adds members until no more get in: there are as many as may be, or as there were. */
async function expectExact(kit: Kit, { organization }: ManualTeam): Promise<void> {
  const before = await stored(organization)
  while (codeOf(await add(kit, organization)) === 'ok') await kit.settled()
  const { used, limit } = await stored(organization)
  expect(used).toBe(Math.max(limit, before.used))
  await expectRepaired(organization)
}

async function stored({ id }: TestOrganization) {
  const state = await readState(id)
  const used = [...carriedSeats(state), ...promisedSeats(state)].length
  return { used, limit: state.entitlement?.limit_seats ?? 0 }
}

const rolledBack = Object.keys(points).flatMap((store) =>
  meanwhiles.map((meanwhile) => ({ store: store as keyof typeof points, ...meanwhile }))
)

describe('a store that is brought back to an earlier point', () => {
  it.each(shareOf(rolledBack, 6))(
    '$store: $what since then: the drift is found and repaired [SEAT-34]',
    async ({ store, act }) => {
      const kit = createKit()
      const scene = await team(kit)
      const { organization } = scene
      const goBack = await points[store](organization)
      await act(kit, scene)
      await kit.settled()
      await forwardOrganization(kit.seatgate, organization.id)
      await goBack()
      // What has only just changed may be under way.
      passTime(LONG_ENOUGH_MS * 2)
      const then = await readState(organization.id)
      expect(await differencesOf(kit, organization)).not.toEqual([])
      const rebuilt = unwrap(await rebuildSeats(kit.seatgate, organization.asOperator))
      expect(rebuilt.repaired).not.toEqual([])
      expect(await differencesOf(kit, organization)).toEqual([])
      await expectRepaired(organization)
      const { members, invitations } = await readState(organization.id)
      expect({ members, invitations }).toEqual({
        members: then.members,
        invitations: then.invitations,
      })
      expect(await repairsOf(organization)).not.toEqual([])
      await expectExact(kit, scene)
    }
  )
})

describe('a ledger that is out of force', () => {
  // What is to be done after a restore, and before a ledger is used that was not used for a while.
  const outOfForce = () => inD1('UPDATE seatgate_seat_ledgers SET epoch = epoch + 1')

  it.each(shareOf(meanwhiles, 3))(
    'starts again with the next admission after D1 has forgotten: $what [SEAT-34]',
    async ({ act }) => {
      const kit = createKit()
      const scene = await team(kit)
      const { organization } = scene
      const goBack = await pointInD1(organization)
      await act(kit, scene)
      await kit.settled()
      await goBack()
      await outOfForce()
      const stale = await readLedger(organization.id)
      const answer = await add(kit, organization)
      await kit.settled()
      // One that takes itself for full, or knows the person, refuses; it lets nobody in.
      if (!answer.ok) {
        expect(answer.error.code).toBe('seat_limit_reached')
        unwrap(await rebuildSeats(kit.seatgate, organization.asOperator))
      }
      expect((await readLedger(organization.id))!.epoch).toBeGreaterThan(stale!.epoch)
      await expectExact(kit, scene)
      expect(await differencesOf(kit, organization)).toEqual([])
    }
  )

  it('matches D1 after a time with d1Seats [SEAT-34]', async () => {
    const kit = createKit()
    const scene = await team(kit)
    const { organization, member, other } = scene
    const meanwhile = createKit({ provider: 'd1' })
    for (const userId of [member, other]) {
      unwrap(await removeMember(meanwhile.seatgate, organization.as(userId), userId))
    }
    for (let more = 0; more < 3; more++) await join(meanwhile, organization)
    await outOfForce()
    await expectExact(kit, scene)
    expect(await repairsOf(organization)).toEqual([])
  })
})
