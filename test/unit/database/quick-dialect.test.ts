import { alias, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { and, asc, count, eq, exists, gt, inArray, isNull, like, or, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { expect, it } from 'vitest'
import { parametersIn, quickly, withQuickDialect } from '../../../src/database/quick-dialect.ts'

const teams = sqliteTable('teams', {
  id: text('id').primaryKey(),
  name: text('name').notNull(),
  tags: text('tags', { mode: 'json' }).$type<string[]>(),
  createdAt: integer('created_at', { mode: 'timestamp_ms' }).notNull(),
})
const members = sqliteTable('members', {
  teamId: text('team_id').notNull(),
  active: integer('active', { mode: 'boolean' }),
})

const plain = drizzle({ prepare: () => null } as never)
const quick = withQuickDialect(plain)
const at = new Date(1_700_000_000_000)
const other = alias(teams, 'other')

/** A query of every form that has its own way through the dialect. */
const QUERIES: Readonly<Record<string, (db: typeof plain) => { toSQL(): unknown }>> = {
  'all columns': (db) => db.select().from(teams),
  'conditions of all kinds': (db) =>
    db
      .select({ id: teams.id, lower: sql<string>`lower(${teams.name})`.as('lower') })
      .from(teams)
      .where(
        and(
          or(eq(teams.name, "a 'quoted' name"), like(teams.name, 'x%'), isNull(teams.tags)),
          inArray(teams.id, ['1', '2', '3']),
          gt(teams.createdAt, at)
        )
      )
      .orderBy(asc(teams.createdAt), sql`lower desc`)
      .limit(3)
      .offset(4),
  'an alias, a join and a group': (db) =>
    db
      .select({ id: other.id, count: count(members.teamId) })
      .from(other)
      .leftJoin(members, and(eq(members.teamId, other.id), eq(members.active, true)))
      .groupBy(other.id),
  'queries within': (db) => {
    const busy = db.select({ id: members.teamId }).from(members).where(eq(members.active, true))
    const named = busy.as('busy')
    return db
      .select({ id: teams.id, own: sql`(${busy})`.as('own') })
      .from(teams)
      .innerJoin(named, eq(named.id, teams.id))
      .where(and(inArray(teams.id, busy), exists(busy)))
  },
  'an insertion with values and expressions': (db) =>
    db
      .insert(teams)
      .values({ id: '1', name: sql`upper(${'a'})`, tags: ['x'], createdAt: at })
      .onConflictDoUpdate({ target: teams.id, set: { name: sql`excluded.name` } })
      .returning(),
  'an insertion from a query': (db) => db.insert(members).select(sql`select ${'1'}, ${null}`),
  'an update': (db) => db.update(teams).set({ tags: null, createdAt: at }).where(eq(teams.id, '1')),
  'a deletion': (db) => db.delete(teams).where(sql`${teams.id} = ${'1'} and ${sql.raw('1 = 1')}`),
  'names, lists and nothing': (db) =>
    db
      .select({ one: sql`1`.as('one') })
      .from(sql`${sql.identifier('a "b"')} ${sql.empty()}`)
      .where(sql`x in ${['a', 2]} and ${undefined} y = ${sql.param(at, teams.createdAt)}`),
}

it.each(Object.entries(QUERIES))('writes the same SQL as Drizzle: %s', (_, query) => {
  const expected = query(plain).toSQL() as { sql: string; params: unknown[] }
  expect(query(quick).toSQL()).toEqual(expected)
  // And again, when what it notes is there.
  expect(query(quick).toSQL()).toEqual(expected)
})

it('writes a query of the host, which stays as it is', () => {
  const query = plain.select({ id: teams.id }).from(teams).where(eq(teams.createdAt, at))
  const { dialect } = query as unknown as { dialect: unknown }
  const quickened = quickly(query)
  expect(quickened.toSQL()).toEqual(query.toSQL())
  expect(quickened).toHaveProperty('dialect.sqlToQuery')
  expect(quickened).not.toHaveProperty('dialect', dialect)
  expect(query).toHaveProperty('dialect', dialect)
  // One of this library is written so already.
  const own = quick.select().from(teams)
  expect(quickly(own)).toHaveProperty('dialect', (quick as unknown as { dialect: object }).dialect)
})

it('counts the parameters of a query', () => {
  const busy = plain.select({ id: members.teamId }).from(members).where(eq(members.active, true))
  expect(parametersIn(sql`${teams.id} = ${'1'} and ${teams} in (${busy}, ${null})`)).toBe(3)
  expect(parametersIn(sql`x in ${['a', 'b']}`)).toBe(2)
})
