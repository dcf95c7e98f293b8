import { getTableName } from 'drizzle-orm'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createMeter } from '../../../../bench/meter.ts'
import * as schema from '../../../../src/database/schema.ts'
import {
  putActiveOrganization,
  renameOrganization,
  withdrawJoinRequest,
} from '../../../../src/index.ts'
import { sweepHandler } from '../../../../src/worker/index.ts'
import { purgeExpired } from '../../../../src/worker/handlers.ts'
import {
  seatgateWith,
  muchLater,
  passTime,
  slowAdd,
  readState,
  violationsIn,
  createJoiningKit,
  joinAs,
  neighbourOf,
  openOrganization,
  freshStores,
  testEnv,
  add,
  unwrap,
  codeOf,
  createKit,
  join,
  newUser,
  type TestOrganization,
  type Kit,
  type KitOptions,
} from '../../../kit/index.ts'

declare global {
  interface ImportMeta {
    glob(patterns: readonly string[], options: object): Record<string, string>
  }
}

const [storageDocs = ''] = Object.values(
  import.meta.glob(['../../../../docs/storage.md'], {
    query: '?raw',
    import: 'default',
    eager: true,
  })
)

const DAY_MS = 24 * 60 * 60 * 1000
const HOUR_MS = 60 * 60 * 1000

afterEach(() => {
  vi.useRealTimers()
})

/** A world whose clock is turned by hand. */
function clockedWorld(options: KitOptions = {}, create: (o: KitOptions) => Kit = createKit) {
  let time = Date.now()
  const kit = create({ now: () => new Date(time), ...options })
  return {
    kit,
    pass(milliseconds: number) {
      time += milliseconds
    },
    async sweepAfter(milliseconds: number) {
      time += milliseconds
      await sweepHandler(kit.seatgate)()
      await kit.settled()
    },
  }
}

const count = async (sql: string, ...values: unknown[]) =>
  (await testEnv.DB.prepare(`SELECT count(*) AS found FROM ${sql}`)
    .bind(...values)
    .first<number>('found'))!

const run = (sql: string, ...values: unknown[]) =>
  testEnv.DB.prepare(sql)
    .bind(...values)
    .run()

describe('stored answers', () => {
  const answersOf = (userId: string) =>
    count('seatgate_operations WHERE actor_id = ?', `user:${userId}`)

  it('end after operationRetentionDays, and not before [A10]', async () => {
    const { kit, sweepAfter } = clockedWorld()
    const organization = await kit.organization()
    const scope = organization.as(organization.owner)
    const rename = (name: string) =>
      renameOrganization(kit.seatgate, scope, { name }, { operationId: 'key' })
    const first = await rename('First')
    expect(codeOf(first)).toBe('ok')
    await sweepAfter(90 * DAY_MS - 1)
    expect(await rename('First')).toEqual(first)
    expect(codeOf(await rename('Second'))).toBe('idempotency_mismatch')
    await sweepAfter(DAY_MS)
    expect(codeOf(await rename('Second'))).toBe('ok')
  })

  it('stay if operationRetentionDays is Infinity, and end earlier if it is less [A10]', async () => {
    const userId = await newUser()
    const store = (id: string, at: number) =>
      run(`INSERT INTO seatgate_operations VALUES (?, ?, 'd', '{}', ?)`, `user:${userId}`, id, at)
    await store('old', Date.now() - 1000 * DAY_MS)
    await store('new', Date.now() - 2 * DAY_MS)
    await purgeExpired(createKit({ operationRetentionDays: Infinity }).seatgate)
    expect(await answersOf(userId)).toBe(2)
    await purgeExpired(createKit({ operationRetentionDays: 3 }).seatgate)
    expect(await answersOf(userId)).toBe(1)
  })

  it.each([0, 1.5, -1, NaN])(
    'refuses to store results for %s days [A10]',
    (operationRetentionDays) => {
      expect(() => seatgateWith({ operationRetentionDays })).toThrow(/idempotency\.retentionDays/)
    }
  )

  it('are not stored for the refusals of a stranger [A10]', async () => {
    const kit = createKit()
    const organization = await kit.organization()
    const [stranger, member] = [await newUser(), await join(kit, organization)]
    for (const [userId, code, stored] of [
      [stranger, 'organization_not_found', 0],
      [member, 'insufficient_role', 1],
    ] as const) {
      const scope = organization.as(userId)
      for (const operationId of ['one', 'one']) {
        const answer = renameOrganization(kit.seatgate, scope, { name: 'X' }, { operationId })
        expect(codeOf(await answer)).toBe(code)
      }
      expect(await answersOf(userId), code).toBe(stored)
    }
  })
})

describe('sessions', () => {
  it('go 30 days after they expired [A10]', async () => {
    const { kit, sweepAfter } = clockedWorld()
    const userId = await newUser()
    const expires = kit.seatgate.now().getTime() + DAY_MS
    await run(
      `INSERT INTO seatgate_sessions VALUES (replace(hex(zeroblob(32)), '0', 'e'), ?, NULL, ?, 1, 1)`,
      userId,
      expires
    )
    await sweepAfter(31 * DAY_MS - 1)
    expect(await count('seatgate_sessions WHERE user_id = ?', userId)).toBe(1)
    await sweepAfter(DAY_MS)
    expect(await count('seatgate_sessions WHERE user_id = ?', userId)).toBe(0)
  })
})

describe('fences', () => {
  const fences = async ({ id }: TestOrganization) => (await readState(id)).fences

  it('go after a day, and a later write with such a seat is still refused [A10]', async () => {
    const { organization, joining, letGo, calm } = await slowAdd()
    await muchLater(organization.id)
    const [slow] = await fences(organization)
    expect(slow).toBeDefined()
    passTime(DAY_MS - 1000)
    await sweepHandler(calm.seatgate)()
    expect(await fences(organization)).toEqual([slow])
    passTime(1000)
    await sweepHandler(calm.seatgate)()
    expect(await fences(organization)).toEqual([])

    // The seat went to somebody else meanwhile: the late write must not be one too many.
    expect(codeOf(await add(calm, organization))).toBe('ok')
    letGo()
    expect(codeOf(await joining())).toBe('seat_limit_reached')
    await calm.settled()
    const state = await readState(organization.id)
    expect(state.members).toHaveLength(2)
    expect(state.members.map(({ seat_id }) => seat_id)).not.toContain(slow)
    expect(violationsIn(state, { quiet: true })).toEqual([])
  })

  it('that go keep no user from a seat that is granted afterwards [A10]', async () => {
    const { organization, joining, letGo, calm } = await slowAdd()
    await muchLater(organization.id)
    passTime(DAY_MS)
    await sweepHandler(calm.seatgate)()
    const epoch = async () => (await readState(organization.id)).epoch
    const before = await epoch()
    expect(codeOf(await add(calm, organization))).toBe('ok')
    expect(await epoch()).toBe(before)
    letGo()
    await joining()
  })

  it('stay while no known ledger refuses late writes [A10]', async () => {
    const seatId = crypto.randomUUID()
    await run(`INSERT INTO seatgate_seat_fences VALUES (?, 'nowhere', 1)`, seatId)
    await purgeExpired(createKit().seatgate)
    expect(await count('seatgate_seat_fences WHERE seat_id = ?', seatId)).toBe(1)
  })
})

describe('switching the active organization', () => {
  it('is recorded 60 times an hour, and then with the number of omitted ones [A10]', async () => {
    const { kit, pass } = clockedWorld()
    const userId = await newUser()
    const organizations = [await kit.organization(), await kit.organization()]
    for (const organization of organizations) await join(kit, organization, 'member', userId)
    await run(
      `INSERT INTO seatgate_sessions VALUES (?, ?, NULL, 9999999999999, 1, 1)`,
      userId.replaceAll('-', '').repeat(2),
      userId
    )
    let active: string | null = null
    const turn = async (index: number) => {
      const session = { id: userId.replaceAll('-', '').repeat(2), activeOrganizationId: active }
      const to = organizations[index % 2]!.id
      const done = await putActiveOrganization(kit.seatgate, { caller: { userId, session } }, to)
      active = unwrap(done).session.activeOrganizationId
      expect(active).toBe(to)
    }
    const recorded = () =>
      count(
        `seatgate_audit_events WHERE actor_id = ? AND action = 'organization.active_switched'`,
        userId
      )
    for (let index = 0; index < 65; index++) await turn(index)
    expect(await recorded()).toBe(60)
    pass(HOUR_MS - 1)
    await turn(65)
    expect(await recorded()).toBe(60)
    pass(1)
    await turn(66)
    await turn(67)
    expect(await recorded()).toBe(62)
    const { results } = await testEnv.DB.prepare(
      `SELECT json_extract(metadata, '$.left_out') AS "left" FROM seatgate_audit_events
       WHERE actor_id = ? AND action = 'organization.active_switched' AND "left" IS NOT NULL`
    )
      .bind(userId)
      .all()
    expect(results).toEqual([{ left: 6 }])
  })
})

describe('requests to join', () => {
  const askingWorld = () => clockedWorld({}, createJoiningKit)

  it('are ten a day of one person in one organization, taken back or not [A10]', async () => {
    const { kit, pass } = askingWorld()
    const organization = await openOrganization(kit, 'request')
    const userId = await neighbourOf(organization)
    const ask = async () => {
      const asked = await joinAs(kit, organization, userId)
      if (!asked.ok || asked.value.status === 'joined') return codeOf(asked)
      const { id } = asked.value.request
      return codeOf(await withdrawJoinRequest(kit.seatgate, { caller: { userId } }, id))
    }
    for (let asked = 0; asked < 10; asked++) expect(await ask()).toBe('ok')
    const events = () => count('seatgate_audit_events WHERE organization_id = ?', organization.id)
    const before = await events()
    expect(await ask()).toBe('rate_limited_user')
    expect(await events()).toBe(before)
    const other = await neighbourOf(organization)
    expect(codeOf(await joinAs(kit, organization, other))).toBe('ok')
    pass(DAY_MS)
    expect(await ask()).toBe('ok')
  })

  it('go 90 days after they were settled, but for the last place in line [A10]', async () => {
    const { kit, sweepAfter } = askingWorld()
    const organization = await openOrganization(kit, 'auto', 1)
    const states = async () => {
      const { results } = await testEnv.DB.prepare(
        'SELECT state FROM seatgate_join_requests WHERE organization_id = ? ORDER BY place'
      )
        .bind(organization.id)
        .all<{ state: string }>()
      return results.map(({ state }) => state)
    }
    for (let asked = 0; asked < 2; asked++) {
      const userId = await neighbourOf(organization)
      const waiting = unwrap(await joinAs(kit, organization, userId))
      if (waiting.status === 'joined') throw new Error('There was a seat.')
      unwrap(await withdrawJoinRequest(kit.seatgate, { caller: { userId } }, waiting.request.id))
    }
    await sweepAfter(90 * DAY_MS - 1)
    expect(await states()).toEqual(['withdrawn', 'withdrawn'])
    await sweepAfter(1)
    expect(await states()).toEqual(['withdrawn'])
    expect(
      await count('seatgate_join_requests WHERE organization_id = ? AND place = 2', organization.id)
    ).toBe(1)
  })
})

describe('work outside the database', () => {
  it('is given up and reported if it has failed for 90 days [A10]', async () => {
    const reports: string[] = []
    const { kit, sweepAfter } = clockedWorld({
      report: ({ event }) => reports.push(event),
      hooks: { afterAddMember: () => Promise.reject(new Error('down')) },
    })
    const organization = await kit.organization()
    await join(kit, organization)
    const left = () => count('seatgate_jobs WHERE organization_id = ?', organization.id)
    await sweepAfter(90 * DAY_MS - 1)
    expect(await left()).toBe(1)
    expect(reports).not.toContain('afterAddMember_given_up')
    await sweepAfter(DAY_MS)
    expect(await left()).toBe(0)
    expect(reports).toContain('afterAddMember_given_up')
  })
})

describe('the purge', () => {
  it('is one trip and a few rows where no row has expired, and at most 1,000 of a table [A10]', async () => {
    await freshStores()
    const meter = createMeter()
    const { kit, pass } = clockedWorld({ around: meter.around })
    const { seatgate, settled } = kit
    const purge = async () => (await meter.measure(() => purgeExpired(seatgate), settled))[1]
    await purge()
    const cost = await purge()
    expect(cost).toMatchObject({ d1Trips: 1, rowsWritten: 0 })
    // A table with an index of what is over costs one or two rows, one that is visited in turn eight.
    expect(cost.rowsRead).toBeLessThan(45)
    const filled = (rows: number) => `
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows})`
    await run(
      `INSERT INTO seatgate_operations ${filled(1500)}
       SELECT 'user:ada', printf('%05d', i), 'd', '{}', 1 FROM n`
    )
    await run(`INSERT INTO seatgate_step_ups ${filled(1500)} SELECT 's' || i, 'ada', 1 FROM n`)
    pass(DAY_MS)
    for (const left of [500, 0]) {
      await purge()
      expect(await count('seatgate_operations')).toBe(left)
      expect(await count('seatgate_step_ups')).toBe(left)
    }
  })
})

describe('the purge of a table in order of its primary key', () => {
  beforeEach(freshStores)

  const OLD = 1
  const store = (ids: readonly string[], createdAt: number) =>
    run(
      `INSERT INTO seatgate_operations
       SELECT value ->> 0, value ->> 1, 'd', '{}', ? FROM json_each(?)`,
      createdAt,
      JSON.stringify(ids.map((id) => id.split('/')))
    )
  const left = async () => {
    const { results } = await testEnv.DB.prepare(
      `SELECT actor_id || '/' || id AS id FROM seatgate_operations ORDER BY actor_id, id`
    ).all<{ id: string }>()
    return results.map(({ id }) => id)
  }
  const idsOf = (actor: string, rows: number) =>
    Array.from({ length: rows }, (_, index) => `${actor}/${String(index).padStart(5, '0')}`)

  function purging() {
    const meter = createMeter()
    const { kit, pass } = clockedWorld({ around: meter.around })
    const purge = async () =>
      (await meter.measure(() => purgeExpired(kit.seatgate), kit.settled))[1]
    const nextDay = () => pass(DAY_MS)
    return { kit, purge, nextDay }
  }

  it('deletes what is over among rows that stay, page by page, within one round [A10]', async () => {
    const { kit, purge } = purging()
    const now = kit.seatgate.now().getTime()
    const old = ['a/00100', 'a/00999', 'a/01000', 'b/00000', 'b/00300', 'b/01099']
    const kept = [...idsOf('a', 1500), ...idsOf('b', 1100)].filter((id) => !old.includes(id))
    await store(old, OLD)
    await store(kept, now)
    const found = []
    for (let sweeps = 1; sweeps <= 3; sweeps++) {
      const { rowsRead, rowsWritten } = await purge()
      expect(rowsRead).toBeLessThan(2100)
      expect(rowsWritten).toBeLessThan(7)
      found.push(old.length - (await left()).length + kept.length)
    }
    expect(found).toEqual([2, 5, 6])
    expect(await left()).toEqual(kept)
  })

  it('begins a round once a day, at the start, and reads few rows until then [A10]', async () => {
    const { kit, purge, nextDay } = purging()
    await store(idsOf('a', 500), kit.seatgate.now().getTime())
    const first = await purge()
    expect(first.rowsRead).toBeGreaterThan(1000)
    await purge()
    await store(['a/0', 'b/0'], OLD)
    const resting = await purge()
    expect(resting.rowsRead).toBeLessThan(45)
    expect(resting.rowsWritten).toBe(0)
    expect(await left()).toContain('a/0')
    nextDay()
    await purge()
    expect(await left()).toEqual(idsOf('a', 500))
  })

  it('begins a round each day although it runs only once a day [A10]', async () => {
    const { kit, purge, nextDay } = purging()
    await store(['b/0'], kit.seatgate.now().getTime())
    for (let day = 1; day <= 3; day++) {
      await store(['a/0'], OLD)
      await purge()
      expect(await left()).toEqual(['b/0'])
      nextDay()
    }
  })

  it('goes on at its place the next day, and begins again where the day has changed [A10]', async () => {
    const { kit, purge, nextDay } = purging()
    await store(idsOf('b', 1500), kit.seatgate.now().getTime())
    await purge()
    await store(['a/0', 'c/0'], OLD)
    nextDay()
    await purge()
    expect(await left()).toEqual(['a/0', ...idsOf('b', 1500)])
    await purge()
    expect(await left()).toEqual(idsOf('b', 1500))
  })

  it('has a page for each of two sweeps at once [A10]', async () => {
    const { purge } = purging()
    await store(idsOf('a', 2000), OLD)
    await Promise.all([purge(), purge()])
    expect(await left()).toEqual([])
  })

  it('begins a round where its place was lost, or was written by a clock ahead [A10]', async () => {
    const { kit, purge } = purging()
    await store(['b/0'], kit.seatgate.now().getTime())
    await purge()
    await purge()
    for (const change of [
      'DELETE FROM seatgate_rotations',
      `UPDATE seatgate_rotations SET place = '[null,null,"9999-12-31"]'
       WHERE name = 'seatgate_operations'`,
    ]) {
      await store(['a/0'], OLD)
      await run(change)
      await purge()
      expect(await left(), change).toEqual(['b/0'])
    }
  })
})

describe('docs/storage.md', () => {
  it('lists the writers of every table, and when its rows end [A10]', () => {
    const section = /## When rows end\n([^]*?)\n## /.exec(storageDocs)?.[1] ?? ''
    const rows = [...section.matchAll(/^\| `(\w+)` +\| (.+?) +\| (.+?) +\|$/gm)]
    const tables = Object.values(schema).map((table) => getTableName(table))
    expect(rows.map(([, name]) => name).sort()).toEqual(tables.sort())
    for (const [, name, owner, end] of rows) {
      expect(owner!.length, name).toBeGreaterThan(5)
      expect(end!.length, name).toBeGreaterThan(5)
    }
  })
})
