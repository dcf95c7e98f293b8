import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root, runWrangler } from './run-wrangler.ts'

/** Where wrangler keeps its local data. */
export interface LocalState {
  /** The flags that say so. */
  readonly flags: readonly string[]
  readonly directory: string
  /** Whether it is the project's own database, with the project's own migrations. */
  readonly isOwn: boolean
}

// Where wrangler keeps local databases, and beside them, gone with them, what is in this one.
const DATABASES = 'v3/d1'
const APPLIED = join(DATABASES, 'applied.json')

/** Brings the local database up to date. */
export async function applyMigrations(state: LocalState): Promise<void> {
  const { directory, isOwn } = state
  const applied = JSON.stringify(await migrationNames())
  const before = await readFile(join(directory, APPLIED), 'utf8').catch(() => null)
  // To be told by wrangler that there is nothing to do takes longer than all the rest of a start.
  if (isOwn && before === applied) return
  await apply(state)
  if (isOwn) await writeFile(join(directory, APPLIED), applied)
}

async function apply({ flags, directory, isOwn }: LocalState): Promise<void> {
  const isEmpty = !existsSync(join(directory, DATABASES))
  if (!isOwn || !isEmpty) return wranglerD1('migrations', 'apply', 'DB', '--local', ...flags)

  // Wrangler starts a runtime for each migration, which takes it half a minute from the beginning.
  const temporary = await mkdtemp(join(tmpdir(), 'seatgate-migrations-'))
  try {
    const script = join(temporary, 'migrations.sql')
    await writeFile(script, await everyMigration())
    await wranglerD1('execute', 'DB', '--local', '--yes', '--file', script, ...flags)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function wranglerD1(...args: string[]): Promise<void> {
  let output = ''
  const group = runWrangler(['d1', ...args], (text) => {
    output += text
  })
  if ((await group.ended) !== 0) {
    throw new Error(`the migrations could not be applied\n\n${output.trim()}`)
  }
}

// In the order of `migrations_pattern` in `wrangler.toml`: the host's own, and the library's.
const FOLDERS = ['host/migrations', 'migrations']

/** Their paths, by which wrangler notes them. */
async function migrationNames(): Promise<readonly string[]> {
  const folders = FOLDERS.map(async (folder) =>
    (await readdir(join(root, folder)))
      .filter((name) => name.endsWith('.sql'))
      .sort()
      .map((name) => `${folder}/${name}`)
  )
  return (await Promise.all(folders)).flat()
}

/** All of them as one script, each noted as wrangler notes what it has applied. */
async function everyMigration(): Promise<string> {
  const migrations = (await migrationNames()).map(async (name) => {
    const sql = await readFile(join(root, name), 'utf8')
    return `${sql}INSERT INTO d1_migrations (name) VALUES ('${name}');\n`
  })
  return [TABLE_OF_MIGRATIONS, ...(await Promise.all(migrations))].join('')
}

const TABLE_OF_MIGRATIONS = `CREATE TABLE d1_migrations (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT UNIQUE,
  applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL
);
`
