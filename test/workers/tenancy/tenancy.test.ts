import { and, asc, count, eq, exists, inArray, isNull, or, relations, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/d1'
import {
  alias,
  QueryBuilder,
  sqliteTable,
  sqliteView,
  text,
  union,
  unionAll,
} from 'drizzle-orm/sqlite-core'
import type { Context } from 'hono'
import { afterAll, beforeAll, beforeEach, describe, expect, expectTypeOf, it } from 'vitest'
import * as tenantTables from '../../../src/database/schema.ts'
import { auditEvents, memberships, organizations } from '../../../src/database/schema.ts'
import type { OrganizationEnv } from '../../../src/hono/index.ts'
import {
  forOrganization,
  type OrganizationOf,
  tenantDatabase,
  unscoped,
  UnscopedQuery,
} from '../../../src/index.ts'
import { testEnv, createKit, join } from '../../kit/index.ts'

const notes = sqliteTable('notes', {
  id: text('id').primaryKey(),
  organization: text('organization_id').notNull(),
  parentId: text('parent_id'),
  body: text('body').notNull(),
})
const labels = sqliteTable('labels', {
  id: text('id').primaryKey(),
  noteId: text('note_id').notNull(),
})
const relate = {
  organizationRelations: relations(organizations, ({ many }) => ({
    memberships: many(memberships),
    notes: many(notes),
  })),
  membershipRelations: relations(memberships, ({ one }) => ({
    organization: one(organizations, {
      fields: [memberships.organizationId],
      references: [organizations.id],
    }),
  })),
  noteRelations: relations(notes, ({ one, many }) => ({
    organization: one(organizations, {
      fields: [notes.organization],
      references: [organizations.id],
    }),
    parent: one(notes, {
      fields: [notes.parentId],
      references: [notes.id],
      relationName: 'thread',
    }),
    replies: many(notes, { relationName: 'thread' }),
    labels: many(labels),
  })),
  labelRelations: relations(labels, ({ one }) => ({
    note: one(notes, { fields: [labels.noteId], references: [notes.id] }),
  })),
}

const bare = drizzle(testEnv.DB, {
  schema: { organizations, memberships, notes, labels, ...relate },
})
const reports: { event: string; error: unknown }[] = []
const db = tenantDatabase(bare, { tables: [notes], report: (report) => reports.push(report) })
const m = alias(memberships, 'm')

let ours = ''
let theirs = ''

beforeAll(async () => {
  await testEnv.DB.batch([
    testEnv.DB.prepare(
      'CREATE TABLE notes (id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, parent_id TEXT, body TEXT NOT NULL)'
    ),
    testEnv.DB.prepare('CREATE TABLE labels (id TEXT PRIMARY KEY, note_id TEXT NOT NULL)'),
  ])
  const kit = createKit()
  for (const name of ['ours', 'theirs']) {
    const organization = await kit.organization()
    await join(kit, organization)
    if (name === 'ours') ours = organization.id
    else theirs = organization.id
    await bare.insert(notes).values([
      { id: `${name}-1`, organization: organization.id, body: name },
      { id: `${name}-2`, organization: organization.id, body: name, parentId: `${name}-1` },
    ])
    await bare.insert(labels).values({ id: `${name}-label`, noteId: `${name}-1` })
  }
})

afterAll(async () => {
  await testEnv.DB.batch([
    testEnv.DB.prepare('DROP TABLE notes'),
    testEnv.DB.prepare('DROP TABLE labels'),
  ])
})

beforeEach(() => {
  reports.length = 0
})

/** Runs what must be refused, and answers the error. */
async function refusal(run: () => PromiseLike<unknown>): Promise<UnscopedQuery> {
  const error = await Promise.resolve()
    .then(run)
    .then(
      (rows) => new Error(`It answered ${JSON.stringify(rows)}`),
      (error: unknown) => error
    )
  if (!(error instanceof UnscopedQuery)) throw error
  expect(error.message).not.toContain(ours)
  return error
}

const ofOurs = () => forOrganization(notes, { organization: { id: ours } })
const ourNotes = () => db.select().from(notes).where(ofOurs())

describe('a read of a tenant table', () => {
  it('answers this organization’s rows and no other’s, by a scope and by an id [ORG-129]', async () => {
    expectTypeOf<Context<OrganizationEnv>['var']>().toExtend<OrganizationOf>()
    const rows = await db.select().from(notes).where(forOrganization(notes, theirs))
    expect(rows.map(({ id }) => id)).toEqual(['theirs-1', 'theirs-2'])
    const scoped = await db
      .select()
      .from(notes)
      .where(and(ofOurs(), isNull(notes.parentId)))
    expect(scoped.map(({ id }) => id)).toEqual(['ours-1'])
  })

  it.each<[string, string, () => PromiseLike<unknown>]>([
    ['select', 'notes', () => db.select().from(notes)],
    ['another condition', 'notes', () => db.select().from(notes).where(eq(notes.id, 'theirs-1'))],
    ['select of a column', 'notes', () => db.select({ id: notes.id }).from(notes)],
    ['selectDistinct', 'notes', () => db.selectDistinct({ body: notes.body }).from(notes)],
    ['count()', 'notes', () => db.select({ n: count() }).from(notes)],
    ['$count', 'notes', () => db.$count(notes)],
    ['$count with a filter', 'notes', () => db.$count(notes, eq(notes.body, 'theirs'))],
    [
      '$count in a selection',
      'notes',
      () => db.select({ n: db.$count(notes) }).from(organizations),
    ],
    ['all()', 'notes', () => db.select().from(notes).all()],
    ['get()', 'notes', () => db.select().from(notes).get() as PromiseLike<unknown>],
    ['values()', 'notes', () => db.select().from(notes).values()],
    ['prepare()', 'notes', () => db.select().from(notes).prepare().execute()],
    ['$dynamic', 'notes', () => db.select().from(notes).$dynamic().limit(1)],
    [
      'a where that replaces the pin',
      'notes',
      () => ourNotes().$dynamic().where(eq(notes.body, 'theirs')),
    ],
    ['batch', 'notes', () => db.batch([ourNotes(), db.select().from(notes)])],
    ['an alias', 'seatgate_memberships', () => db.select().from(m)],
    [
      'an alias, its table pinned',
      'seatgate_memberships',
      () => db.select().from(m).where(forOrganization(memberships, ours)),
    ],
    ['the trail', 'seatgate_audit_events', () => db.select().from(auditEvents)],
    ['findMany', 'notes', () => db.query.notes.findMany()],
    ['findFirst', 'notes', () => db.query.notes.findFirst({ where: eq(notes.id, 'theirs-1') })],
    [
      'findMany with a column',
      'notes',
      () =>
        db.query.notes.findMany({
          where: (note, { eq }) => eq(note.organization, note.organization),
        }),
    ],
    [
      'a related table below a root that has none',
      'notes',
      () => db.query.organizations.findMany({ with: { notes: true } }),
    ],
    [
      'a related table below a root pinned to something else',
      'notes',
      () =>
        db.query.organizations.findFirst({
          where: eq(organizations.name, 'Test'),
          with: { notes: { orderBy: asc(notes.id), with: { labels: true } } },
        }),
    ],
    [
      'a related table, two floors down',
      'notes',
      () => db.query.labels.findMany({ with: { note: { with: { organization: true } } } }),
    ],
    [
      'a join by another column',
      'seatgate_memberships',
      () =>
        db
          .select()
          .from(notes)
          .innerJoin(memberships, eq(memberships.userId, notes.body))
          .where(ofOurs()),
    ],
    [
      'a join onto a table that has none',
      'notes',
      () => db.select().from(labels).leftJoin(notes, eq(notes.id, labels.noteId)),
    ],
    [
      'a left join that pins the first',
      'notes',
      () => db.select().from(notes).leftJoin(labels, ofOurs()),
    ],
    ['a right join', 'notes', () => db.select().from(labels).rightJoin(notes, ofOurs())],
    [
      'a cross join',
      'seatgate_memberships',
      () => db.select().from(notes).crossJoin(m).where(ofOurs()),
    ],
    ['from a subquery', 'notes', () => db.select().from(db.select().from(notes).as('all_notes'))],
    [
      'from a subquery pinned outside',
      'notes',
      () => {
        const all = db.select().from(notes).as('all_notes')
        return db.select().from(all).where(eq(all.organization, ours))
      },
    ],
    [
      'in a condition',
      'notes',
      () =>
        db
          .select()
          .from(labels)
          .where(inArray(labels.noteId, db.select({ id: notes.id }).from(notes))),
    ],
    [
      'in a condition, pinned to the row outside',
      'seatgate_memberships',
      () =>
        db
          .select()
          .from(notes)
          .where(
            and(
              ofOurs(),
              exists(
                db
                  .select()
                  .from(memberships)
                  .where(eq(memberships.organizationId, notes.organization))
              )
            )
          ),
    ],
    [
      'in a condition of a relational query',
      'notes',
      () =>
        db.query.labels.findMany({
          where: (label, { inArray }) =>
            inArray(label.noteId, db.select({ id: notes.id }).from(notes)),
        }),
    ],
    [
      'in a selection',
      'notes',
      () =>
        db
          .select({ body: db.select({ body: notes.body }).from(notes).limit(1).as('body') })
          .from(labels),
    ],
    ['union, right', 'notes', () => ourNotes().union(db.select().from(notes))],
    ['union, left', 'notes', () => db.select().from(notes).union(ourNotes())],
    ['union by its function', 'notes', () => unionAll(ourNotes(), db.select().from(notes))],
    ['union with another handle', 'notes', () => union(ourNotes(), bare.select().from(notes))],
    [
      'with',
      'notes',
      () => {
        const all = db.$with('all_notes').as(db.select().from(notes))
        return db.with(all).select().from(all)
      },
    ],
    [
      'with, by a function',
      'notes',
      () => {
        const all = db.$with('all_notes').as((query) => query.select().from(notes))
        return db.with(all).select().from(all)
      },
    ],
    [
      'a subquery of another builder',
      'notes',
      () =>
        db
          .select()
          .from(labels)
          .where(inArray(labels.noteId, new QueryBuilder().select({ id: notes.id }).from(notes))),
    ],
    ['insert … select', 'notes', () => db.insert(notes).select(db.select().from(notes))],
    [
      'insert … select, by a function',
      'notes',
      () => db.insert(notes).select((query) => query.select().from(notes)),
    ],
    [
      'update … where in',
      'notes',
      () =>
        db
          .update(labels)
          .set({ noteId: '' })
          .where(inArray(labels.noteId, db.select({ id: notes.id }).from(notes))),
    ],
    [
      'update … from',
      'notes',
      () =>
        db
          .update(labels)
          .set({ noteId: sql`${notes.body}` })
          .from(notes)
          .where(eq(notes.id, labels.noteId)),
    ],
    [
      'delete … where exists',
      'notes',
      () => db.delete(labels).where(exists(db.select().from(notes))),
    ],
  ])('throws without an organization filter: %s [ORG-131]', async (_case, table, run) => {
    const error = await refusal(run)
    expect(error.table).toBe(table)
    expect(error.message).toContain(`"${table}"`)
    expect(error.inspectable).toBe(true)
    expect(error.message).toContain('forOrganization')
    expect(reports).toEqual([])
  })

  it('guards every table of the library that names an organization [ORG-131]', async () => {
    const guarded = Object.entries(tenantTables).filter(([, table]) => 'organizationId' in table)
    expect(guarded.map(([name]) => name)).toEqual(
      expect.arrayContaining(['memberships', 'auditEvents', 'entitlements', 'sinkCursors'])
    )
    for (const [, table] of guarded) await refusal(() => db.select().from(table))
  })

  it('looks when the query is run, and not before [ORG-131]', async () => {
    const query = db.select().from(notes)
    const later = db.query.notes.findMany()
    const counted = db.$count(notes)
    expect(await query.where(ofOurs())).toHaveLength(2)
    await refusal(() => later)
    await refusal(() => counted)
  })

  it('runs no statement of a batch with such a read in it [ORG-131]', async () => {
    await refusal(() =>
      db.batch([
        db.insert(labels).values({ id: 'never', noteId: 'ours-1' }),
        db.select().from(notes),
      ])
    )
    expect(await bare.$count(labels, eq(labels.id, 'never'))).toBe(0)
  })

  it.each<[string, () => PromiseLike<unknown>]>([
    ['select', () => ourNotes()],
    [
      'the where by a function',
      () =>
        db
          .select()
          .from(notes)
          .where((n) => eq(n.organization, ours)),
    ],
    ['selectDistinct', () => db.selectDistinct().from(notes).where(ofOurs())],
    [
      'a literal',
      () =>
        db
          .select()
          .from(notes)
          .where(sql`${notes.organization} = ${sql.raw(`'${ours}'`)}`),
    ],
    [
      'a placeholder',
      () =>
        db
          .select()
          .from(notes)
          .where(eq(notes.organization, sql.placeholder('organization')))
          .prepare()
          .execute({ organization: ours }),
    ],
    [
      'either of two ids',
      () =>
        db
          .select()
          .from(notes)
          .where(or(ofOurs(), eq(notes.organization, 'x'))),
    ],
    [
      'an alias',
      () => {
        const n = alias(notes, 'n')
        return db.select().from(n).where(forOrganization(n, ours))
      },
    ],
    ['$dynamic', () => db.select().from(notes).$dynamic().limit(5).where(ofOurs())],
    ['findMany', () => db.query.notes.findMany({ where: ofOurs() })],
    [
      'findMany by a function',
      () => db.query.notes.findMany({ where: (n, { and, eq }) => and(eq(n.organization, ours)) }),
    ],
    ['union', () => union(ourNotes(), ourNotes())],
    [
      'a subquery',
      () => {
        const own = ourNotes().as('own')
        return db.select().from(own)
      },
    ],
    [
      'with',
      () => {
        const own = db.$with('own').as((query) => query.select().from(notes).where(ofOurs()))
        return db.with(own).select().from(own)
      },
    ],
    [
      'a subquery in the condition',
      () =>
        db
          .select()
          .from(notes)
          .where(
            and(
              ofOurs(),
              exists(db.select().from(memberships).where(forOrganization(memberships, ours)))
            )
          ),
    ],
  ])('passes with a pin, and answers only its rows: %s [ORG-132]', async (_case, run) => {
    const rows = (await run()) as { id: string }[]
    expect(rows.map(({ id }) => id)).toEqual(['ours-1', 'ours-2'])
  })

  it('passes in a batch, in counts, and pinned to another organization [ORG-132]', async () => {
    const [own, other, members] = await db.batch([
      ourNotes(),
      db.query.notes.findMany({ where: forOrganization(notes, theirs) }),
      db
        .select({ n: count(), deep: db.$count(notes, ofOurs()) })
        .from(memberships)
        .where(forOrganization(memberships, ours)),
    ])
    expect(own.map(({ id }) => id)).toEqual(['ours-1', 'ours-2'])
    expect(other.map(({ id }) => id)).toEqual(['theirs-1', 'theirs-2'])
    expect(members).toEqual([{ n: 2, deep: 2 }])
    expect(await db.$count(notes, ofOurs())).toBe(2)
  })

  it('passes and when one side pins, or only when both do [ORG-133]', async () => {
    const where = (condition: ReturnType<typeof and>) => db.select().from(notes).where(condition)
    expect(await where(and(eq(notes.body, 'theirs'), ofOurs()))).toEqual([])
    await refusal(() => where(or(eq(notes.body, 'theirs'), ofOurs())))
    await refusal(() => where(and(ofOurs(), sql`${notes.body} = 'x' or 1 = 1`)))
    const either = await where(or(ofOurs(), forOrganization(notes, theirs)))
    expect(either).toHaveLength(4)
  })

  it('does not accept a comparison of columns or is null [ORG-134]', async () => {
    await refusal(() => db.select().from(notes).where(eq(notes.organization, notes.organization)))
    await refusal(() => db.select().from(notes).where(isNull(notes.organization)))
    await refusal(() =>
      db.select().from(notes).innerJoin(m, eq(m.organizationId, notes.organization))
    )
  })
})

describe('queries that are not guarded', () => {
  it('passes on the explicit opt-out [ORG-135]', async () => {
    expect(unscoped(db)).toBe(bare)
    expect(unscoped(bare)).toBe(bare)
    expect(await unscoped(db).$count(notes)).toBe(4)
    expect(await unscoped(db).select().from(notes)).toHaveLength(4)
    const [all] = await db.batch([unscoped(db).select().from(notes)])
    expect(all).toHaveLength(4)
  })

  it('passes related rows of a pinned root, and joins onto a pinned table [ORG-135]', async () => {
    const [first] = await db.query.notes.findMany({
      where: ofOurs(),
      orderBy: asc(notes.id),
      with: { replies: { with: { labels: true } }, labels: true, organization: true },
    })
    expect(first).toMatchObject({
      id: 'ours-1',
      replies: [{ id: 'ours-2', labels: [] }],
      labels: [{ id: 'ours-label' }],
      organization: { id: ours },
    })
    const organization = await db.query.organizations.findFirst({
      where: eq(organizations.id, ours),
      with: {
        notes: { limit: 1, orderBy: asc(notes.id), with: { labels: true } },
        memberships: true,
      },
    })
    expect(organization?.memberships).toHaveLength(2)
    expect(organization?.notes).toMatchObject([{ id: 'ours-1', labels: [{ id: 'ours-label' }] }])
    const labelled = await db.query.labels.findMany({
      with: { note: { where: ofOurs() } },
    } as never)
    expect(labelled.map((label) => (label as { note?: unknown }).note)).toMatchObject([
      { id: 'ours-1' },
      null,
    ])

    const joined = await db
      .select()
      .from(notes)
      .leftJoin(m, eq(m.organizationId, notes.organization))
      .where(ofOurs())
    expect(joined).toHaveLength(4)
    expect(new Set(joined.map((row) => row.m?.organizationId))).toEqual(new Set([ours]))
    const own = await db
      .select({ id: notes.id })
      .from(labels)
      .innerJoin(notes, and(eq(notes.id, labels.noteId), ofOurs()))
    expect(own).toEqual([{ id: 'ours-1' }])
  })

  it('passes writes [ORG-135]', async () => {
    const made = { id: 'made', organization: ours, body: 'made' }
    await db.insert(notes).values(made).onConflictDoUpdate({ target: notes.id, set: made })
    await db.insert(notes).select(
      db
        .select({
          id: sql<string>`'copied-' || ${notes.id}`.as('id'),
          organization: notes.organization,
          parentId: notes.parentId,
          body: notes.body,
        })
        .from(notes)
        .where(and(ofOurs(), eq(notes.id, 'made')))
    )
    await db.update(notes).set({ body: 'changed' }).where(eq(notes.id, 'made'))
    await db.run(sql`update ${notes} set parent_id = null where body = 'changed'`)
    expect(await db.delete(notes).where(eq(notes.id, 'made')).returning()).toMatchObject([
      { id: 'made', body: 'changed' },
    ])
    await db.run(`delete from notes where id = 'copied-made'`)
    await db
      .update(labels)
      .set({ noteId: sql`${notes.id}` })
      .from(notes)
      .where(and(eq(notes.id, labels.noteId), ofOurs()))
    expect(await bare.$count(notes)).toBe(4)
  })

  it('passes migrations, and raw SQL that reads no tenant table [ORG-135]', async () => {
    await db.run('CREATE INDEX notes_by_organization ON notes (organization_id)')
    await db.run(sql`CREATE TABLE ${sql.identifier('notes_old')} AS SELECT * FROM notes WHERE 0`)
    await db.batch([db.run(sql`ALTER TABLE notes_old ADD COLUMN more TEXT`)])
    await db.run('DROP TABLE notes_old')
    expect(await db.all(sql`select 1 as one`)).toEqual([{ one: 1 }])
    expect(await db.get(sql`select count(*) as n from ${labels}`)).toEqual({ n: 2 })
  })

  it('passes tables that are not enforced [ORG-135]', async () => {
    expect(await db.select().from(labels)).toHaveLength(2)
    expect((await db.query.organizations.findMany()).length).toBeGreaterThan(1)
    const other = tenantDatabase(bare)
    expect(await other.select().from(notes)).toHaveLength(4)
    await refusal(() => other.select().from(memberships))
  })
})

describe('a query that cannot be inspected', () => {
  const scoped = sqliteView('scoped').as((query) => query.select().from(notes))

  it.each<[string, () => PromiseLike<unknown>]>([
    [
      'a condition in raw text',
      () =>
        db
          .select()
          .from(notes)
          .where(sql.raw(`organization_id = '${ours}'`)),
    ],
    [
      'a condition with a comment',
      () =>
        db
          .select()
          .from(notes)
          .where(and(ofOurs(), sql`1 /* x */`)),
    ],
    [
      'a join in raw text',
      () =>
        db
          .select()
          .from(labels)
          .innerJoin(notes, sql`notes.organization_id = ${ours}`),
    ],
    [
      'a subquery in raw text',
      () =>
        db
          .select()
          .from(labels)
          .where(sql`exists (select 1 from notes)`),
    ],
    [
      'a subquery in a raw order',
      () =>
        db
          .select()
          .from(labels)
          .orderBy(sql`(select body from ${notes})`),
    ],
    [
      'a subquery in a raw selection',
      () => db.select({ n: sql<number>`(select count(*) from notes)`.as('n') }).from(labels),
    ],
    [
      'a subquery in a raw extra',
      () =>
        db.query.notes.findMany({
          where: ofOurs(),
          with: { labels: { extras: { n: sql`(select count(*) from notes)`.as('n') } } },
        }),
    ],
    [
      'a set operation in raw text',
      () =>
        db
          .select({ id: notes.id })
          .from(notes)
          .where(sql`${ofOurs()} and 1 union select id from notes`),
    ],
    ['a source in raw text', () => db.select({ n: sql`1` }).from(sql`notes`)],
    [
      'a source in raw text, joined',
      () =>
        db
          .select()
          .from(labels)
          .innerJoin(sql`notes`, sql`1`),
    ],
    [
      'a with in raw text',
      () => {
        const all = db.$with('every', { id: sql`id`.as('id') }).as(sql`select id from notes`)
        return db.with(all).select().from(all)
      },
    ],
    ['a view', () => db.select().from(scoped)],
    ['a subquery of another handle', () => db.select().from(bare.select().from(notes).as('x'))],
    ['all', () => db.all(sql`select * from ${notes} where ${ofOurs()}`)],
    ['all of a text', () => db.all('select * from notes')],
    ['get', () => db.get(sql`select * from "notes"`)],
    ['run', () => db.run(sql`select * from NOTES`)],
    ['values', () => db.values(sql`select * from ${sql.identifier('notes')}`)],
    ['a raw read in a batch', () => db.batch([db.all(sql`select * from notes`)])],
    ['a raw write that copies', () => db.run(sql`insert into labels select id, id from notes`)],
    [
      'a write with a raw subquery',
      () => db.update(labels).set({ noteId: sql`(select id from notes)` }),
    ],
    [
      'a write that answers a raw subquery',
      () =>
        db
          .delete(labels)
          .where(sql`0`)
          .returning({ n: sql`(select count(*) from ${notes})` }),
    ],
    [
      'a conflict with a raw subquery',
      () =>
        db
          .insert(labels)
          .values({ id: 'x', noteId: 'x' })
          .onConflictDoUpdate({
            target: labels.id,
            set: { noteId: sql`(select id from notes)` },
          }),
    ],
  ])('fails closed and is logged: %s [ORG-136]', async (_case, run) => {
    const error = await refusal(run)
    expect(error.table).toBe('notes')
    expect(error.inspectable).toBe(false)
    expect(reports).toEqual([{ event: 'tenant_query_uninspectable', error }])
  })
})

describe('tenantDatabase', () => {
  it('names a wrong argument at once', () => {
    const set =
      (tables: unknown[], on: unknown = bare) =>
      () =>
        tenantDatabase(on as typeof bare, { tables: tables as never })
    expect(set([labels])).toThrow(
      new TypeError('tenantDatabase: the table "labels" has no column "organization_id".')
    )
    expect(set(['notes'])).toThrow('tenantDatabase: "notes" is not a Drizzle table.')
    expect(set([], testEnv.DB)).toThrow('must be a Drizzle 0.45 handle on D1')
    expect(set([], null)).toThrow(TypeError)
    expect(set([], db)).toThrow('guarded already')
  })
  it('answers a handle of the same type, with its client and its schema', () => {
    expectTypeOf(db).toEqualTypeOf<typeof bare>()
    expect(db.$client).toBe(testEnv.DB)
    expect(Object.keys(db.query)).toEqual(Object.keys(bare.query))
    expect(tenantDatabase(drizzle(testEnv.DB)).query).toEqual({})
  })

  it('leaves the handle that it was given as it was', async () => {
    expect(await bare.select().from(notes)).toHaveLength(4)
    expect(await bare.$count(notes)).toBe(4)
  })
})
