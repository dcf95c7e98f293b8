import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { migrated, migrationNames } from '../../scripts/schema.ts'

interface Made {
  readonly type: 'table' | 'index' | 'trigger'
  readonly name: string
  readonly table: string
  readonly sql: string
}

/** What the 67 files made that the baseline has replaced, before anything had the prefix. */
const before = JSON.parse(
  readFileSync(fileURLToPath(new URL('fixtures/unprefixed.json', import.meta.url)), 'utf8')
) as readonly Made[]

// Later files may add to it, and change it.
const BASELINE = migrationNames().slice(0, 34)

/**
 * What was changed on purpose, while no version was released: rows are written less often. Tables whose
 * key is a text have no second b-tree for it; indexes that served no query, or that a key serves, are gone;
 * triggers note 64 events in one row of a table, in place of three indexes.
 */
const WITHOUT_ROWID = [
  'seatgate_organizations',
  'seatgate_memberships',
  'seatgate_entitlements',
  'seatgate_seat_ledgers',
  'seatgate_seat_fences',
  'seatgate_invitations',
  'seatgate_organization_domains',
  'seatgate_join_requests',
  'seatgate_exclusions',
]
const DROPPED = [
  'seatgate_memberships_organization_user',
  'seatgate_exclusions_user',
  'seatgate_audit_events_id',
  'seatgate_audit_events_actor',
  'seatgate_audit_events_target',
  'seatgate_audit_events_action',
]
const ADDED = ['seatgate_audit_lookups', 'seatgate_audit_events_over_limit']
/** Indexes that leave out some rows now, and a trigger that no longer compares ids. */
const NARROWED = [
  'seatgate_memberships_organization_role',
  'seatgate_exclusions_address',
  'seatgate_audit_events_no_replace',
]

const HOST = 'users'
const VERSION = 'seatgate_schema'
const NAMES = before
  .map(({ name }) => name)
  .filter((name) => !name.startsWith(HOST) && name !== VERSION)

// The one name that has changed by more than the prefix.
const prefixed = (name: string) => `seatgate_${name.replace(/^intents(?![a-z])/, 'jobs')}`
const namesIn = new RegExp(
  `(?<![\\w'])(${NAMES.toSorted((a, b) => b.length - a.length).join('|')})(?!\\w)`,
  'g'
)

/** An object of then, under the name of today. */
const renamed = ({ sql, ...object }: Made): Made => ({
  ...object,
  name: prefixed(object.name),
  table: prefixed(object.table),
  sql: sql.replaceAll(namesIn, (name) => prefixed(name)),
})

const library = before.filter(
  ({ name, table }) => table !== HOST && table !== VERSION && !DROPPED.includes(prefixed(name))
)

/** What two tables have in common that have the same columns in another order. */
function shape(database: DatabaseSync, table: string, sql: string) {
  const rows = (query: string) => database.prepare(query).all(table)
  return {
    columns: rows(
      'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo(?) ORDER BY name'
    ),
    keys: rows(
      'SELECT "table", "from", "to", on_update, on_delete FROM pragma_foreign_key_list(?) ORDER BY "from"'
    ),
    unique: rows(
      `SELECT origin, partial, group_concat(column.name) AS columns FROM pragma_index_list(?) AS list
       JOIN pragma_index_info(list.name) AS column WHERE list.origin <> 'c' GROUP BY list.name ORDER BY 3`
    ),
    checks: [...checksIn(sql)].toSorted(),
    options: /\)([^)]*)$/.exec(sql)?.[1]?.trim(),
  }
}

function* checksIn(sql: string): Generator<string> {
  for (const { index, 0: head } of sql.matchAll(/\bCHECK \(/g)) {
    let end = index + head.length
    for (let depth = 1; depth > 0; end++) {
      if (sql[end] === '(') depth += 1
      if (sql[end] === ')') depth -= 1
    }
    yield plain(sql.slice(index, end))
  }
}

const plain = (sql: string) => sql.replaceAll(/\s+/g, ' ').trim()

// What differs in a table without a rowid, and is compared apart from the rest.
const KEYS = { unique: null, options: null }

describe('the baseline', () => {
  const now = migrated(BASELINE)
  const then = new DatabaseSync(':memory:')
  for (const { sql } of library.map(renamed)) then.exec(sql)
  const made = now
    .prepare('SELECT type, name, tbl_name AS "table", sql FROM sqlite_master WHERE sql IS NOT NULL')
    .all() as unknown as readonly Made[]

  test('makes exactly the objects of the files before it, with the prefix', () => {
    const names = (objects: readonly Made[]) =>
      objects.map(({ type, name, table }) => `${type} ${name} on ${table}`).toSorted()
    const kept = made.filter(({ name }) => !ADDED.includes(name))
    expect(names(kept)).toEqual(names(library.map(renamed)))
    expect(made.length).toBeGreaterThan(90)
  })

  test.each(library.filter(({ type }) => type === 'table').map(renamed))(
    'makes $name with the same columns, keys and checks',
    ({ name, sql }) => {
      const table = made.find((one) => one.name === name)!
      const [found, expected] = [shape(now, name, table.sql), shape(then, name, sql)]
      if (!WITHOUT_ROWID.includes(name)) return expect(found).toEqual(expected)
      expect(found.options).toBe('WITHOUT ROWID')
      expect(expected.options).toBe('')
      expect({ ...found, ...KEYS }).toEqual({ ...expected, ...KEYS, columns: found.columns })
      const plain = ({ columns }: typeof found) => columns.map(({ pk: _pk, ...column }) => column)
      expect(plain(found)).toEqual(plain(expected))
    }
  )

  test.each(
    library
      .filter(({ type, name }) => type !== 'table' && !NARROWED.includes(prefixed(name)))
      .map(renamed)
  )('makes the $type $name as it was', ({ name, sql }) => {
    expect(plain(made.find((one) => one.name === name)!.sql)).toBe(plain(sql))
  })

  test('gives each object of its own the prefix', () => {
    expect(made.filter(({ name }) => !name.startsWith('seatgate_'))).toEqual([])
  })

  test('neither alters nor drops', () => {
    const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
    const texts = BASELINE.map((name) => readFileSync(folder + name, 'utf8'))
    expect(texts.filter((text) => /\b(?:ALTER|DROP)\b/i.test(text))).toEqual([])
  })
})
