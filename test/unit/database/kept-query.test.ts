import { eq, sql, type SQL } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { expect, it } from 'vitest'
import type { Database } from '../../../src/database/database.ts'
import { insertRow } from '../../../src/database/batch.ts'
import { keptQuery, rowsWhere } from '../../../src/database/kept-query.ts'
import { withQuickDialect } from '../../../src/database/quick-dialect.ts'

const teams = sqliteTable('teams', {
  id: text('id').primaryKey(),
  name: text('name').notNull().default('unnamed'),
  tags: text('tags', { mode: 'json' }).$type<string[]>(),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
})
const members = sqliteTable('members', { teamId: text('team_id').notNull() })
const at = new Date(1_700_000_000_000)

interface Statement {
  readonly sql: string
  readonly params: readonly unknown[]
}

/** A database that answers each batch with the same rows, and keeps the statements that it was sent. */
function recording(rows: readonly unknown[] = []) {
  const sent: Statement[] = []
  const db = withQuickDialect(
    drizzle({
      prepare: (sql: string) => ({ bind: (...params: unknown[]) => ({ sql, params }) }),
      batch: async (statements: readonly Statement[]) => {
        sent.push(...statements)
        return statements.map(() => ({ results: rows }))
      },
    } as never)
  )
  return { db, sent }
}

it('writes the same statement as Drizzle, each time', async () => {
  const build = (db: Database, id: SQL, condition: SQL) =>
    db
      .select({ team: teams, member: sql<string>`${members.teamId}`.as('member_team') })
      .from(teams)
      .leftJoin(members, eq(members.teamId, id))
      .where(sql`${eq(teams.name, 'fixed')} and ${condition} and ${teams.id} <> ${id}`)
  const kept = keptQuery(build)
  const { db, sent } = recording()
  const of = (id: string) => sql`${teams.createdAt} < ${sql.param(at, teams.createdAt)} or ${id}`
  await db.batch([kept(db, 'a', of('a')), kept(db, sql`lower(${'B'})`, of('b'))])
  await db.batch([build(db, sql`${'a'}`, of('a')), build(db, sql`lower(${'B'})`, of('b'))])
  expect(sent.slice(0, 2)).toEqual(sent.slice(2))
  expect(sent[0]?.params).toEqual(['a', 'fixed', at.getTime(), 'a', 'a'])
  // A hook of the host may read it.
  expect(kept(db, 'a', of('a')).toSQL()).toEqual(sent[0])
  expect(kept(db, 'a', of('a')).getSQL()).toEqual(build(db, sql`${'a'}`, of('a')).getSQL())
})

it('returns rows as Drizzle does', async () => {
  const row = { id: '1', name: 'x', tags: '["y"]', created_at: at.getTime() }
  const { db } = recording([row])
  const [rows] = await db.batch([rowsWhere(db, teams, eq(teams.id, '1'))])
  expect(rows).toEqual([{ id: '1', name: 'x', tags: ['y'], createdAt: at }])
})

it('reads no rows of a left join as null', async () => {
  const kept = keptQuery((db, on: SQL) =>
    db
      .select({ team: { id: teams.id }, member: { of: members.teamId } })
      .from(teams)
      .leftJoin(members, on)
  )
  const { db } = recording([{ id: '1', team_id: null }])
  expect(await db.batch([kept(db, sql`true`)])).toEqual([[{ team: { id: '1' }, member: null }]])
})

it('inserts a row: values as their columns store them, expressions, and defaults', async () => {
  const { db, sent } = recording()
  const row = { id: sql`upper(${'a'})`, tags: ['x'], createdAt: at }
  await db.batch([
    insertRow(db, teams, row),
    insertRow(db, teams, { ...row, name: 'y', tags: null }),
  ])
  const text = 'insert into "teams" ("id", "name", "tags", "created_at") values (upper(?), ?, ?, ?)'
  expect(sent).toEqual([
    { sql: text, params: ['a', 'unnamed', '["x"]', at.getTime()] },
    { sql: text, params: ['a', 'y', null, at.getTime()] },
  ])
})

it('leaves a handle without a session of Drizzle to Drizzle', () => {
  const { db } = recording()
  const foreign = Object.create(db, { session: { value: undefined } }) as typeof db
  const built = rowsWhere(foreign, teams, sql`true`)
  expect(built.getSQL()).toEqual(
    db
      .select()
      .from(teams)
      .where(sql`true`)
      .getSQL()
  )
})
