import { reset } from 'cloudflare:test'
import { getTableName, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { getTableConfig, SQLiteSyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { guard } from '../../../src/database/commit.ts'
import { GUARD_CODES } from '../../../src/database/schema/changes-tables.ts'
import { SCHEMA_VERSION } from '../../../src/database/check-schema.ts'
import * as schema from '../../../src/database/schema.ts'
import {
  addMember,
  createOrganization,
  createSeatgate,
  ledgerSeats,
  removeMember,
} from '../../../src/index.ts'
import { db, freshStores, testEnv } from '../../kit/index.ts'

const dialect = new SQLiteSyncDialect()

/** The statements that drizzle-kit generates for a table, which has no triggers. */
function generated(table: SQLiteTable): string[] {
  const { name, columns, primaryKeys, checks, indexes, foreignKeys } = getTableConfig(table)
  const parts = [
    ...columns.map((column) =>
      [
        `\`${column.name}\` ${column.getSQLType()}`,
        column.primary ? 'PRIMARY KEY' : '',
        column.notNull ? 'NOT NULL' : '',
        column.default === undefined
          ? ''
          : `DEFAULT ${literal(column.mapToDriverValue(column.default))}`,
      ].join(' ')
    ),
    ...primaryKeys.map((key) => `PRIMARY KEY(${key.columns.map((one) => one.name).join(', ')})`),
    ...foreignKeys.map((key) => {
      const { columns, foreignTable, foreignColumns } = key.reference()
      return `FOREIGN KEY (${columns[0]?.name}) REFERENCES ${getTableName(foreignTable)}(${foreignColumns[0]?.name})`
    }),
    ...checks.map((one) => `CONSTRAINT "${one.name}" CHECK(${dialect.sqlToQuery(one.value).sql})`),
  ]
  const made = indexes.map(({ config }) => {
    const names = config.columns.map((column) => ('name' in column ? column.name : ''))
    const where = config.where ? ` WHERE ${dialect.sqlToQuery(config.where).sql}` : ''
    const kind = config.unique ? 'UNIQUE INDEX' : 'INDEX'
    return `CREATE ${kind} ${config.name} ON ${name} (${names.join(', ')})${where}`
  })
  return [`CREATE TABLE ${name} (${parts.join(', ')})`, ...made]
}

const literal = (value: unknown) => (typeof value === 'string' ? `'${value}'` : Number(value))

const tables = Object.values(schema) as SQLiteTable[]

describe('tables that are generated from seatgate/schema [C5]', () => {
  beforeEach(async () => {
    await reset()
    await testEnv.DB.batch(tables.flatMap(generated).map((text) => testEnv.DB.prepare(text)))
  })
  afterEach(freshStores)

  it.each(GUARD_CODES)('abort a batch with the code of its guard: %s', async (code) => {
    const batch = db.batch([guard(db, code, sql`0`)])
    await expect(batch).rejects.toThrow(
      expect.objectContaining({ message: expect.stringContaining(`guard:${code}`) })
    )
    await expect(db.batch([guard(db, code, sql`1`)])).resolves.toBeDefined()
  })

  it('abort a batch whose guard has numbers in its code', async () => {
    const insert = testEnv.DB.prepare(
      "INSERT INTO seatgate_guards VALUES ('seat_limit_reached:3:3')"
    )
    await expect(insert.run()).rejects.toThrow(/CHECK constraint failed: seatgate_guards_empty/)
  })

  it('keep an owner when both owners leave at once, in ten rounds', async () => {
    const row = { id: 1, version: SCHEMA_VERSION, compatibleFrom: SCHEMA_VERSION }
    await db.insert(schema.schemaVersion).values(row)
    const options = { database: db, sessions: 'none' } as const
    const seatgate = createSeatgate({ ...options, seats: ledgerSeats(testEnv.SEATS) })
    for (let time = 1; time <= 10; time++) {
      const [ada, ben] = [`ada-${time}`, `ben-${time}`] as const
      const as = (userId: string) => ({ caller: { userId } })
      const made = await createOrganization(seatgate, as(ada), { name: `Acme ${time}` })
      if (!made.ok) throw new Error(made.error.code)
      const organization = made.value.id
      const inside = (userId: string) => ({ ...as(userId), organization })
      const added = await addMember(seatgate, inside(ada), { userId: ben, role: 'owner' })
      expect(added.ok).toBe(true)
      const answers = await Promise.all(
        [ada, ben].map((userId) => removeMember(seatgate, inside(userId), userId))
      )
      const codes = answers.map((answer) => (answer.ok ? 'ok' : answer.error.code))
      expect(codes.toSorted()).toEqual(['last_owner', 'ok'])
    }
  })

  it('cannot be used before the migrations were applied: there are no triggers', async () => {
    const binding = new Proxy(testEnv.DB, {
      get: (target, key) => target[key as 'batch'].bind(target),
    })
    const seatgate = createSeatgate({
      database: drizzle(binding),
      seats: ledgerSeats(testEnv.SEATS),
      sessions: 'none',
      runtime: { report: () => {} },
    })
    const refused = await createOrganization(
      seatgate,
      { caller: { userId: 'ada' } },
      { name: 'Acme' }
    )
    expect(refused).toEqual({ ok: false, error: { code: 'schema_mismatch' } })
  })
})
