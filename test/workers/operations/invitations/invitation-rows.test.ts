import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import { createInvitations, listInvitations } from '../../../../src/index.ts'
import { createKit, unwrap } from '../../../kit/index.ts'

const PAGE = 10

/** The rows that the first two pages of a list read, of so many open invitations. */
async function rowsRead(invitations: number): Promise<number[]> {
  const meter = createMeter()
  const kit = createKit({ around: meter.around, invitationLimits: { inBulk: 1000 } })
  const organization = await kit.organization()
  const scope = organization.as(organization.owner)
  for (let invited = 0; invited < invitations; invited += 100) {
    const rows = Array.from({ length: Math.min(100, invitations - invited) }, (_, index) => ({
      email: `p${invited + index}@${organization.id}.example`,
      role: 'member',
    }))
    const outcomes = unwrap(await createInvitations(kit.seatgate, scope, { invitations: rows }))
    expect(outcomes.every(({ ok }) => ok)).toBe(true)
  }
  const list = (cursor?: string) =>
    meter.measure(
      () => listInvitations(kit.seatgate, scope, { limit: PAGE, ...(cursor && { cursor }) }),
      kit.settled
    )
  const [first, cost] = await list()
  const [second, next] = await list(unwrap(first).nextCursor ?? '')
  expect(unwrap(first).data.length + unwrap(second).data.length).toBe(2 * PAGE)
  return [cost.rowsRead, next.rowsRead]
}

describe('a list of invitations', () => {
  it('reads as many rows of 600 open invitations as of 30', async () => {
    const few = await rowsRead(30)
    expect(Math.max(...few)).toBeLessThan(4 * PAGE)
    expect(await rowsRead(600)).toEqual(few)
  })
})
