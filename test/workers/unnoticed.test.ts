/**
 * Mistakes in the source that no test of the real runtime had noticed.
 */
import { describe, expect, it } from 'vitest'
import { rebuildSeats, removeMember } from '../../src/index.ts'
import {
  copiedTeam,
  differencesOf,
  expectRepaired,
  inD1,
  insertMember,
  repairsOf,
} from './by-hand.ts'
import { readState } from './invariants.ts'
import { meanwhile } from './mutators.ts'
import { testEnv } from './setup.ts'
import { answered, codeOf, createWorld, newUser, type TestOrganization } from './world.ts'

describe('a repair that is overtaken', () => {
  const overtakings = [
    {
      what: 'has left',
      sql: 'DELETE FROM memberships WHERE organization_id = ? AND user_id = ?',
    },
    {
      what: 'is suspended',
      sql: `UPDATE memberships SET status = 'suspended' WHERE organization_id = ? AND user_id = ?`,
    },
    {
      what: 'has a seat',
      sql: `UPDATE memberships SET seat_id = 'by hand ' || user_id
            WHERE organization_id = ? AND user_id = ?`,
    },
  ]

  it.each(overtakings)('D5 records no seat for a member who $what by then', async ({ sql }) => {
    const calm = createWorld()
    const { organization } = await copiedTeam(calm)
    const userId = await newUser()
    await insertMember(organization, userId, null)
    const repairs = (await repairsOf(organization)).length
    const overtaken = createWorld({ around: meanwhile(() => inD1(sql, organization.id, userId)) })
    const rebuilt = await rebuildSeats(overtaken.seatgate, organization.asOperator)
    expect(codeOf(rebuilt)).toBe('operation_in_progress')
    expect(await assignmentsTo(organization, userId)).toEqual([])
    expect(await repairsOf(organization)).toHaveLength(repairs)
    // Seen as it is now, it is repaired.
    answered(await rebuildSeats(calm.seatgate, organization.asOperator))
    expect(await assignmentsTo(organization, userId)).toEqual([])
    await expectRepaired(organization)
  })

  it('D7 keeps the fence of a seat that is given up by then', async () => {
    const calm = createWorld()
    const { organization, member, seat, otherSeat } = await copiedTeam(calm)
    for (const seatId of [seat, otherSeat]) {
      await inD1('INSERT INTO seat_fences VALUES (?, ?, 0)', seatId, organization.id)
    }
    expect(await differencesOf(calm, organization)).toEqual(['fenced_seat', 'fenced_seat'])
    const leaving = () => removeMember(calm.seatgate, organization.as(member), member)
    const overtaken = createWorld({
      around: meanwhile(async () => answered(await leaving())),
    })
    answered(await rebuildSeats(overtaken.seatgate, organization.asOperator))
    expect((await readState(organization.id)).fences).toEqual([seat])
    await expectRepaired(organization)
  })
})

/** The seats on record as assigned to a user. */
async function assignmentsTo({ id }: TestOrganization, userId: string) {
  const { results } = await testEnv.DB.prepare(
    `SELECT target_id FROM audit_events WHERE organization_id = ?
     AND action = 'seat.assigned' AND metadata ->> '$.user_id' = ?`
  )
    .bind(id, userId)
    .all()
  return results
}
