import { runInDurableObject } from 'cloudflare:test'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { seatUsage } from '../../../../src/index.ts'
import type { SeatLedger } from '../../../../src/worker/seat-ledger.ts'
import type { ReserveRequest } from '../../../../src/parts/ledger/protocol.ts'
import { unlimited, type SeatLimit } from '../../../../src/engine/seats/limit.ts'
import { ledgerOf, unwrap, createKit, type TestOrganization } from '../../../kit/index.ts'

afterEach(() => {
  vi.useRealTimers()
})

const MOST_READ = 10
const HOUR_MS = 3_600_000

/** A ledger, called from inside its object. */
interface Ledger {
  readonly calls: SeatLedger
  readonly limit: SeatLimit
  readonly request: (seatId: string, defaultLimit?: SeatLimit) => ReserveRequest
}

const CALLS: Readonly<Record<string, (ledger: Ledger) => Promise<unknown>>> = {
  'reserve a seat': ({ calls, request }) => calls.reserve(request('new')),
  'reserve a second seat': ({ calls, request }) => calls.reserve(request('expiring')),
  'refuse at the limit': ({ calls, request, limit }) => calls.reserve(request('refused', limit)),
  'repeat an answer': ({ calls, request }) => calls.reserve(request('new')),
  'confirm a seat': ({ calls, request }) => calls.confirm({ ...request('new'), until: null }),
  'release a seat': ({ calls, request }) => calls.release(request('new')),
  'count the seats': ({ calls, request }) => calls.usage(request('none')),
  'set the limit': ({ calls, request, limit }) =>
    calls.setLimit({ ...request('none'), version: 2, limit }),
  'settle what is due': ({ calls }) => {
    vi.useFakeTimers({ now: Date.now() + HOUR_MS, toFake: ['Date'] })
    return calls.alarm()
  },
}

describe('the rows that a ledger reads', () => {
  // What has no alarm outstanding looks for the next deadline with each call.
  it.each([10, 10_000])('are at most ten a call at %i seats [SEAT-5]', async (seats) => {
    const kit = createKit()
    const organization = await kit.organization()
    unwrap(await seatUsage(kit.seatgate, organization.as(organization.owner)))
    const read = await rowsRead(organization, seats)
    expect(Object.keys(read)).toEqual(Object.keys(CALLS))
    expect(Object.entries(read).filter(([, rows]) => rows > MOST_READ)).toEqual([])
  })
})

// Without an index a statement would read every seat.
describe('the statements of a ledger', () => {
  it('neither scan nor sort the seats [SEAT-5]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    unwrap(await seatUsage(kit.seatgate, organization.as(organization.owner)))
    const statements = new Set<string>()
    await rowsRead(organization, 10, (sql) => statements.add(sql))
    expect(statements.size).toBeGreaterThan(8)
    const plans = await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
      [...statements].flatMap((sql) =>
        storage.sql
          .exec<{ detail: string }>(`EXPLAIN QUERY PLAN ${sql}`, ...nullsFor(sql))
          .toArray()
          .map(({ detail }) => `${detail}: ${sql}`)
      )
    )
    expect(plans.some((plan) => plan.startsWith('SEARCH seats USING INDEX seats_deadline'))).toBe(
      true
    )
    expect(plans.filter((plan) => /^SCAN (seats|released)|TEMP B-TREE/.test(plan))).toEqual([])
  })
})

// Numbered parameters are bound once each.
const nullsFor = (sql: string) =>
  Array.from(
    sql.includes('?1') ? new Set(sql.match(/\?\d/g)) : (sql.match(/\?/g) ?? []),
    () => null
  )

function rowsRead(
  organization: TestOrganization,
  seats: number,
  note: (sql: string) => void = () => {}
): Promise<Record<string, number>> {
  return runInDurableObject(ledgerOf(organization), async (calls, { storage }) => {
    storage.sql.exec(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO seats (seat_id, holder) SELECT 'seat ' || i, 'user ' || i FROM n`,
      seats
    )
    const request = (seatId: string, defaultLimit: SeatLimit = unlimited): ReserveRequest => ({
      organizationId: organization.id,
      seatId,
      holder: seatId,
      defaultLimit,
      reservationSeconds: 30,
    })
    const read: Record<string, number> = {}
    for (const [name, call] of Object.entries(CALLS)) {
      await storage.deleteAlarm()
      const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
      const exec = storage.sql.exec
      storage.sql.exec = ((...query: Parameters<typeof exec>) => {
        note(query[0])
        const cursor = exec.apply(storage.sql, query)
        cursors.push(cursor)
        return cursor
      }) as typeof exec
      await call({ calls, request, limit: { kind: 'finite', seats: 1 } })
      storage.sql.exec = exec
      read[name] = cursors.reduce((sum, { rowsRead: rows }) => sum + rows, 0)
    }
    return read
  })
}
