import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { expectedObjects, migrated, migrationNames, schemaMigration } from '../../scripts/schema.ts'
import { COMPATIBLE_FROM, SCHEMA_VERSION } from '../../src/database/check-schema.ts'
import { lintMigration, lintNames, type Problem } from './lint.ts'

const folder = fileURLToPath(new URL('../../migrations/', import.meta.url))
const names = readdirSync(folder)

test('the migrations are numbered without a gap', () => {
  expect(names.length).toBeGreaterThan(0)
  expect(lintNames(names)).toEqual([])
})

test.each(names)('%s can be applied remotely, and twice', (name) => {
  expect(lintMigration(readFileSync(folder + name, 'utf8'))).toEqual([])
})

describe('the version of the schema [C5]', () => {
  const { name, version, text } = schemaMigration()
  const hint = 'A migration was added or renumbered: npm run schema'

  test('is the number of the last migration, which records it', () => {
    expect(migrationNames().at(-1), hint).toBe(name)
    expect(readFileSync(folder + name, 'utf8'), hint).toBe(text)
    expect(SCHEMA_VERSION, hint).toBe(version)
    const doctor = fileURLToPath(new URL('../../bin/schema.json', import.meta.url))
    expect(readFileSync(doctor, 'utf8'), hint).toBe(expectedObjects())
  })

  test('is in the one row of seatgate_schema, with that of the oldest code that works with it', () => {
    const rows = migrated().prepare('SELECT * FROM seatgate_schema').all()
    expect(rows).toEqual([{ id: 1, version: SCHEMA_VERSION, compatible_from: COMPATIBLE_FROM }])
  })

  test.each(['operations', 'guards', 'sessions', 'invitations', 'jobs'])(
    'is not recorded where the host has a table seatgate_%s of another shape',
    (name) => {
      const apply = () => migrated(migrationNames(), `CREATE TABLE seatgate_${name} (mine TEXT)`)
      expect(apply).toThrow(/no such column/)
    }
  )
})

describe('the linter', () => {
  const table = 'CREATE TABLE IF NOT EXISTS a (b TEXT);\n'
  const replaced =
    'CREATE TABLE IF NOT EXISTS n (b TEXT);\nDROP TABLE IF EXISTS a;\nALTER TABLE n RENAME TO a;\n'
  const trigger = `CREATE TRIGGER IF NOT EXISTS t BEFORE DELETE ON a BEGIN SELECT RAISE(ABORT, 'no'); END;\n`

  test.each([
    table,
    trigger,
    `-- What it is for.\n${table}`,
    'ALTER TABLE a ADD COLUMN c TEXT;\n',
    `${table}INSERT OR IGNORE INTO a SELECT b FROM c;\n`,
    "CREATE TABLE IF NOT EXISTS a (b TEXT DEFAULT 'case; end; --');\n",
    'CREATE UNIQUE INDEX IF NOT EXISTS i\n  ON a (b);\nDROP INDEX IF EXISTS j;\n',
    trigger.replace("'no'", "'in case of the end; no'"),
    `${table}${replaced}`,
  ])('takes %j', (text) => {
    expect(lintMigration(text)).toEqual([])
  })

  test.each<[Problem, string]>([
    ['carriage return', table.replace('\n', '\r\n')],
    ['no newline at the end', table.trimEnd()],
    ['empty', '-- Later.\n'],
    ['PRAGMA', `PRAGMA foreign_keys = off;\n${table}`],
    ['PRAGMA', `pragma defer_foreign_keys = on;\n${table}`],
    ['comment with a semicolon', `-- First this; then that.\n${table}`],
    ['comment with a semicolon', `/* First this;\n then that. */\n${table}`],
    ['comment with a semicolon', trigger.replace('SELECT', '/* stop; here */ SELECT')],
    ['not idempotent', 'CREATE TABLE a (b TEXT);\n'],
    ['not idempotent', `${table}CREATE INDEX i ON a (b);\n`],
    ['not idempotent', 'DROP TABLE a;\n'],
    ['not idempotent', `ALTER TABLE a ADD COLUMN c TEXT;\n${table}`],
    ['not idempotent', 'ALTER TABLE a DROP COLUMN c;\n'],
    ['not idempotent', replaced],
    ['not idempotent', `${table}${replaced.replace('DROP TABLE IF EXISTS a;\n', '')}`],
    ['not idempotent', table + replaced.slice(replaced.indexOf('DROP'))],
    ['not idempotent', `${table}${replaced}${table}`],
    ['not idempotent', "INSERT INTO a VALUES ('b');\n"],
    ['not idempotent', trigger.replace(' IF NOT EXISTS', '')],
    ['more than a trigger', table + trigger],
    ['more than a trigger', trigger + table],
    ['more than a trigger', trigger.trimEnd() + trigger],
    ['trigger over several lines', trigger.replace(' BEGIN', '\nBEGIN')],
    ['trigger over several lines', trigger.replace('SELECT', '\n  SELECT')],
    ['BEGIN or END not in upper case', trigger.replace('BEGIN', 'begin')],
    ['BEGIN or END not in upper case', trigger.replace('END', 'End')],
    [
      'CASE in a trigger',
      trigger.replace("RAISE(ABORT, 'no')", "CASE WHEN 1 THEN RAISE(ABORT, 'no') END"),
    ],
    ['not exactly one END;', trigger.replace('END;', 'END')],
    ['not exactly one END;', trigger.replace('END;', 'END; END;')],
    ['not exactly one END;', trigger.replace('END;', 'END ;')],
  ])('reports "%s" in %j', (problem, text) => {
    expect(lintMigration(text)).toContain(problem)
  })

  test.each<[Problem, string[]]>([
    ['numbers have a gap or a repeat', ['0001_a.sql', '0003_b.sql']],
    ['numbers have a gap or a repeat', ['0001_a.sql', '0001_b.sql']],
    ['numbers have a gap or a repeat', ['0000_a.sql', '0001_b.sql']],
    ['not named NNNN_name.sql', ['1_a.sql']],
    ['not named NNNN_name.sql', ['0001_a.sql', 'notes.md']],
    ['not named NNNN_name.sql', ['0001-a.sql']],
  ])('reports "%s" of the names %j', (problem, wrong) => {
    expect(lintNames(wrong)).toContain(problem)
  })
})
