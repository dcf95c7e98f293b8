import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import { createInvitations, listInvitations } from '../../../../src/index.ts'
import { createInvitingWorld } from '../../../kit/invitations.ts'
import { answered, newOrganization } from '../../../kit/kit.ts'

const PAGE = 10

/** The rows that the first two pages of a list read, of so many open invitations. */
async function rowsRead(invitations: number): Promise<number[]> {
  const meter = createMeter()
  const world = createInvitingWorld({ around: meter.around, invitationLimits: { inBulk: 1000 } })
  const organization = await newOrganization(world)
  const scope = organization.as(organization.owner)
  for (let invited = 0; invited < invitations; invited += 100) {
    const rows = Array.from({ length: Math.min(100, invitations - invited) }, (_, index) => ({
      email: `p${invited + index}@${organization.id}.example`,
      role: 'member',
    }))
    const outcomes = answered(await createInvitations(world.seatgate, scope, { invitations: rows }))
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
  }
  const list = (cursor?: string) =>
    meter.measure(
      () => listInvitations(world.seatgate, scope, { limit: PAGE, ...(cursor && { cursor }) }),
      world.settled
    )
  const [first, cost] = await list()
  const [second, next] = await list(answered(first).nextCursor ?? '')
  expect(answered(first).data.length + answered(second).data.length).toBe(2 * PAGE)
  return [cost.rowsRead, next.rowsRead]
}

describe('a list of invitations', () => {
  it('reads as many rows of 600 open invitations as of 30', async () => {
    const few = await rowsRead(30)
    expect(Math.max(...few)).toBeLessThan(4 * PAGE)
    expect(await rowsRead(600)).toEqual(few)
  })
})
