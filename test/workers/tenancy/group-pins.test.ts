/**
 * Reads and writes of tables whose rows are of groups, by a handle that pins them.
 */
import { and, asc, eq, exists, inArray, or, sql } from 'drizzle-orm'
import { alias, unionAll } from 'drizzle-orm/sqlite-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  forGroup,
  forOrganization,
  tenantDatabase,
  unscoped,
  UnscopedQuery,
} from '../../../src/index.ts'
import { folders, paperLabels as labels, papers, papersDatabase, testEnv } from '../../kit/index.ts'

const bare = papersDatabase()

const reports: unknown[] = []
const db = tenantDatabase(bare, {
  tables: [folders],
  groupTables: [papers],
  report: (report) => reports.push(report),
})
const other = alias(papers, 'other')
const scope = { organization: { id: 'org-1' }, group: { id: 'a' } }
const ours = () => forGroup(papers, scope)
const ofOrganization = () => forOrganization(papers, scope)
const row = { id: 'made', organization: 'org-1', group: 'a', body: 'made' }

beforeAll(async () => {
  await testEnv.DB.batch(
    [
      'CREATE TABLE folders (id TEXT PRIMARY KEY, organization_id TEXT NOT NULL)',
      'CREATE TABLE papers (id TEXT PRIMARY KEY, organization_id TEXT NOT NULL, group_id TEXT NOT NULL, folder_id TEXT, body TEXT NOT NULL)',
      'CREATE TABLE paper_labels (id TEXT PRIMARY KEY, paper_id TEXT NOT NULL)',
    ].map((statement) => testEnv.DB.prepare(statement))
  )
})

afterAll(async () => {
  await testEnv.DB.batch(
    ['papers', 'folders', 'paper_labels'].map((table) => testEnv.DB.prepare(`DROP TABLE ${table}`))
  )
})

// Two groups of an organization, and one of another that has the same name.
const ROWS = [
  ['org-1', 'a'],
  ['org-1', 'b'],
  ['org-2', 'a'],
] as const

beforeEach(async () => {
  reports.length = 0
  await bare.delete(papers)
  await bare.delete(folders)
  await bare.delete(labels)
  await bare.insert(folders).values([{ id: 'folder', organizationId: 'org-1' }])
  for (const [organization, group] of ROWS) {
    const id = `${organization}-${group}`
    await bare.insert(papers).values({ id, organization, group, folderId: 'folder', body: id })
    await bare.insert(labels).values({ id: `${id}-label`, paperId: id })
  }
})

const stored = () => bare.select().from(papers).orderBy(asc(papers.id))

/** Runs what must be refused, expects that no row has changed, and returns the error. */
async function refusal(run: () => PromiseLike<unknown>): Promise<UnscopedQuery> {
  const before = await stored()
  const error = await Promise.resolve()
    .then(run)
    .then(
      (rows) => new Error(`It answered ${JSON.stringify(rows)}`),
      (error: unknown) => error
    )
  if (!(error instanceof UnscopedQuery)) throw error
  expect(error.table).toBe('papers')
  expect(await stored()).toEqual(before)
  return error
}

type Case = readonly [what: string, run: () => PromiseLike<unknown>]

describe('a read of a table of groups', () => {
  it.each<Case>([
    ['select', () => db.select().from(papers).where(ours())],
    ['findMany', () => db.query.papers.findMany({ where: ours() })],
    ['an alias', () => db.select().from(other).where(forGroup(other, scope))],
    [
      'an inner join that pins it',
      () =>
        db
          .select({ id: papers.id })
          .from(labels)
          .innerJoin(papers, and(eq(papers.id, labels.paperId), ours())),
    ],
    [
      'a pin by equality to a pinned row',
      () =>
        db
          .select({ id: other.id })
          .from(papers)
          .innerJoin(
            other,
            and(eq(other.organization, papers.organization), eq(other.group, papers.group))
          )
          .where(ours()),
    ],
    ['a subquery', () => db.select().from(db.select().from(papers).where(ours()).as('own'))],
  ])('answers the rows of this group of this organization: %s [GROUP-19]', async (_what, run) => {
    const rows = (await run()) as { id: string }[]
    expect(rows.map(({ id }) => id)).toEqual(['org-1-a'])
  })

  it('counts them, and reads those below a row of the organization [GROUP-19]', async () => {
    expect(await db.$count(papers, ours())).toBe(1)
    const [folder] = await db.query.folders.findMany({
      where: forOrganization(folders, scope),
      with: { papers: { where: ours(), with: { labels: true } } },
    })
    expect(folder?.papers).toMatchObject([{ id: 'org-1-a', labels: [{ id: 'org-1-a-label' }] }])
    const joined = await db
      .select({ folder: folders.id, paper: papers.id })
      .from(folders)
      .leftJoin(papers, and(eq(papers.folderId, folders.id), ours()))
      .where(forOrganization(folders, scope))
    expect(joined).toEqual([{ folder: 'folder', paper: 'org-1-a' }])
  })

  it.each<Case>([
    ['without a condition', () => db.select().from(papers)],
    ['of an organization', () => db.select().from(papers).where(ofOrganization())],
    ['of a group alone', () => db.select().from(papers).where(eq(papers.group, 'a'))],
    ['either of a group', () => db.select().from(papers).where(or(ours(), ofOrganization()))],
    [
      'the group in a list',
      () =>
        db
          .select()
          .from(papers)
          .where(and(ofOrganization(), inArray(papers.group, ['a', 'b']))),
    ],
    [
      'the group compared with itself',
      () =>
        db
          .select()
          .from(papers)
          .where(and(ofOrganization(), eq(papers.group, papers.group))),
    ],
    ['$count', () => db.$count(papers, ofOrganization())],
    ['findMany', () => db.query.papers.findMany({ where: ofOrganization() })],
    [
      'below a pinned row of the organization',
      () =>
        db.query.folders.findMany({
          where: forOrganization(folders, scope),
          with: { papers: true },
        }),
    ],
    [
      'below a pinned row of the organization, by the organization alone',
      () =>
        db.query.folders.findMany({
          where: forOrganization(folders, scope),
          with: { papers: { where: ofOrganization() } },
        }),
    ],
    ['below a row that has none', () => db.query.labels.findMany({ with: { paper: true } })],
    [
      'a join onto a pinned row of the organization',
      () =>
        db
          .select()
          .from(folders)
          .innerJoin(papers, eq(papers.organization, folders.organizationId))
          .where(forOrganization(folders, scope)),
    ],
    [
      'a join of another group',
      () =>
        db
          .select()
          .from(papers)
          .innerJoin(other, eq(other.organization, papers.organization))
          .where(ours()),
    ],
    [
      'a left join that pins the organization alone',
      () =>
        db
          .select()
          .from(folders)
          .leftJoin(papers, ofOrganization())
          .where(forOrganization(folders, scope)),
    ],
    ['union', () => unionAll(db.select().from(papers).where(ours()), db.select().from(papers))],
    [
      'a subquery in a condition',
      () =>
        db
          .select()
          .from(labels)
          .where(
            inArray(
              labels.paperId,
              db.select({ id: papers.id }).from(papers).where(ofOrganization())
            )
          ),
    ],
    [
      'a subquery pinned to the row outside',
      () =>
        db
          .select()
          .from(papers)
          .where(and(ours(), exists(db.select().from(other).where(eq(other.group, papers.group))))),
    ],
    [
      'with',
      () => {
        const all = db.$with('all_papers').as(db.select().from(papers).where(ofOrganization()))
        return db.with(all).select().from(all)
      },
    ],
    [
      'the source of an insertion',
      () =>
        db.insert(labels).select(db.select({ id: papers.body, paperId: papers.id }).from(papers)),
    ],
    ['a batch', () => db.batch([db.select().from(papers).where(ours()), db.select().from(papers)])],
  ])('throws without both columns: %s [GROUP-20]', async (_what, run) => {
    const error = await refusal(run)
    expect(error.inspectable).toBe(true)
    expect(error.message).toContain('forGroup')
  })

  it.each<Case>([
    ['all', () => db.all(sql`select * from ${papers} where ${ours()}`)],
    [
      'a condition in raw text',
      () => db.select().from(papers).where(sql.raw("organization_id = 'org-1' and group_id = 'a'")),
    ],
    [
      'a group in raw text',
      () =>
        db
          .select()
          .from(papers)
          .where(and(ofOrganization(), sql`group_id = 'a'`)),
    ],
    ['a raw subquery', () => db.select({ n: sql`(select count(*) from papers)` }).from(labels)],
    ['a raw update', () => db.run(sql`update ${papers} set body = 'x' where ${ours()}`)],
    ['a raw deletion', () => db.run(sql`delete from papers`)],
    ['a raw insertion', () => db.run("insert into papers values ('x', 'org-2', 'a', null, 'x')")],
    [
      'a raw replacement',
      () => db.run("replace into papers values ('x', 'org-2', 'a', null, 'x')"),
    ],
    ['a raw update in a batch', () => db.batch([db.run(sql`update "papers" set group_id = 'a'`)])],
  ])('fails closed and is reported: %s [GROUP-20]', async (_what, run) => {
    expect((await refusal(run)).inspectable).toBe(false)
    expect(reports).toHaveLength(1)
  })
})

describe('a write of a table of groups', () => {
  it('changes rows of this group of this organization [GROUP-21]', async () => {
    await db.insert(papers).values([row, { ...row, id: 'second' }])
    const set = { body: 'again' }
    const upsert = { target: papers.id, set, setWhere: ours() }
    await db.insert(papers).values(row).onConflictDoUpdate(upsert)
    await db.insert(papers).values(row).onConflictDoNothing()
    await db
      .update(papers)
      .set({ body: 'changed' })
      .where(and(ours(), eq(papers.id, 'second')))
    const bodies = async () =>
      Object.fromEntries((await stored()).map(({ id, body }) => [id, body]))
    expect(await bodies()).toEqual({
      made: 'again',
      second: 'changed',
      'org-1-a': 'org-1-a',
      'org-1-b': 'org-1-b',
      'org-2-a': 'org-2-a',
    })
    await db.delete(papers).where(ours())
    expect(Object.keys(await bodies())).toEqual(['org-1-b', 'org-2-a'])
  })

  it('leaves a row of another group or organization as if it were absent [GROUP-21]', async () => {
    const set = { body: 'stolen' }
    for (const id of ['org-1-b', 'org-2-a']) {
      await db
        .insert(papers)
        .values({ ...row, id })
        .onConflictDoUpdate({ target: papers.id, set, setWhere: ours() })
      expect(
        await db
          .update(papers)
          .set(set)
          .where(and(ours(), eq(papers.id, id)))
          .returning()
      ).toEqual([])
      expect(
        await db
          .delete(papers)
          .where(and(ours(), eq(papers.id, id)))
          .returning()
      ).toEqual([])
    }
    expect((await stored()).map(({ id, body }) => id === body)).toEqual([true, true, true])
  })

  it.each<Case>([
    [
      'insert without a group',
      () => db.insert(papers).values({ ...row, group: undefined as never }),
    ],
    ['insert with null', () => db.insert(papers).values({ ...row, group: null as never })],
    ['insert with SQL', () => db.insert(papers).values({ ...row, group: sql`'b'` })],
    [
      'the second row of an insertion',
      () => db.insert(papers).values([row, { ...row, id: 'x', organization: undefined as never }]),
    ],
    ['update', () => db.update(papers).set({ body: 'x' })],
    [
      'update by the organization',
      () => db.update(papers).set({ body: 'x' }).where(ofOrganization()),
    ],
    ['update by an id', () => db.update(papers).set({ body: 'x' }).where(eq(papers.id, 'org-1-b'))],
    ['update of the group', () => db.update(papers).set({ group: 'b' }).where(ours())],
    [
      'update of the organization',
      () => db.update(papers).set({ organization: 'org-2' }).where(ours()),
    ],
    [
      'update from another table that is pinned',
      () =>
        db
          .update(papers)
          .set({ body: 'x' })
          .from(folders)
          .where(and(eq(papers.folderId, folders.id), forOrganization(folders, scope))),
    ],
    ['delete', () => db.delete(papers)],
    ['delete by the organization', () => db.delete(papers).where(ofOrganization())],
    [
      'delete with a pinned subquery',
      () =>
        db
          .delete(papers)
          .where(
            inArray(
              papers.id,
              db.select({ id: other.id }).from(other).where(forGroup(other, scope))
            )
          ),
    ],
    [
      'upsert without a condition',
      () =>
        db
          .insert(papers)
          .values(row)
          .onConflictDoUpdate({ target: papers.id, set: { body: 'x' } }),
    ],
    [
      'upsert by the organization',
      () =>
        db
          .insert(papers)
          .values(row)
          .onConflictDoUpdate({
            target: papers.id,
            set: { body: 'x' },
            setWhere: ofOrganization(),
          }),
    ],
    [
      'upsert whose target alone is pinned',
      () =>
        db
          .insert(papers)
          .values(row)
          .onConflictDoUpdate({ target: papers.id, set: { body: 'x' }, targetWhere: ours() }),
    ],
    [
      'upsert that moves the row',
      () =>
        db
          .insert(papers)
          .values(row)
          .onConflictDoUpdate({ target: papers.id, set: { group: 'b' }, setWhere: ours() }),
    ],
    [
      'the second of two conflicts',
      () =>
        db
          .insert(papers)
          .values(row)
          .onConflictDoNothing({ target: papers.body })
          .onConflictDoUpdate({ target: papers.id, set: { body: 'x' } }),
    ],
    ['a batch', () => db.batch([db.insert(papers).values(row), db.delete(papers)])],
  ])('throws: %s [GROUP-22]', async (_what, run) => {
    expect((await refusal(run)).inspectable).toBe(true)
  })

  it('throws for insert … select, which names no values [GROUP-22]', async () => {
    const copied = () => db.insert(papers).select(db.select().from(papers).where(ours()))
    expect((await refusal(copied)).inspectable).toBe(false)
  })

  it('passes on the explicit opt-out [GROUP-22]', async () => {
    await unscoped(db).update(papers).set({ group: 'b' })
    expect(await unscoped(db).$count(papers, eq(papers.group, 'b'))).toBe(3)
  })
})

describe('the columns', () => {
  it('are those of the table, and the scope has both ids [GROUP-19]', () => {
    expect(() => forGroup(folders, scope)).toThrow(
      'forGroup: the table "folders" has no column "group_id".'
    )
    expect(() => forGroup(labels, scope)).toThrow('organization_id')
    for (const group of [null, undefined, { id: '' }]) {
      expect(() => forGroup(papers, { ...scope, group })).toThrow(
        'forGroup: the scope for "papers" carries no group.'
      )
    }
    expect(() => forGroup(papers, { ...scope, organization: null })).toThrow(
      'carries no organization'
    )
    expect(() => tenantDatabase(bare, { groupTables: [folders] })).toThrow(
      'tenantDatabase: the table "folders" has no column "group_id".'
    )
    expect(() => tenantDatabase(bare, { groupTables: ['papers' as never] })).toThrow(TypeError)
  })
})
