import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import { listAuditEvents, logEvent, type AuditListInput } from '../../../../src/index.ts'
import { addEvents, unwrap, createKit } from '../../../kit/index.ts'

// The organization, which several parts of the query look up, and the events behind the last full block,
// fewer than 64, with as many rows about full blocks.
const MOST_READ = 200

const FILTERS: readonly AuditListInput[] = [
  { target_id: 'rare' },
  { actor_id: 'rare' },
  { action: 'test.rare' },
  { action: 'test.never' },
  { action: 'test.rare', actor_id: 'rare', order: 'oldest' },
]

/** The rows that each list reads in a trail of so many events, of which one matches. */
async function rowsRead(events: number): Promise<Record<string, number>> {
  const meter = createMeter()
  const kit = createKit({ around: meter.around })
  const organization = await kit.organization()
  const scope = { caller: { type: 'system' } as const, organization: organization.id }
  const rare = { caller: { userId: 'rare' }, organization: organization.id }
  unwrap(
    await logEvent(kit.seatgate, rare as never, {
      action: 'test.rare',
      target: { type: 'thing', id: 'rare' },
    })
  )
  const [last] = unwrap(await listAuditEvents(kit.seatgate, scope)).data
  await addEvents(organization.id, events, last!.sequence)
  const read: Record<string, number> = {}
  for (const filters of FILTERS) {
    const [page, cost] = await meter.measure(
      () => listAuditEvents(kit.seatgate, scope, filters),
      kit.settled
    )
    expect(unwrap(page).data.length).toBe(filters.action === 'test.never' ? 0 : 1)
    read[JSON.stringify(filters)] = cost.rowsRead
  }
  return read
}

describe('a list of audit events by actor, target or action', () => {
  it('reads a bounded number of rows, of ten events or of 5,000', async () => {
    for (const events of [10, 5000]) {
      const read = await rowsRead(events)
      expect(Object.entries(read).filter(([, rows]) => rows > MOST_READ)).toEqual([])
    }
  })
})
