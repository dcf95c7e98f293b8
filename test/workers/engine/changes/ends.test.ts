import { getTableName } from 'drizzle-orm'
import { afterEach, describe, expect, it, vi } from 'vitest'
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
    await sweepAfter(1)
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
    await sweepAfter(1)
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
    const { seatgate, settled } = createKit({ around: meter.around })
    await purgeExpired(seatgate)
    const [, cost] = await meter.measure(() => purgeExpired(seatgate), settled)
    expect(cost).toMatchObject({ d1Trips: 1, rowsWritten: 0 })
    // Each table costs one or two rows; the proofs of presence are the last that was added.
    expect(cost.rowsRead).toBeLessThan(28)
    const actor = `user:${crypto.randomUUID()}`
    await run(
      `INSERT INTO seatgate_operations WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1500)
       SELECT ?, i, 'd', '{}', i FROM n`,
      actor
    )
    await purgeExpired(seatgate)
    expect(await count('seatgate_operations WHERE actor_id = ?', actor)).toBe(500)
    await purgeExpired(seatgate)
    expect(await count('seatgate_operations WHERE actor_id = ?', actor)).toBe(0)
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
