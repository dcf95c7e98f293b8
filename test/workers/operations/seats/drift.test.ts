import { describe, expect, it } from 'vitest'
import { rebuildSeats, type Metric } from '../../../../src/index.ts'
import {
  differencesOf,
  expectRepaired,
  inD1,
  inLedger,
  insertInvitation,
  insertMember,
  repairsOf,
  tally,
  team,
  type ManualTeam,
  readState,
  add,
  unwrap,
  codeOf,
  createKit,
  newUser,
  shareOf,
} from '../../../kit/index.ts'

interface Drift {
  readonly what: string
  readonly finds: readonly string[]
  inject(team: ManualTeam): Promise<void>
}

const inD1Rows: Drift[] = [
  {
    what: 'a membership that is deleted',
    finds: ['leaked_seat'],
    inject: ({ member }) => inD1('DELETE FROM seatgate_memberships WHERE user_id = ?', member),
  },
  {
    what: 'a membership that is added',
    finds: ['unknown_seat'],
    inject: async ({ organization }) =>
      insertMember(organization, await newUser(), crypto.randomUUID()),
  },
  {
    what: 'a membership without a seat',
    finds: ['member_without_seat'],
    inject: async ({ organization }) => insertMember(organization, await newUser(), null),
  },
  {
    what: 'an invitation that is deleted',
    finds: ['leaked_seat'],
    inject: ({ organization }) =>
      inD1('DELETE FROM seatgate_invitations WHERE organization_id = ?', organization.id),
  },
  {
    what: 'an invitation that is added',
    finds: ['unknown_seat'],
    inject: ({ organization }) => insertInvitation(organization, crypto.randomUUID()),
  },
  {
    what: 'an invitation that expires sooner',
    finds: ['seat_deadline'],
    inject: ({ organization }) =>
      inD1(
        'UPDATE seatgate_invitations SET expires_at = ?, updated_at = 0 WHERE organization_id = ?',
        Date.now() + 600_000,
        organization.id
      ),
  },
  {
    what: 'a membership moved elsewhere',
    finds: ['member_count', 'member_count', 'leaked_seat'],
    inject: async ({ member }) => {
      const { id } = await createKit().organization()
      await inD1(
        'UPDATE seatgate_memberships SET organization_id = ? WHERE user_id = ?',
        id,
        member
      )
    },
  },
  {
    what: 'a fence around the seat of a member',
    finds: ['fenced_seat'],
    inject: ({ organization, seat }) =>
      inD1('INSERT INTO seatgate_seat_fences VALUES (?, ?, 0)', seat, organization.id),
  },
  {
    what: 'a fence around the seat of an invitation',
    finds: ['fenced_seat'],
    inject: ({ organization, promisedSeat }) =>
      inD1('INSERT INTO seatgate_seat_fences VALUES (?, ?, 0)', promisedSeat, organization.id),
  },
  {
    what: 'an entitlement that is changed',
    finds: ['limit'],
    inject: ({ organization }) =>
      inD1(
        'UPDATE seatgate_entitlements SET limit_seats = 3 WHERE organization_id = ?',
        organization.id
      ),
  },
  {
    what: 'an entitlement that is deleted',
    finds: ['limit'],
    inject: ({ organization }) =>
      inD1('DELETE FROM seatgate_entitlements WHERE organization_id = ?', organization.id),
  },
  {
    what: 'an epoch that is another',
    finds: ['epoch'],
    inject: ({ organization }) =>
      inD1(
        'UPDATE seatgate_seat_ledgers SET epoch = epoch - 1 WHERE organization_id = ?',
        organization.id
      ),
  },
  {
    what: 'an epoch that is deleted',
    finds: ['epoch'],
    inject: ({ organization }) =>
      inD1('DELETE FROM seatgate_seat_ledgers WHERE organization_id = ?', organization.id),
  },
]

const inCounters: Drift[] = [
  {
    what: 'a counter that is lower',
    finds: ['member_count', 'member_count'],
    inject: ({ organization }) =>
      inD1(
        'UPDATE seatgate_member_counts SET active = 1, seats = 0 WHERE organization_id = ?',
        organization.id
      ),
  },
  {
    what: 'a counter that is deleted',
    finds: ['member_count', 'member_count'],
    inject: ({ organization }) =>
      inD1('DELETE FROM seatgate_member_counts WHERE organization_id = ?', organization.id),
  },
]

const inLedgerRows: Drift[] = [
  {
    what: 'a seat that is deleted',
    finds: ['unknown_seat'],
    inject: ({ organization, seat }) =>
      inLedger(organization, 'DELETE FROM seats WHERE seat_id = ?', seat),
  },
  {
    what: 'an invitation’s seat that is deleted',
    finds: ['unknown_seat'],
    inject: ({ organization, promisedSeat }) =>
      inLedger(organization, 'DELETE FROM seats WHERE seat_id = ?', promisedSeat),
  },
  {
    what: 'a held seat that is added',
    finds: ['leaked_seat'],
    inject: ({ organization }) =>
      inLedger(organization, "INSERT INTO seats (seat_id, holder) VALUES ('s', 'nobody')"),
  },
  {
    what: 'a reservation for a year that is added',
    finds: ['leaked_seat'],
    inject: ({ organization }) =>
      inLedger(
        organization,
        "INSERT INTO seats (seat_id, holder, deadline) VALUES ('s', 'nobody', ?)",
        Date.now() + 365 * 86_400_000
      ),
  },
  {
    what: 'a seat that is moved to somebody else',
    finds: ['seat_holder'],
    inject: ({ organization, seat }) =>
      inLedger(organization, "UPDATE seats SET holder = 'somebody' WHERE seat_id = ?", seat),
  },
  {
    what: 'a seat that is renamed',
    finds: ['unknown_seat', 'leaked_seat'],
    inject: ({ organization, seat }) =>
      inLedger(organization, "UPDATE seats SET seat_id = 'renamed' WHERE seat_id = ?", seat),
  },
  {
    what: 'a promise that is held',
    finds: ['seat_state'],
    inject: ({ organization, promisedSeat }) =>
      inLedger(organization, 'UPDATE seats SET deadline = NULL WHERE seat_id = ?', promisedSeat),
  },
  {
    what: 'a promise for a year',
    finds: ['seat_deadline'],
    inject: async ({ organization, promisedSeat }) => {
      await inD1('UPDATE seatgate_invitations SET updated_at = 0 WHERE seat_id = ?', promisedSeat)
      await inLedger(
        organization,
        'UPDATE seats SET deadline = ? WHERE seat_id = ?',
        Date.now() + 365 * 86_400_000,
        promisedSeat
      )
    },
  },
  {
    what: 'a member’s seat reserved for a year',
    finds: ['seat_state'],
    inject: async ({ organization, member, seat }) => {
      await inD1('UPDATE seatgate_memberships SET updated_at = 0 WHERE user_id = ?', member)
      await inLedger(
        organization,
        'UPDATE seats SET deadline = ? WHERE seat_id = ?',
        Date.now() + 365 * 86_400_000,
        seat
      )
    },
  },
  {
    what: 'counts that are lower',
    finds: ['ledger_count'],
    inject: ({ organization }) => inLedger(organization, 'UPDATE ledger SET held = 0'),
  },
  {
    what: 'a limit that is higher',
    finds: ['limit'],
    inject: ({ organization }) => inLedger(organization, 'UPDATE ledger SET limit_seats = 100'),
  },
  {
    what: 'a version that is lower',
    finds: ['limit'],
    inject: ({ organization }) => inLedger(organization, 'UPDATE ledger SET version = 0'),
  },
  {
    what: 'an epoch that is later',
    finds: ['epoch'],
    inject: ({ organization }) => inLedger(organization, 'UPDATE ledger SET epoch = epoch + 1'),
  },
  {
    what: 'the ledger of another organization',
    finds: ['foreign_ledger'],
    inject: ({ organization }) =>
      inLedger(organization, "UPDATE ledger SET organization_id = 'another'"),
  },
]

describe.each([
  { where: 'D1', drifts: inD1Rows },
  { where: 'the counter', drifts: inCounters },
  { where: 'the ledger', drifts: inLedgerRows },
])('drift in $where', ({ drifts }) => {
  it.each(shareOf(drifts, 3))(
    '$what is found by verify and repaired by rebuild, recorded and metered [SEAT-32 SEAT-34]',
    async ({ finds, inject }) => {
      const metrics: Metric[] = []
      const kit = createKit({ measure: (metric) => metrics.push(metric) })
      const scene = await team(kit)
      const { organization } = scene
      expect(await differencesOf(kit, organization)).toEqual([])
      await inject(scene)
      expect(await differencesOf(kit, organization)).toEqual(finds)
      const before = await readState(organization.id)

      const rebuilt = unwrap(await rebuildSeats(kit.seatgate, organization.asOperator))
      expect(rebuilt.repaired.map(({ kind }) => kind)).toEqual(finds)
      expect(await differencesOf(kit, organization)).toEqual([])
      await expectRepaired(organization)
      const after = await readState(organization.id)
      expect(after.members.map(({ user_id }) => user_id)).toEqual(
        before.members.map(({ user_id }) => user_id)
      )
      expect(await repairsOf(organization)).toMatchObject([
        {
          actor_id: 'operator',
          metadata: { differences: tally(finds), held: rebuilt.held, reserved: rebuilt.reserved },
        },
      ])
      expect(metrics.filter(({ name }) => name === 'seat.drift_repaired')).toEqual(
        Object.entries(tally(finds)).map(([kind, count]) => ({
          name: 'seat.drift_repaired',
          kind,
          count,
        }))
      )
      expect(codeOf(await add(kit, organization))).toMatch(/^(?:ok|seat_limit_reached)$/)
    }
  )
})
