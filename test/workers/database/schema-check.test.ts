import { reset } from 'cloudflare:test'
import { drizzle } from 'drizzle-orm/d1'
import { sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { SCHEMA_VERSION, schemaMismatch } from '../../../src/database/check-schema.ts'
import {
  addMember,
  createOrganization,
  d1Seats,
  ledgerSeats,
  listOrganizations,
  StoreUnavailable,
  createSeatgate,
  type Report,
  type SeatgateOptions,
} from '../../../src/index.ts'
import { sweepHandler } from '../../../src/worker/index.ts'
import { asUser, embedded, problem, everything, freshStores, testEnv } from '../../kit/index.ts'

const run = (sql: string) => testEnv.DB.prepare(sql).run()

/** A new isolate, as far as the library can tell: its binding was not seen before. */
function isolate(options: Partial<SeatgateOptions> = {}) {
  const batches: string[][] = []
  const texts = new WeakMap<D1PreparedStatement, string>()
  let alone = 0
  const binding = new Proxy(testEnv.DB, {
    get(target, key) {
      if (key === 'batch') {
        return (statements: D1PreparedStatement[]) => {
          batches.push(statements.map((statement) => texts.get(statement) ?? ''))
          return target.batch(statements)
        }
      }
      return (sql: string) => tracked(target.prepare(sql), sql)
    },
  })
  const tracked = (statement: D1PreparedStatement, sql: string): D1PreparedStatement => {
    texts.set(statement, sql)
    return new Proxy(statement, {
      get(target, key) {
        if (key === 'bind') {
          return (...values: unknown[]) => {
            const bound = target.bind(...values)
            texts.set(bound, sql)
            return bound
          }
        }
        alone += 1
        return (target[key as 'all'] as () => unknown).bind(target)
      },
    })
  }
  const reports: Report[] = []
  const seatgate = createSeatgate({
    database: drizzle(binding),
    seats: d1Seats(),
    sessions: 'none',
    runtime: { report: (report) => reports.push(report) },
    ...options,
  })
  const checks = () => batches.flat().filter((sql) => sql.includes('seatgate_schema')).length
  return { seatgate, batches, reports, checks, alone: () => alone, binding }
}

const ada = { caller: { userId: 'ada' } }
const create = (seatgate: ReturnType<typeof isolate>['seatgate'], name = 'Acme') =>
  createOrganization(seatgate, ada, { name, slug: `acme-${crypto.randomUUID().slice(0, 8)}` })
const codeOf = (answer: Awaited<ReturnType<typeof create>>) =>
  answer.ok ? 'ok' : answer.error.code
const messageOf = ({ error }: Report) => (error as Error).message

describe('the check of the schema [C5]', () => {
  it('is part of the first batch of an isolate, for any operation, and of no other', async () => {
    const creating = isolate()
    expect(codeOf(await create(creating.seatgate))).toBe('ok')
    expect(codeOf(await create(creating.seatgate))).toBe('ok')
    expect([creating.checks(), creating.batches[0]?.[0]]).toEqual([
      1,
      expect.stringContaining('seatgate_schema'),
    ])

    const reading = isolate()
    await listOrganizations(reading.seatgate, ada, {})
    await listOrganizations(reading.seatgate, ada, {})
    expect([reading.checks(), reading.batches.length, reading.alone()]).toEqual([1, 2, 0])

    const sweeping = isolate()
    await sweepHandler(sweeping.seatgate)()
    expect(sweeping.checks()).toBe(1)
    expect(sweeping.reports).toEqual([])
  })

  it('takes no further trip, for the right schema and for a wrong one', async () => {
    const trips = async () => {
      const one = isolate()
      await create(one.seatgate)
      return one.batches.length + one.alone()
    }
    const fitting = await trips()
    await run('UPDATE seatgate_schema SET version = 999')
    expect([fitting, await trips()]).toEqual([2, 2])
    await run('UPDATE seatgate_schema SET compatible_from = 999')
    expect(await trips()).toBe(1)
    await freshStores()
  })

  it('is one of the isolate, however many instances of the library it has', async () => {
    const { binding, seatgate, checks } = isolate()
    await listOrganizations(seatgate, ada, {})
    const options = { database: drizzle(binding), seats: d1Seats(), sessions: 'none' } as const
    await listOrganizations(createSeatgate(options), ada, {})
    expect(checks()).toBe(1)
  })
})

describe('a database that does not fit [C5]', () => {
  afterEach(freshStores)

  const notFitting = async (one: ReturnType<typeof isolate>) => {
    const before = await everything()
    expect(codeOf(await create(one.seatgate))).toBe('schema_mismatch')
    expect(await everything()).toEqual(before)
    expect(one.reports.map(({ event }) => event)).toEqual(['schema_mismatch'])
    return messageOf(one.reports[0]!)
  }

  it('without migrations is reported, with the command, for growth and for reading', async () => {
    await reset()
    const { seatgate, reports } = isolate()
    expect(codeOf(await create(seatgate))).toBe('schema_mismatch')
    const reading = listOrganizations(seatgate, ada, {})
    await expect(reading).rejects.toThrow(StoreUnavailable)
    await expect(reading).rejects.toThrow(/npx wrangler d1 migrations apply DB/)
    expect(reports.map(messageOf)).toEqual([
      expect.stringMatching(
        /no such table: seatgate_schema.*not applied.*npx wrangler d1 migrations apply DB --remote.*npx seatgate doctor/
      ),
    ])
  })

  it('answers a 503 of its own over HTTP, without a word of the tables', async () => {
    await reset()
    const client = embedded({ database: drizzle(isolate().binding), report: () => {} })
    for (const answer of [
      await client.post('/organizations', { name: 'Acme' }, asUser({ userId: 'ada' })),
      await client.get('/organizations', asUser({ userId: 'ada' })),
      await client.get('/o/acme', asUser({ userId: 'ada' })),
    ]) {
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/)
      const body = await problem(answer)
      expect(body).toMatchObject({ status: 503, code: 'schema_mismatch' })
      expect(JSON.stringify(body)).not.toMatch(/seatgate_schema|no such|wrangler/)
    }
  })

  it('that is behind is reported with its version and the one that the code needs', async () => {
    await run(`UPDATE seatgate_schema SET version = ${SCHEMA_VERSION - 1}, compatible_from = 1`)
    const message = await notFitting(isolate())
    expect(message).toContain(`version ${SCHEMA_VERSION - 1} of`)
    expect(message).toContain(`needs ${SCHEMA_VERSION}`)
    expect(message).toContain('npx wrangler d1 migrations apply DB')
  })

  it('that was made without the migrations, and so without triggers, is reported', async () => {
    await run('DELETE FROM seatgate_schema')
    expect(await notFitting(isolate())).toMatch(/seatgate_schema is empty.*migrations/)
  })

  it('that is too new for this code is reported', async () => {
    const version = SCHEMA_VERSION + 5
    await run(`UPDATE seatgate_schema SET version = ${version}, compatible_from = ${version}`)
    expect(await notFitting(isolate())).toMatch(/needs code for version \d+ or later/)
  })

  it('that is newer serves older code if its compatible_from permits it', async () => {
    await run(`UPDATE seatgate_schema SET version = ${SCHEMA_VERSION + 5}`)
    const { seatgate, checks } = isolate()
    expect(codeOf(await create(seatgate))).toBe('ok')
    expect(codeOf(await create(seatgate))).toBe('ok')
    expect(checks()).toBe(1)
  })

  it('is served as soon as the migrations are applied, by the same isolate', async () => {
    await run('UPDATE seatgate_schema SET version = 1, compatible_from = 1')
    const { seatgate } = isolate()
    expect(codeOf(await create(seatgate))).toBe('schema_mismatch')
    expect(codeOf(await create(seatgate))).toBe('schema_mismatch')
    await run(`UPDATE seatgate_schema SET version = ${SCHEMA_VERSION}`)
    expect(codeOf(await create(seatgate))).toBe('ok')
  })

  it('is noticed later, too, by an isolate for which it was right', async () => {
    const { seatgate, reports } = isolate()
    expect(codeOf(await create(seatgate))).toBe('ok')
    await run('ALTER TABLE seatgate_memberships RENAME COLUMN seat_id TO elsewhere')
    expect(codeOf(await create(seatgate))).toBe('schema_mismatch')
    expect(reports.map(messageOf)).toEqual([
      expect.stringMatching(
        /no column named seat_id.*differs from the one that the migrations create, or lacks a column.*wrangler/
      ),
    ])
  })

  it('names a table of the host that is missing, without sending the host to the migrations', async () => {
    const users = sqliteTable('people', {
      id: text('id').primaryKey(),
      email: text('email').notNull(),
      name: text('name'),
    })
    const { seatgate, reports } = isolate({ identity: { users } })
    const created = await create(seatgate)
    const organization = created.ok ? created.value.id : ''
    const member = { userId: 'ben', role: 'member' } as const
    const added = await addMember(seatgate, { ...ada, organization }, member)
    expect(added.ok ? 'ok' : added.error.code).toBe('schema_mismatch')
    const [message] = reports.map(messageOf)
    expect(message).toMatch(/no such table: people\. It is a table of your own.*identity\.users/)
    expect(message).not.toContain('wrangler d1 migrations apply')
  })

  it('is no question of seats, with the ledger neither', async () => {
    await reset()
    const { seatgate } = isolate({ seats: ledgerSeats(testEnv.SEATS) })
    expect(codeOf(await create(seatgate))).toBe('schema_mismatch')
  })
})

describe('a statement that D1 refuses [C5]', () => {
  it('is no question of seats, and an outage is', async () => {
    const failing = (text: string) => {
      const { binding } = isolate()
      const batch = () => Promise.reject(new Error(`D1_ERROR: ${text}`))
      const failingBinding = new Proxy(binding, {
        get: (target, key) => (key === 'batch' ? batch : target.prepare.bind(target)),
      })
      return isolate({ database: drizzle(failingBinding) }).seatgate
    }
    expect(codeOf(await create(failing('near "x": syntax error at offset 3: SQLITE_ERROR')))).toBe(
      'unavailable'
    )
    expect(codeOf(await create(failing('Network connection lost.')))).toBe('seats_unavailable')
  })
})

describe('the default report [C5]', () => {
  it('is one line of JSON with the innermost message, without parameters and addresses', async () => {
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { report } = createSeatgate({
      database: drizzle(testEnv.DB),
      seats: d1Seats(),
      sessions: 'none',
    })
    const cause = new Error('UNIQUE constraint failed:\nusers.email')
    const outer = new Error('Failed query: insert …\nparams: ann@example.com', { cause })
    report({ event: 'store_unavailable', organizationId: 'acme', error: outer })
    report({ event: 'one', error: new Error('Failed query: select ?\nparams: ann,secret') })
    report({ event: 'two', error: '550 <ann@example.com> is unknown' })
    report({ event: 'three', error: { code: 'seats_unavailable' } })
    report({ event: 'four', error: undefined })
    const lines = error.mock.calls.map((words) => words.map(String).join(' '))
    error.mockRestore()
    expect(lines.join('')).not.toContain('\n')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        event: 'store_unavailable',
        organizationId: 'acme',
        message: 'UNIQUE constraint failed:\nusers.email',
      },
      { event: 'one', message: 'Failed query: select ?' },
      { event: 'two', message: '550 <…@…> is unknown' },
      { event: 'three', message: 'seats_unavailable' },
      { event: 'four' },
    ])
  })

  it('names the missing tables of a database without migrations', async () => {
    await reset()
    const error = vi.spyOn(console, 'error').mockImplementation(() => {})
    const { binding } = isolate()
    const options = { database: drizzle(binding), seats: d1Seats(), sessions: 'none' } as const
    await create(createSeatgate(options))
    const lines = error.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown)
    error.mockRestore()
    await freshStores()
    expect(lines).toEqual([
      {
        event: 'schema_mismatch',
        message: expect.stringContaining('npx wrangler d1 migrations apply DB'),
      },
    ])
  })
})

describe('schemaMismatch [C5]', () => {
  it.each([
    [5, 5, 5, true],
    [4, 1, 5, false],
    [9, 5, 5, true],
    [9, 6, 5, false],
    [9, 1, 5, true],
  ])(
    'version %i, code from %i on, for code that needs %i: fits %s',
    (version, from, needs, fits) => {
      expect(schemaMismatch({ version, compatibleFrom: from }, needs) === null).toBe(fits)
    }
  )
})
