import { describe, expect, it } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import { listAuditEvents, logEvent, type AuditListInput } from '../../../../src/index.ts'
import { addEvents, unwrap, createKit } from '../../../kit/index.ts'

// 63 events behind the last full block of 64, 63 rows about full blocks behind the last full segment of 4,096,
// and the organization, which several parts of the query look up. Each read segment is one row more.
const MOST_READ = 155

// The most that are in no full block and in no full segment.
const EVENTS_IN_A_SEGMENT = 4096
const WORST = 2 * EVENTS_IN_A_SEGMENT - 1

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
  await addEvents(organization.id, events - last!.sequence, last!.sequence)
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
  it('reads a bounded number of rows, of ten events and at the worst place of a trail', async () => {
    for (const events of [10, WORST]) {
      const read = await rowsRead(events)
      expect(Object.entries(read).filter(([, rows]) => rows > MOST_READ)).toEqual([])
    }
  })
})
