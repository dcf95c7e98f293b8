import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import { integer, sqliteTable } from 'drizzle-orm/sqlite-core'
import { beforeEach, describe, expect, it } from 'vitest'
import { guardsIn } from '../../kit/guards.ts'
import { commit, guard, guardSelecting } from '../../../src/database/commit.ts'

type Statement = Parameters<typeof commit>[1][number]

interface Sent {
  readonly text: string
  readonly params: readonly SQLInputValue[]
}

let store: DatabaseSync
let batches: (readonly Sent[])[] = []

/** D1 as far as a batch needs it, on SQLite. */
const client = {
  prepare: (text: string) => ({
    bind: (...params: readonly SQLInputValue[]): Sent => ({ text, params }),
  }),
  async batch(statements: readonly Sent[]) {
    batches.push(statements)
    return statements.map(({ text, params }) => ({ results: store.prepare(text).all(...params) }))
  },
}
const db = drizzle(client as never)

beforeEach(() => {
  batches = []
  store = new DatabaseSync(':memory:')
  store.exec(`CREATE TABLE seatgate_guards (code TEXT);
    CREATE TRIGGER refuse BEFORE INSERT ON seatgate_guards
    BEGIN SELECT RAISE(ABORT, 'guard:' || NEW.code); END;
    CREATE TABLE rows (id INTEGER PRIMARY KEY)`)
})

const holds = sql`1 = ${1}`
const broken = sql`1 = ${2}`
const table = sqliteTable('rows', { id: integer('id') })
const writing = (id: number): Statement => db.insert(table).values({ id })
const texts = () => batches.flat().map(({ text }) => text)

describe('guards that follow each other', () => {
  it('are one statement, and a write between them parts them', async () => {
    const statements = [
      guard(db, 'stale', holds),
      guard(db, 'last_owner', holds),
      writing(1),
      guard(db, 'already_member', holds),
    ]
    const { committed } = await commit(db, statements)
    expect(committed).toBe(true)
    expect(texts().map((text) => guardsIn(text).length)).toEqual([2, 0, 1])
  })

  it('abort with the code and the number of the first broken one', async () => {
    const statements = [
      guard(db, 'stale', holds),
      guard(db, 'seat_limit_reached', broken, sql`3 || ':' || 4`),
      guardSelecting(db, sql`select ${'already_member'} where 1 = 1`),
    ]
    expect(await commit(db, statements)).toMatchObject({
      committed: false,
      code: 'seat_limit_reached',
      numbers: [3, 4],
    })
    expect(await commit(db, statements.toReversed())).toMatchObject({ code: 'already_member' })
  })

  it('leave each statement its own answer', async () => {
    store.exec('INSERT INTO rows VALUES (7)')
    const reading = db.select().from(table)
    const statements = [guard(db, 'stale', holds), guard(db, 'stale', holds), reading]
    const done = await commit(db, statements)
    expect(done).toMatchObject({ committed: true, answers: [{}, {}, [{ id: 7 }]] })
  })

  it('bind no more parameters together than D1 takes in a statement', async () => {
    const wide = sql`1 in (${sql.join(
      Array.from({ length: 40 }, () => sql`${1}`),
      sql`, `
    )})`
    const statements = Array.from({ length: 5 }, () => guard(db, 'stale', wide))
    expect(await commit(db, statements)).toMatchObject({ committed: true })
    expect(batches.flat().map(({ params }) => params.length)).toEqual([82, 82, 41])
  })
})
