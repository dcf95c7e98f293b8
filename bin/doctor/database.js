import { readFile } from 'node:fs/promises'
import { note, ok, wrong } from './finding.js'
import { executeArgs, placeArgs } from './wrangler.js'

const OBJECTS =
  "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT GLOB '_cf_*'"
const COLUMNS =
  'SELECT tables.name AS "table", columns.name AS "column" FROM sqlite_master AS tables ' +
  "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' AND tables.name NOT GLOB '_cf_*'"

/** Asks D1 what it has, and compares that with what the migrations make. */
export async function checkDatabase(wrangler, database, flags) {
  const ask = (sql) => wrangler.query(database, sql, flags)
  const found = { objects: await ask(OBJECTS), columns: await ask(COLUMNS), row: undefined }
  if (found.objects.some(({ name }) => name === 'seatgate_schema')) {
    const [row] = await ask('SELECT version, compatible_from FROM seatgate_schema').catch(() => [])
    found.row = row
  }
  const expected = JSON.parse(await readFile(new URL('../schema.json', import.meta.url), 'utf8'))
  return [...compare(expected, found, commands(database, flags))]
}

function commands(database, flags) {
  const apply = ['npx wrangler d1 migrations apply', database.binding, ...placeArgs(flags)]
  return {
    apply: apply.join(' '),
    run: (file) =>
      [
        'npx wrangler',
        ...executeArgs(database, flags),
        '--file',
        `node_modules/seatgate/migrations/${file}`,
      ].join(' '),
  }
}

/** Compares the objects of a database with those that are expected. */
function* compare(expected, found, { apply, run }) {
  const tables = expected.objects.filter(({ type }) => type === 'table')
  const there = new Set(found.objects.map(({ name }) => name))
  if (!tables.some(({ name }) => there.has(name))) {
    yield wrong('the database has none of the tables of Seatgate', apply)
    return
  }
  let differences = 0
  for (const object of expected.objects) {
    const finding = checkObject(object, found, { apply, run, found })
    if (finding === null) continue
    differences += 1
    yield finding
  }
  if (differences === 0)
    yield ok(`${expected.objects.length} tables, indexes and triggers are as they should be`)
  yield* checkVersion(expected, found.row, apply)
}

function checkObject(object, { objects, columns }, { apply, run }) {
  const { type, name, table, file } = object
  const title = type === 'table' ? `the table ${name}` : `the ${type} ${name} on ${table}`
  const same = objects.find((one) => one.type === type && one.name === name)
  if (same === undefined) {
    const other = objects.find((one) => one.name === name)
    if (other) return wrong(`${title} is missing: a ${other.type} of your own has its name`, RENAME)
    return wrong(`${title} is missing`, `${apply}\nif that has nothing to apply: ${run(file)}`)
  }
  if (type === 'table') return checkTable(object, same, columns, apply)
  if (same.tbl_name !== table) {
    return wrong(`${title} is missing: ${same.tbl_name} has a ${type} of that name`, RENAME)
  }
  if (plain(same.sql) === plain(object.sql)) return null
  return wrong(`${title} is another one`, `DROP ${type.toUpperCase()} ${name}, then ${run(file)}`)
}

const RENAME = 'rename yours, or give Seatgate a database of its own; then apply the migrations'

function checkTable({ name, columns: wanted, sql }, same, columns, apply) {
  const has = columns.filter(({ table }) => table === name).map(({ column }) => column)
  const missing = wanted.filter((column) => !has.includes(column))
  if (missing.length * 2 > wanted.length) {
    return wrong(
      `the table ${name} is not Seatgate's: it does not have ${missing.join(', ')}`,
      RENAME
    )
  }
  if (missing.length > 0) {
    return wrong(`the table ${name} does not have the columns ${missing.join(', ')}`, apply)
  }
  const own = has.filter((column) => !wanted.includes(column))
  if (own.length > 0) return note(`the table ${name} has further columns: ${own.join(', ')}`)
  if (plain(same.sql) === plain(sql)) return null
  return wrong(
    `the table ${name} has other checks, keys or defaults than the migrations make`,
    'make the tables in a new database by the migrations, and copy the rows'
  )
}

function* checkVersion({ version }, row, apply) {
  if (row === undefined)
    yield wrong('seatgate_schema has no row: not all migrations were applied', apply)
  else if (row.version < version) {
    yield wrong(`the schema has version ${row.version}; this package needs ${version}`, apply)
  } else if (row.compatible_from > version) {
    yield wrong(
      `the schema has version ${row.version}, which this package (${version}) cannot use`,
      'npm install a later version of seatgate, and deploy it'
    )
  } else yield ok(`the schema has version ${row.version}`)
}

// Quotes and blanks are written differently by whoever has made a table.
function plain(sql) {
  return sql
    .replaceAll(/["`]/g, '')
    .replace(/ IF NOT EXISTS/i, '')
    .replaceAll(/\s+/g, ' ')
    .trim()
}
