import {
  and,
  between,
  eq,
  gt,
  inArray,
  isNull,
  like,
  ne,
  not,
  or,
  sql,
  type SQL,
} from 'drizzle-orm'
import { SQLiteSyncDialect, alias, customType, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { describe, expect, it } from 'vitest'
import { forOrganization } from '../../../src/tenancy/for-organization.ts'
import { conditionOf, pinnedColumns, type Joined } from '../../../src/tenancy/pins.ts'
import { isDefinition, tableRead, tokens } from '../../../src/tenancy/tokens.ts'

const projects = sqliteTable('projects', {
  id: text('id').primaryKey(),
  tenant: text('organization_id').notNull(),
  name: text('name'),
})
const tasks = sqliteTable('tasks', {
  id: text('id').primaryKey(),
  organizationId: text('organization_id').notNull(),
  projectId: text('project_id'),
})
const settings = sqliteTable('settings', { organizationId: text('owner_id') })
const p = alias(projects, 'p')

const dialect = new SQLiteSyncDialect()
const written = (condition: SQL) => {
  const { sql, params } = dialect.sqlToQuery(condition)
  return { sql, params }
}
const read = (condition: SQL | undefined) =>
  conditionOf(condition ? tokens(condition, () => false) : [])
const pins = (condition: SQL | undefined, column = 'projects.organization_id') =>
  pinnedColumns(read(condition), []).has(column)

const ours = eq(projects.tenant, 'o1')
const named = eq(projects.name, 'x')

describe('forOrganization', () => {
  it('adds the organization filter for a scope and for an id [ORG-129]', () => {
    const filter = { sql: '"projects"."organization_id" = ?', params: ['o1'] }
    expect(written(forOrganization(projects, 'o1'))).toEqual(filter)
    expect(written(forOrganization(projects, { organization: { id: 'o1' } }))).toEqual(filter)
    const more = { caller: { userId: 'u' }, organization: { id: 'o1', name: 'One' } }
    expect(written(forOrganization(projects, more))).toEqual(filter)
    expect(written(forOrganization(p, 'o1'))).toEqual({
      sql: '"p"."organization_id" = ?',
      params: ['o1'],
    })
    expect(pins(and(forOrganization(projects, 'o1'), named))).toBe(true)
  })

  it.each([
    ['a table without the column', settings, 'o1', '"settings" has no column "organization_id"'],
    ['no table', {}, 'o1', 'object is not a Drizzle table'],
    ['a name', 'projects', 'o1', '"projects" is not a Drizzle table'],
    ['nothing', undefined, 'o1', 'undefined is not a Drizzle table'],
    ['null', null, 'o1', 'null is not a Drizzle table'],
    ['an empty id', projects, '', '"projects" carries no organization'],
    ['an empty id in a scope', projects, { organization: { id: '' } }, '"projects" carries no'],
    ['a scope without organization', projects, { organization: null }, '"projects" carries no'],
    ['a scope not set', projects, { organization: undefined }, '"projects" carries no'],
    ['a scope of something else', projects, { caller: {} }, '"projects" carries no'],
    ['an id of another type', projects, { organization: { id: 7 } }, '"projects" carries no'],
    ['no scope', projects, undefined, '"projects" carries no organization'],
  ])('forOrganization throws for %s [ORG-130]', (_case, table, scope, message) => {
    expect(() => forOrganization(table as never, scope as never)).toThrow(TypeError)
    expect(() => forOrganization(table as never, scope as never)).toThrow(message)
  })
})

describe('a condition', () => {
  it.each<[string, SQL | undefined]>([
    ['a parameter', ours],
    ['a placeholder', eq(projects.tenant, sql.placeholder('organization'))],
    ['a parameter in a template', sql`${projects.tenant} = ${'o1'}`],
    ['a parameter first', sql`${'o1'} == ${projects.tenant}`],
    ['a number', sql`${projects.tenant} = ${7}`],
    ['a literal', sql`${projects.tenant} = 'it''s or not'`],
    ['an inlined parameter', eq(projects.tenant, 'o1').inlineParams()],
    ['sql around the value', eq(projects.tenant, sql`${'o1'}`)],
    ['brackets', sql`((${ours}))`],
    ['and of one', and(undefined, ours)],
    ['a chunked template', sql.join([sql`${projects.tenant}`, sql.raw(' = '), sql`${'o1'}`])],
  ])('pins by %s [ORG-132]', (_case, condition) => {
    expect(pins(condition)).toBe(true)
  })

  it.each<[string, boolean, SQL | undefined]>([
    ['and, left', true, and(ours, named)],
    ['and, right', true, and(named, ours)],
    ['and, deep', true, and(named, and(isNull(projects.name), and(named, ours)))],
    ['and, written by hand', true, sql`${named} AND ${ours}`],
    ['and after not', true, and(not(named), ours)],
    ['and after between', true, and(between(projects.name, 'a', 'b'), ours)],
    ['and after case', true, and(sql`case when ${named} or 1 then 1 else 0 end`, ours)],
    ['and beside or in brackets', true, and(or(named, isNull(projects.name)), ours)],
    ['and, neither', false, and(named, isNull(projects.name))],
    ['or, both', true, or(ours, eq(projects.tenant, 'o2'))],
    ['or, both deep', true, or(and(ours, named), and(named, or(ours, ours)))],
    ['or, left', false, or(ours, named)],
    ['or, right', false, or(named, ours)],
    ['or, two of three', false, or(ours, ours, named)],
    ['or of one', true, or(undefined, ours)],
    ['or, written by hand', false, sql`${ours} or ${named}`],
    ['or inside raw SQL under and', false, and(ours, sql`${named} or 1 = 1`)],
    ['or inside raw SQL before it', false, and(sql`1 = 1 OR ${named}`, ours)],
    ['nothing', false, undefined],
  ])('%s: %s [ORG-133]', (_case, expected, condition) => {
    expect(pins(condition)).toBe(expected)
  })

  it.each<[string, SQL | undefined]>([
    ['two columns', eq(projects.tenant, tasks.organizationId)],
    ['the column itself', eq(projects.tenant, projects.tenant)],
    ['is null', isNull(projects.tenant)],
    ['null', eq(projects.tenant, sql`null`)],
    ['a parameter that is null', eq(projects.tenant, null as never)],
    ['a parameter that is undefined', eq(projects.tenant, undefined as never)],
    ['null in a template', sql`${projects.tenant} = ${null}`],
    ['undefined in a template', sql`${projects.tenant} = ${undefined}`],
    ['another column', named],
    ['the column of another table', eq(tasks.organizationId, 'o1')],
    ['the column of an alias', eq(p.tenant, 'o1')],
    ['ne', ne(projects.tenant, 'o1')],
    ['gt', gt(projects.tenant, 'o1')],
    ['like', like(projects.tenant, '%')],
    ['in', inArray(projects.tenant, ['o1'])],
    ['not', not(ours)],
    ['not around brackets', not(and(ours, named) as SQL)],
    ['a comparison of the comparison', sql`(${ours}) = 0`],
    ['more behind the value', sql`${ours} || ${'x'}`],
    ['a function', sql`coalesce(${ours}, 1)`],
    ['the and of a between', sql`${projects.name} between ${'a'} and ${ours}`],
    ['in a case', sql`case when 1 and ${ours} and 1 then 1 else 1 end`],
    ['in a subquery', sql`(select 1 from x where 1 and ${ours})`],
    ['two parameters', sql`${'o1'} = ${'o1'}`],
    ['a mark of the reader’s own', sql`${projects.tenant} <> ${'o1'} and \uE0000\uE001 = 'o1'`],
    ['a quoted operator', sql`${projects.tenant} "=" ${'o1'}`],
  ])('is not pinned by %s [ORG-134]', (_case, condition) => {
    expect(pins(condition)).toBe(false)
  })

  it('is not pinned by a value that its column type turns into null or SQL [ORG-134]', () => {
    const odd = customType<{ data: string; driverData: string | null }>({
      dataType: () => 'text',
      toDriver: (value) => (value === 'sql' ? sql`${projects.tenant} or 1` : null),
    })
    const table = sqliteTable('odd', { tenant: odd('organization_id') })
    expect(pins(eq(table.tenant, 'none'), 'odd.organization_id')).toBe(false)
    expect(pins(eq(table.tenant, 'sql'), 'odd.organization_id')).toBe(false)
  })

  it.each<[string, SQL | undefined]>([
    ['the column in raw text', sql`organization_id = ${'o1'}`],
    ['the column quoted in raw text', sql.raw(`"projects"."organization_id" = 'o1'`)],
    ['a comment', sql`1 /* ${ours} */`],
    ['a comment to the end', and(ours, sql`1 = 1 --`)],
    ['a comment across chunks', and(sql`1 /*`, ours, sql`*/ or 1`)],
    ['a quote across chunks', and(sql`'`, ours, sql`'`, sql`' open`)],
    ['a bracket that closes too much', sql`${ours}) or (1 = 1`],
    ['a bracket that stays open', sql`(${ours}`],
  ])('is opaque with %s, and not pinned [ORG-136]', (_case, condition) => {
    expect(read(condition).opaque).toBe(true)
    expect(pins(condition)).toBe(false)
  })

  it('is not opaque where it is only unpinned', () => {
    expect(read(undefined).opaque).toBe(false)
    expect(read(or(ours, named)).opaque).toBe(false)
    expect(read(sql`name = 'organization_id'`).opaque).toBe(false)
  })
})

describe('a join', () => {
  const on = (joinType: string, condition: SQL): Joined => ({
    joinType,
    columns: ['tasks.organization_id'],
    on: read(condition),
  })
  const same = eq(tasks.organizationId, projects.tenant)
  const both = ['projects.organization_id', 'tasks.organization_id']
  const pinned = (where: SQL | undefined, ...joins: Joined[]) => {
    const all = pinnedColumns(read(where), joins)
    return both.filter((column) => all.has(column))
  }

  it.each<[string, string[], SQL | undefined, Joined]>([
    ['inner, by the other', both, ours, on('inner', same)],
    ['left, by the other', both, ours, on('left', same)],
    ['inner, pinned in its own', [both[1]!], undefined, on('inner', eq(tasks.organizationId, 'o'))],
    ['left, pinned in its own', [both[1]!], undefined, on('left', eq(tasks.organizationId, 'o'))],
    ['inner, the first pinned there', both, undefined, on('inner', and(same, ours)!)],
    ['left, the first pinned there', [both[1]!], undefined, on('left', and(same, ours)!)],
    ['inner, by another column', [both[0]!], ours, on('inner', eq(tasks.projectId, projects.id))],
    ['inner, by either', [both[0]!], ours, on('inner', or(same, eq(tasks.id, projects.id))!)],
    ['right', [both[0]!], ours, on('right', same)],
    ['full', [both[0]!], ours, on('full', and(same, eq(tasks.organizationId, 'o'))!)],
    ['right, pinned by where', both, and(ours, eq(tasks.organizationId, 'o')), on('right', same)],
    ['cross, by where', both, and(ours, same), on('cross', sql``)],
    ['nothing pinned', [], undefined, on('inner', same)],
  ])('%s [ORG-135]', (_case, expected, where, join) => {
    expect(pinned(where, join)).toEqual(expected)
  })

  it('passes a pin on along a chain of left joins, in any order', () => {
    const chain = [
      {
        joinType: 'left',
        columns: ['p.organization_id'],
        on: read(eq(p.tenant, tasks.organizationId)),
      },
      on('left', same),
    ]
    expect(pinnedColumns(read(ours), chain).has('p.organization_id')).toBe(true)
    expect(pinnedColumns(read(named), chain).has('p.organization_id')).toBe(false)
  })
})

describe('raw SQL', () => {
  const enforced = new Set(['projects'])
  const found = (statement: SQL) =>
    tableRead(
      tokens(statement, () => false),
      enforced
    )

  it.each([
    ['a name', sql`select * from projects`],
    ['any case', sql`SELECT * FROM PROJECTS`],
    ['quoted', sql`select * from "projects"`],
    ['in backticks', sql.raw('select * from `projects`')],
    ['in square brackets', sql`select * from [projects]`],
    ['as a text', sql`select * from 'projects'`],
    ['with its database', sql`select * from main.projects`],
    ['in a list', sql`select * from users, projects`],
    ['joined', sql`select * from users join projects`],
    ['after in', sql`select 1 where 1 in projects`],
    ['a table of Drizzle', sql`select * from ${projects}`],
    ['an identifier', sql`select * from ${sql.identifier('projects')}`],
    ['in pieces', sql`select * from ${sql.raw('pro')}${sql.raw('jects')}`],
    ['behind a comment', sql.raw('select * from /* all */ projects')],
    ['copied', sql`insert into archive select * from projects`],
    ['deciding a write', sql`delete from projects where id in (select id from projects)`],
  ])('that reads a table is found: %s [ORG-136]', (_case, statement) => {
    expect(found(statement)).toBe('projects')
  })

  it.each([
    ['inserts', sql`insert into projects (id) values ('projects')`],
    ['replaces', sql`replace into "projects" (id) values (1)`],
    ['updates', sql`update projects set name = 'projects'`],
    ['updates or ignores', sql`update or ignore ${projects} set name = ''`],
    ['deletes', sql`delete from projects where projects.id = 1`],
    ['reads another', sql`select 'from projects', projects_count from users -- projects`],
  ])('that %s is let through [ORG-135]', (_case, statement) => {
    expect(found(statement)).toBeUndefined()
  })

  it('that defines tables is known [ORG-135]', () => {
    const defines = (text: string) => isDefinition(tokens(sql.raw(text), () => false))
    expect(defines('-- first\nCREATE TABLE x AS SELECT 1')).toBe(true)
    expect(defines('drop table projects')).toBe(true)
    expect(defines('select 1')).toBe(false)
    expect(defines('explain select * from projects')).toBe(false)
    expect(defines('"create" table')).toBe(false)
    expect(defines('')).toBe(false)
  })
})
