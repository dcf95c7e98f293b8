/**
 * Mistakes in the source that no test of the real runtime had noticed.
 */
import { describe, expect, it } from 'vitest'
import type { Around } from '../../../../bench/meter.ts'
import {
  listJoinRequests,
  prepareMember,
  rebuildSeats,
  removeMember,
  seatUsage,
  withdrawJoinRequest,
} from '../../../../src/index.ts'
import { commit } from '../../../../src/database/commit.ts'
import { admitWaiting } from '../../../../src/operations/joining/waitlist.ts'
import {
  copiedTeam,
  differencesOf,
  expectRepaired,
  inD1,
  inLedger,
  insertMember,
  repairsOf,
  aroundDatabaseOf,
  expectSound,
  readLedger,
  readState,
  joinByDomain,
  createJoiningKit,
  membersOf,
  openOrganization,
  requestsOf,
  meanwhile,
  testEnv,
  unwrap,
  codeOf,
  createKit,
  enforcing,
  join,
  newUser,
  type TestOrganization,
} from '../../../kit/index.ts'

describe('a repair that is overtaken', () => {
  const overtakings = [
    {
      what: 'has left',
      sql: 'DELETE FROM seatgate_memberships WHERE organization_id = ? AND user_id = ?',
    },
    {
      what: 'is suspended',
      sql: `UPDATE seatgate_memberships SET status = 'suspended' WHERE organization_id = ? AND user_id = ?`,
    },
    {
      what: 'has a seat',
      sql: `UPDATE seatgate_memberships SET seat_id = 'by hand ' || user_id
            WHERE organization_id = ? AND user_id = ?`,
    },
  ]

  it.each(overtakings)('records no seat for a member who $what before it [D5]', async ({ sql }) => {
    const calm = createKit()
    const { organization } = await copiedTeam(calm)
    const userId = await newUser()
    await insertMember(organization, userId, null)
    const repairs = (await repairsOf(organization)).length
    const overtaken = createKit({ around: meanwhile(() => inD1(sql, organization.id, userId)) })
    const rebuilt = await rebuildSeats(overtaken.seatgate, organization.asOperator)
    expect(codeOf(rebuilt)).toBe('operation_in_progress')
    expect(await assignmentsTo(organization, userId)).toEqual([])
    expect(await repairsOf(organization)).toHaveLength(repairs)
    // Seen as it is now, it is repaired.
    unwrap(await rebuildSeats(calm.seatgate, organization.asOperator))
    expect(await assignmentsTo(organization, userId)).toEqual([])
    await expectRepaired(organization)
  })

  it('keeps the fence of a seat that was given up before [D7]', async () => {
    const calm = createKit()
    const { organization, member, seat, otherSeat } = await copiedTeam(calm)
    for (const seatId of [seat, otherSeat]) {
      await inD1('INSERT INTO seatgate_seat_fences VALUES (?, ?, 0)', seatId, organization.id)
    }
    expect(await differencesOf(calm, organization)).toEqual(['fenced_seat', 'fenced_seat'])
    const leaving = () => removeMember(calm.seatgate, organization.as(member), member)
    const overtaken = createKit({
      around: meanwhile(async () => unwrap(await leaving())),
    })
    unwrap(await rebuildSeats(overtaken.seatgate, organization.asOperator))
    expect((await readState(organization.id)).fences).toEqual([seat])
    await expectRepaired(organization)
  })
})

describe('a ledger that starts', () => {
  const SUPERSEDED = { committed: false, code: 'ledger_superseded' }

  it.each([
    { moment: 'before', outcome: { committed: true }, held: 3 },
    { moment: 'after', outcome: SUPERSEDED, held: 2 },
  ])(
    'counts a seat that an earlier grant takes $moment its one trip, or the batch is refused [D8]',
    async ({ moment, outcome, held }) => {
      const kit = createKit()
      const { seatgate } = kit
      const organization = await kit.organization({ seats: 3 })
      await join(kit, organization)
      const scope = { caller: { userId: organization.owner }, organization: organization.id }
      const input = { userId: await newUser(), role: 'member' }
      const { statements } = unwrap(await prepareMember(seatgate, scope, input))
      await inLedger(organization, 'DELETE FROM ledger')

      const landed: unknown[] = []
      const restore = await aroundDatabaseOf(organization, async (run) => {
        if (moment === 'before') landed.push(await commit(seatgate.db, statements))
        const answer = await run()
        if (moment === 'after') landed.push(await commit(seatgate.db, statements))
        return answer
      })
      unwrap(await seatUsage(seatgate, organization.asOperator))
      await restore()
      expect(landed).toEqual([expect.objectContaining(outcome)])
      expect(await readLedger(organization.id)).toMatchObject({ held, reserved: 0 })
      await expectSound(organization.id, true)
    }
  )
})

describe('a seat that is taken', () => {
  it('is confirmed once [D8]', async () => {
    const confirmations: string[] = []
    const around: Around = ({ asked }, run) => {
      confirmations.push(...asked.filter((what) => what === 'confirm'))
      return run()
    }
    const kit = createKit({ around })
    const organization = await createKit().organization({ seats: 3 })
    await join(kit, organization)
    expect(confirmations).toEqual(['confirm'])
    await expectSound(organization.id, true)
  })

  it('is counted once, however often it is confirmed [D8]', async () => {
    const { seatgate } = createKit()
    const { organization, seat: seatId } = await copiedTeam(createKit())
    const before = await readLedger(organization.id)
    const seat = { organizationId: organization.id, seatId }
    for (let again = 0; again < 2; again++) {
      await seatgate.seats.confirm(seatgate.seatContext, seat, null)
    }
    expect(await readLedger(organization.id)).toEqual(before)
    await expectRepaired(organization)
  })
})

describe.each(enforcing)('the line, %s seats', (provider) => {
  it('does not admit a person who has left it since the plan was made [D8]', async () => {
    const kit = createJoiningKit({ provider })
    const organization = await openOrganization(kit, 'auto', 2)
    const member = await join(kit, organization)
    const { userId: first } = await joinByDomain(kit, organization)
    const { userId: second } = await joinByDomain(kit, organization)
    const scope = organization.as(organization.owner)
    const { data } = unwrap(await listJoinRequests(kit.seatgate, scope))
    const { id } = data.find(({ userId }) => userId === first)!
    // Without a line, so that the seat is free and not given yet.
    const hasty = createKit({ provider })
    unwrap(await removeMember(hasty.seatgate, scope, member))
    await hasty.settled()

    const leaving = () => withdrawJoinRequest(kit.seatgate, { caller: { userId: first } }, id)
    const overtaken = createJoiningKit({
      provider,
      around: meanwhile(async () => unwrap(await leaving())),
    })
    await admitWaiting(overtaken.seatgate, organization.id)
    await overtaken.settled()
    expect(await membersOf(organization)).toEqual([member, second])
    expect((await requestsOf(organization)).map(({ state }) => state)).toEqual([
      'withdrawn',
      'joined',
    ])
    await expectSound(organization.id, true)
  })
})

/** The seats on record as assigned to a user. */
async function assignmentsTo({ id }: TestOrganization, userId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT target_id FROM seatgate_audit_events WHERE organization_id = ?
     AND action = 'seat.assigned' AND metadata ->> '$.user_id' = ?`
  )
    .bind(id, userId)
    .all()
  return results
}
