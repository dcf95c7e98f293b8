/**
 * `npm run schema`, to be run when a migration was added or renumbered: puts the migration that records
 * the version of the schema last, writes that version into the code, and what the migrations make into
 * `bin/schema.json`, which `seatgate doctor` compares a database with.
 *
 * The migration reads every column of every table first. A table that was there before with the same
 * name, and that `IF NOT EXISTS` has passed over, fails there.
 *
 * @module
 */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { COMPATIBLE_FROM } from '../src/database/check-schema.ts'
import { takeNone } from './arguments.ts'
import { root } from './run-wrangler.ts'

const MIGRATIONS = join(root, 'migrations')
const CODE = join(root, 'src/database/check-schema.ts')
const DOCTOR = join(root, 'bin/schema.json')

const RECORDS_THE_VERSION = /^\d{4}_schema\.sql$/

/** The names of the migrations, in order. */
export function migrationNames(): readonly string[] {
  return readdirSync(MIGRATIONS)
    .filter((name) => name.endsWith('.sql'))
    .sort()
}

/** What the last migration must be called, and hold. */
export function schemaMigration(names: readonly string[] = migrationNames()) {
  const others = names.filter((name) => !RECORDS_THE_VERSION.test(name))
  const version = others.length + 1
  return {
    name: `${String(version).padStart(4, '0')}_schema.sql`,
    version,
    text: [...reads(others), row(version)].join('\n') + '\n',
  }
}

interface SqliteObject {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string
}

/** What `seatgate doctor` expects: every object that the migrations make, and by which file. */
export function expectedObjects(): string {
  const names = migrationNames()
  const texts = names.map((name) => [name, readFileSync(join(MIGRATIONS, name), 'utf8')] as const)
  const database = migrated(names)
  const objects = database
    .prepare(
      `SELECT type, name, tbl_name AS "table", sql FROM sqlite_master
       WHERE sql IS NOT NULL ORDER BY type = 'trigger', type = 'index', name`
    )
    .all() as unknown as readonly SqliteObject[]
  const columnsOf = database.prepare('SELECT name FROM pragma_table_info(?)')
  const lines = objects.map((object) => {
    const made = new RegExp(`CREATE [A-Z ]*\\b${object.name}\\b`)
    const file = texts.findLast(([, text]) => made.test(text))?.[0]
    const columns =
      object.type === 'table' ? columnsOf.all(object.name).map(({ name }) => name) : undefined
    return JSON.stringify({ ...object, columns, file })
  })
  database.close()
  const version = schemaMigration().version
  return `{ "version": ${version}, "objects": [\n${lines.join(',\n')}\n] }\n`
}

function reads(names: readonly string[]): readonly string[] {
  const database = migrated(names)
  const columns = database
    .prepare(
      `SELECT tables.name AS "table", group_concat(columns.name, ', ') AS columns
       FROM sqlite_master AS tables JOIN pragma_table_info(tables.name) AS columns
       WHERE tables.type = 'table' GROUP BY tables.name ORDER BY tables.name`
    )
    .all() as unknown as readonly { readonly table: string; readonly columns: string }[]
  database.close()
  return columns.map(({ table, columns }) => `SELECT ${columns} FROM ${table} WHERE 0;`)
}

function row(version: number): string {
  return `CREATE TABLE IF NOT EXISTS seatgate_schema (
  id INTEGER PRIMARY KEY NOT NULL CHECK (id = 1),
  version INTEGER NOT NULL CHECK (version > 0),
  compatible_from INTEGER NOT NULL CHECK (compatible_from BETWEEN 1 AND version)
);
INSERT OR REPLACE INTO seatgate_schema (id, version, compatible_from) VALUES (1, ${version}, ${COMPATIBLE_FROM});`
}

/** A database in memory with these migrations, and with what was there before. */
export function migrated(names: readonly string[] = migrationNames(), before = ''): DatabaseSync {
  const database = new DatabaseSync(':memory:')
  database.exec(before)
  for (const name of names) database.exec(readFileSync(join(MIGRATIONS, name), 'utf8'))
  return database
}

if (import.meta.main) {
  takeNone('npm run schema')
  const names = migrationNames()
  const { name, version, text } = schemaMigration(names)
  const present = names.find((other) => RECORDS_THE_VERSION.test(other))
  if (present !== undefined && present !== name) {
    renameSync(join(MIGRATIONS, present), join(MIGRATIONS, name))
  }
  writeFileSync(join(MIGRATIONS, name), text)
  writeFileSync(DOCTOR, expectedObjects())
  const code = readFileSync(CODE, 'utf8')
  writeFileSync(CODE, code.replace(/(?<=SCHEMA_VERSION = )\d+/, String(version)))
  console.log(`migrations/${name}: the schema has version ${version}`)
}
