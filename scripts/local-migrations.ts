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

/** Brings the local database up to date. */
export async function applyMigrations({ flags, directory, isOwn }: LocalState): Promise<void> {
  const isEmpty = !existsSync(join(directory, 'v3/d1'))
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

/** All of them as one script, each noted as wrangler notes what it has applied. */
async function everyMigration(): Promise<string> {
  const directory = join(root, 'migrations')
  const names = (await readdir(directory)).filter((name) => name.endsWith('.sql')).sort()
  const migrations = names.map(async (name) => {
    const sql = await readFile(join(directory, name), 'utf8')
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
