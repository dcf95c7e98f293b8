/**
 * The start of a ledger: its first page with the call, the others by its alarm.
 */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, it, vi } from 'vitest'
import {
  removeMember,
  revokeInvitation,
  seatUsage,
  sweepSeats,
  verifySeats,
} from '../../../../src/index.ts'
import { leak, overshoot } from '../../../../src/testing/index.ts'
import type { SeatLedger } from '../../../../src/worker/seat-ledger.ts'
import {
  inD1,
  aroundDatabaseOf,
  ledgerOf,
  readLedger,
  readState,
  accept,
  invite,
  add,
  unwrap,
  codeOf,
  createKit,
  type TestOrganization,
  atScale,
} from '../../../kit/index.ts'

const PAGE = 2
// As the object has it.
const IMPORT_PAGE = 2000

/** Inserts members with seats, without users: the ledger does not ask for them. */
async function fill({ id }: TestOrganization, members: number): Promise<void> {
  await inD1(
    `INSERT INTO seatgate_memberships
       (id, organization_id, user_id, role, seat_id, created_at, updated_at)
     WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?2)
     SELECT ?1 || '-m' || i, ?1, 'u' || i, 'member', ?1 || '-s' || i, i, i FROM n`,
    id,
    members
  )
}

/** Its next ledger imports small pages, and only when the test calls its alarm. */
async function slowly(
  organization: TestOrganization,
  importPage: number | null = PAGE
): Promise<void> {
  await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => storage.deleteAll())
  await evictDurableObject(ledgerOf(organization))
  await runInDurableObject(ledgerOf(organization), (instance, { storage }) => {
    if (importPage !== null) Object.assign(instance, { importPage })
    storage.setAlarm = async () => {}
  })
}

function importNext(organization: TestOrganization): Promise<void> {
  return runInDurableObject(ledgerOf(organization), (instance: SeatLedger) => instance.alarm())
}

async function importAll(organization: TestOrganization): Promise<void> {
  for (let page = 0; page < 20; page++) {
    if ((await readLedger(organization.id))?.stage === undefined) return
    await importNext(organization)
  }
  throw new Error('The import does not end.')
}

/** An organization of six members, whose new ledger has imported two of them. */
async function halfway(limit: number) {
  const kit = createKit()
  const organization = await kit.organization({ seats: limit })
  await fill(organization, 5)
  await slowly(organization)
  unwrap(await seatUsage(kit.seatgate, organization.asOperator))
  expect(await readLedger(organization.id)).toMatchObject({ held: 2, pending: 4 })
  return { kit, organization }
}

describe('a ledger that imports seats', () => {
  it('counts those that are not imported yet, and refuses at the limit [SEAT-33]', async () => {
    const { kit, organization } = await halfway(7)
    expect(unwrap(await seatUsage(kit.seatgate, organization.asOperator))).toMatchObject({
      held: 6,
      available: 1,
    })
    expect(codeOf(await add(kit, organization))).toBe('ok')
    const full = { code: 'seat_limit_reached', limit: 7, used: 7 }
    expect(await add(kit, organization)).toEqual({ ok: false, error: full })
    await kit.settled()
    await expectSeats(organization, { quiet: false })
    await importAll(organization)
    await expectSeats(organization)
    expect(await add(kit, organization)).toEqual({ ok: false, error: full })
  })

  it('grants seats while D1 does not answer the page that it imports', async () => {
    const { kit, organization } = await halfway(8)
    const held = Promise.withResolvers<void>()
    let isFirst = true
    const leave = await aroundDatabaseOf(organization, async (run) => {
      const isPage = isFirst
      isFirst = false
      if (isPage) await held.promise
      return run()
    })
    const page = importNext(organization)
    await vi.waitFor(() => expect(isFirst).toBe(false))
    expect(codeOf(await add(kit, organization))).toBe('ok')
    expect(codeOf(await add(kit, organization))).toBe('ok')
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    held.resolve()
    await page
    await leave()
    await kit.settled()
    await importAll(organization)
    await expectSeats(organization)
  })

  it('does not bring back a seat that was released after its page was read', async () => {
    const { kit, organization } = await halfway(6)
    await importAfter(organization, async () => {
      // In this page.
      const { ledger } = await known(organization)
      const gone = ['u1', 'u2', 'u3', 'u4', 'u5'].find((user) => !ledger.has(user))!
      unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), gone))
    })
    // There may be room now, and there may not.
    expect(codeOf(await add(kit, organization))).toBe('seats_unavailable')
    await importAll(organization)
    expect(unwrap(await seatUsage(kit.seatgate, organization.asOperator))).toMatchObject({
      held: 5,
    })
    expect(codeOf(await add(kit, organization))).toBe('ok')
    await kit.settled()
    await expectSeats(organization)
    const verified = unwrap(await verifySeats(kit.seatgate, organization.asOperator))
    expect(verified.differences).toEqual([])
  })

  it('knows a seat that is claimed again before its page: an invitation is accepted at the limit', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 8 })
    const invited = [await invite(kit, organization), await invite(kit, organization)]
    await fill(organization, 5)
    await slowly(organization, 3)
    unwrap(await accept(kit, invited[0]!))
    expect((await readLedger(organization.id))?.stage).toBe('members')
    expect(codeOf(await add(kit, organization))).toBe('seat_limit_reached')
    await kit.settled()
    await importAll(organization)
    await expectSeats(organization)
  })

  it('grants no seat under a limit before it knows all invitations', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 10 })
    const invited = []
    for (let sent = 0; sent < 3; sent++) invited.push(await invite(kit, organization))
    await slowly(organization)
    const asking = () => seatUsage(kit.seatgate, organization.asOperator)
    expect(codeOf(await asking())).toBe('seats_unavailable')
    expect(codeOf(await add(kit, organization))).toBe('seats_unavailable')
    expect((await readLedger(organization.id))?.stage).toBe('invitations')
    // Its seat is its own.
    unwrap(await accept(kit, invited[2]!))
    unwrap(
      await revokeInvitation(kit.seatgate, organization.as(organization.owner), invited[0]!.id)
    )
    await importNext(organization)
    expect(codeOf(await asking())).toBe('ok')
    expect(codeOf(await add(kit, organization))).toBe('ok')
    await kit.settled()
    await importAll(organization)
    expect(unwrap(await asking())).toMatchObject({ held: 3, reserved: 1 })
    await expectSeats(organization)
  })

  it('begins again at a place that older code has left, which is an address', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 10 })
    for (let sent = 0; sent < 5; sent++) await invite(kit, organization)
    await slowly(organization)
    expect(codeOf(await seatUsage(kit.seatgate, organization.asOperator))).toBe('seats_unavailable')
    expect(await readLedger(organization.id)).toMatchObject({ stage: 'invitations' })
    await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => {
      storage.sql.exec("UPDATE import SET after = 'zoe@example.com'")
    })
    await importAll(organization)
    await expectSeats(organization)
    expect(unwrap(await seatUsage(kit.seatgate, organization.asOperator))).toMatchObject({
      held: 1,
      reserved: 5,
    })
  })

  it('continues after an eviction, with its alarm', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: 10 })
    await fill(organization, 8)
    await slowly(organization)
    unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    await importNext(organization)
    const before = (await readLedger(organization.id))!
    expect(before).toMatchObject({ held: 4, pending: 5 })
    await evictDurableObject(ledgerOf(organization))
    unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    await vi.waitFor(async () => {
      await runDurableObjectAlarm(ledgerOf(organization))
      expect((await readLedger(organization.id))?.stage).toBeUndefined()
    })
    expect(await readLedger(organization.id)).toMatchObject({ epoch: before.epoch, held: 9 })
    await expectSeats(organization)
  })

  it('imports no page that was read for a ledger before it', async () => {
    const { kit, organization } = await halfway(6)
    await importAfter(organization, async () => {
      await ledgerOf(organization).close({
        organizationId: organization.id,
        defaultLimit: { kind: 'finite', seats: 6 },
      })
      // No longer there when the next one starts.
      unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), 'u1'))
      unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), 'u2'))
      unwrap(await removeMember(kit.seatgate, organization.as(organization.owner), 'u3'))
      unwrap(await seatUsage(kit.seatgate, organization.asOperator))
    })
    await importAll(organization)
    await expectSeats(organization)
  })

  it('is no drift, and is compared when it is over', async () => {
    const { kit, organization } = await halfway(9)
    const verify = async () => unwrap(await verifySeats(kit.seatgate, organization.asOperator))
    expect(await verify()).toMatchObject({ ledger: null, differences: [] })
    await importAll(organization)
    expect(await verify()).toMatchObject({ ledger: { held: 6 }, differences: [] })
  })
})

const MEMBERS = atScale({ share: 10_000, thorough: 100_000 })

describe(`at ${MEMBERS.toLocaleString('en')} members`, () => {
  it('no call of a ledger reads or writes more than its page', async () => {
    const kit = createKit()
    const organization = await kit.organization({ seats: MEMBERS + 3 })
    await fill(organization, MEMBERS)
    await slowly(organization, null)
    const rows = await countRows(organization)
    const costs: Record<string, number>[] = []
    costs.push(await rows(() => seatUsage(kit.seatgate, organization.asOperator).then(unwrap)))
    while ((await readLedger(organization.id))?.stage !== undefined) {
      costs.push(await rows(() => importNext(organization)))
      if (costs.length === atScale({ share: 3, thorough: 20 })) {
        // In the middle of it, a rush for the last two seats.
        const rushed = await Promise.all(Array.from({ length: 10 }, () => add(kit, organization)))
        expect(rushed.filter(({ ok }) => ok)).toHaveLength(2)
        await kit.settled()
      }
    }
    expect(costs.length).toBe(Math.floor((MEMBERS + 1) / IMPORT_PAGE) + 1)
    const most = (what: string) => Math.max(...costs.map((cost) => cost[what]!))
    expect(most('trips')).toBe(1)
    expect(most('d1Read')).toBeLessThanOrEqual(IMPORT_PAGE + 10)
    // Each seat is a row, and an index by its holder.
    expect(most('written')).toBeLessThanOrEqual(2 * IMPORT_PAGE + 10)
    expect(most('read')).toBeLessThanOrEqual(5 * IMPORT_PAGE + 50)
    expect(await readLedger(organization.id)).toMatchObject({ held: MEMBERS + 3, reserved: 0 })
    await expectSeats(organization)
    const closed = await rows(() =>
      ledgerOf(organization).close({
        organizationId: organization.id,
        defaultLimit: { kind: 'finite', seats: 1 },
      })
    )
    expect(closed['written']).toBeLessThanOrEqual(100)
    expect(closed['read']).toBeLessThanOrEqual(100)
    expect(await readLedger(organization.id)).toBeNull()
  }, 120_000)
})

it('a sweep makes no ledger: an object that was only asked has no tables', async () => {
  const kit = createKit({ provider: 'd1' })
  const organization = await kit.organization({ seats: 3 })
  await inD1('DELETE FROM seatgate_rotations')
  const sweeping = createKit()
  unwrap(await verifySeats(sweeping.seatgate, organization.asOperator))
  await sweepSeats(sweeping.seatgate)
  const tables = await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) =>
    storage.sql.exec("SELECT name FROM sqlite_master WHERE type = 'table'").toArray()
  )
  expect(tables.map(({ name }) => name)).not.toContain('ledger')
  expect(await readLedger(organization.id)).toBeNull()
})

/** Both stores have the same seats, and no more than the limit. The members are on no record. */
async function expectSeats(organization: TestOrganization, { quiet } = { quiet: true }) {
  const state = await readState(organization.id)
  expect([...overshoot(state, { quiet }), ...(quiet ? leak(state) : [])]).toEqual([])
}

async function known(organization: TestOrganization) {
  const ledger = await readLedger(organization.id)
  return { ledger: new Set(ledger!.seats.map(({ holder }) => holder)) }
}

/** Does something after a page was read, and before it is imported. */
async function importAfter(organization: TestOrganization, act: () => Promise<void>) {
  let isFirst = true
  let isRead = false
  let hasActed = false
  const leave = await aroundDatabaseOf(organization, async (run) => {
    if (!isFirst) return run()
    isFirst = false
    const answer = await run()
    isRead = true
    // The object cannot await a promise of the test.
    while (!hasActed) await new Promise((done) => setTimeout(done, 1))
    return answer
  })
  const page = importNext(organization)
  await vi.waitFor(() => expect(isRead).toBe(true))
  await act()
  hasActed = true
  await page
  await leave()
}

/** Counts the rows of a call, in D1 and in the object. */
async function countRows(organization: TestOrganization) {
  const counted = { trips: 0, d1Read: 0, read: 0, written: 0 }
  const cursors: SqlStorageCursor<Record<string, SqlStorageValue>>[] = []
  await runInDurableObject(ledgerOf(organization), (_ledger, { storage }) => {
    const exec = storage.sql.exec
    storage.sql.exec = ((...query: Parameters<typeof exec>) => {
      const cursor = exec.apply(storage.sql, query)
      cursors.push(cursor)
      return cursor
    }) as typeof exec
  })
  await aroundDatabaseOf(organization, async (run) => {
    const answer = await run()
    counted.trips += 1
    for (const { meta } of [answer].flat() as D1Result[]) counted.d1Read += meta.rows_read
    return answer
  })
  return async (call: () => Promise<unknown>) => {
    Object.assign(counted, { trips: 0, d1Read: 0, read: 0, written: 0 })
    cursors.length = 0
    await call()
    for (const { rowsRead, rowsWritten } of cursors) {
      counted.read += rowsRead
      counted.written += rowsWritten
    }
    return { ...counted }
  }
}
