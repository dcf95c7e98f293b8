import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { migrated, migrationNames } from '../../scripts/schema.ts'
import { SCHEMA_VERSION } from '../../src/database/check-schema.ts'
import { root } from '../../scripts/run-wrangler.ts'
import { temporaryDirectory, type TemporaryDirectory } from './temporary-directory.ts'

const packed = migrationNames()

// Stands in for wrangler: the configuration is a file of JSON, and D1 a file of SQLite.
const WRANGLER = {
  'package.json': JSON.stringify({
    name: 'wrangler',
    type: 'module',
    main: 'wrangler-dist/cli.js',
  }),
  'wrangler-dist/cli.js': `
    import { readFileSync } from 'node:fs'
    export const unstable_readConfig = () => JSON.parse(readFileSync('config.json', 'utf8'))
  `,
  'bin/wrangler.js': `
    import { DatabaseSync } from 'node:sqlite'
    const args = process.argv.slice(2)
    if (!/^d1 execute (DB|MINE) --local/.test(args.join(' '))) process.exit(9)
    const database = new DatabaseSync('d1.sqlite')
    const results = database.prepare(args[args.indexOf('--command') + 1]).all()
    console.log(JSON.stringify([{ results, success: true }]))
  `,
}

const CONFIGURATION = {
  configPath: 'wrangler.toml',
  d1_databases: [{ binding: 'DB', database_name: 'mine', migrations_dir: 'migrations' }],
  durable_objects: { bindings: [{ name: 'SEATS', class_name: 'SeatLedger' }] },
  migrations: [{ tag: 'v1', new_sqlite_classes: ['SeatLedger'] }],
  queues: {
    producers: [{ binding: 'AUDIT_QUEUE', queue: 'audit' }],
    consumers: [{ queue: 'audit', dead_letter_queue: 'audit-dead' }],
  },
  triggers: { crons: ['* * * * *'] },
}

let directory: TemporaryDirectory

beforeEach(async () => {
  directory = await temporaryDirectory()
  for (const [name, text] of Object.entries(WRANGLER)) {
    const path = join(directory.path, 'node_modules/wrangler', name)
    await mkdir(join(path, '..'), { recursive: true })
    await writeFile(path, text)
  }
  await writeFile(join(directory.path, 'package.json'), '{}')
  await mkdir(join(directory.path, 'migrations'))
  for (const [index, name] of packed.entries()) {
    // Behind a migration of the host's own, with other numbers.
    const own = `${String(index + 2).padStart(4, '0')}_seatgate_${name.slice(5)}`
    await cp(join(root, 'migrations', name), join(directory.path, 'migrations', own))
  }
})

afterEach(() => directory.remove())

/** Runs the doctor in a project with this configuration and a database of these statements. */
async function doctor(database: { before?: string; after?: string } | null, config: object = {}) {
  await writeFile(
    join(directory.path, 'config.json'),
    JSON.stringify({ ...CONFIGURATION, ...config })
  )
  const file = join(directory.path, 'd1.sqlite')
  if (database !== null) {
    const made = migrated(packed, database.before)
    made.exec(database.after ?? '')
    made.exec(`VACUUM INTO '${file}'`)
    made.close()
  } else new DatabaseSync(file).close()
  return run(directory.path)
}

async function run(cwd: string, ...args: string[]) {
  const command = join(root, 'bin/seatgate.js')
  const done = await promisify(execFile)(
    process.execPath,
    ['--no-warnings', command, 'doctor', ...args],
    { cwd }
  ).then(
    ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
    (failed: { code: number; stdout: string; stderr: string }) => ({
      ...failed,
      exitCode: failed.code,
    })
  )
  const wrong = done.stdout.split('\n').filter((line) => line.startsWith('WRONG'))
  return { exitCode: done.exitCode, wrong, out: done.stdout + done.stderr }
}

describe('seatgate doctor [C5]', () => {
  test('finds no fault where there is no fault', async () => {
    const { exitCode, wrong, out } = await doctor({})
    expect({ exitCode, wrong }, out).toEqual({ exitCode: 0, wrong: [] })
    expect(out).toContain(`the schema has version ${SCHEMA_VERSION}`)
    expect(out).not.toMatch(/^note/m)
  })

  test('reports missing tables, and the command that creates them', async () => {
    const { exitCode, wrong, out } = await doctor(null)
    expect({ exitCode, wrong }).toEqual({
      exitCode: 1,
      wrong: [expect.stringContaining('none of the tables')],
    })
    expect(out).toContain('npx wrangler d1 migrations apply DB --local')
  })

  const row = 'UPDATE seatgate_schema SET'
  test.each<[string, RegExp, RegExp]>([
    [
      'DROP TRIGGER seatgate_audit_events_no_update',
      /trigger seatgate_audit_events_no_update on seatgate_audit_events is missing/,
      /execute DB --local --file node_modules\/seatgate\/migrations\/0015_audit_events_no_update\.sql/,
    ],
    [
      'DROP INDEX seatgate_memberships_seat',
      /index seatgate_memberships_seat on seatgate_memberships is missing/,
      /migrations apply/,
    ],
    [
      'DROP INDEX seatgate_jobs_due; CREATE INDEX seatgate_jobs_due ON seatgate_jobs (created_at)',
      /index seatgate_jobs_due on seatgate_jobs is another one/,
      /DROP INDEX seatgate_jobs_due/,
    ],
    ['DROP TABLE seatgate_rotations', /table seatgate_rotations is missing/, /migrations apply/],
    [
      'ALTER TABLE seatgate_memberships DROP COLUMN group_roles',
      /table seatgate_memberships does not have the columns group_roles/,
      /migrations apply/,
    ],
    [
      'DROP TABLE seatgate_rate_limits; CREATE TABLE seatgate_rate_limits (key TEXT PRIMARY KEY NOT NULL, count INTEGER NOT NULL, ends_at INTEGER NOT NULL)',
      /table seatgate_rate_limits has other checks, keys or defaults/,
      /new database/,
    ],
    [
      `${row} version = 1, compatible_from = 1`,
      /version 1; this package needs \d+/,
      /migrations apply/,
    ],
    [
      `${row} version = 999, compatible_from = 999`,
      /version 999, which this package/,
      /later version/,
    ],
    ['DELETE FROM seatgate_schema', /has no row/, /migrations apply/],
  ])('notices %s', async (after, what, mend) => {
    const { exitCode, wrong, out } = await doctor({ after })
    expect({ exitCode, wrong }, out).toEqual({ exitCode: 1, wrong: [expect.stringMatching(what)] })
    expect(out).toMatch(mend)
  })

  test('notices a table of the host that has the name of one of Seatgate’s', async () => {
    const { exitCode, wrong, out } = await doctor({
      after: 'DROP TABLE seatgate_step_ups; CREATE TABLE seatgate_step_ups (id TEXT, kind TEXT)',
    })
    expect({ exitCode, wrong }).toEqual({
      exitCode: 1,
      wrong: [
        expect.stringMatching(/table seatgate_step_ups is not Seatgate's.*session_id, user_id/),
        expect.stringContaining(
          'the index seatgate_step_ups_fresh_until on seatgate_step_ups is missing'
        ),
      ],
    })
    expect(out).toContain('rename yours')
  })

  test.each<[object, RegExp]>([
    [{ d1_databases: [] }, /no D1 database is bound/],
    [
      { d1_databases: [{ binding: 'DB', migrations_dir: 'elsewhere' }] },
      /does not have 0001_organizations\.sql/,
    ],
    [{ migrations: [] }, /SeatLedger is in no migration/],
    [
      { queues: { producers: CONFIGURATION.queues.producers } },
      /sends to the queue audit, and this Worker does not consume it/,
    ],
    [{ triggers: { crons: [] } }, /there is no cron/],
  ])('notices a configuration with %j', async (config, what) => {
    const { exitCode, wrong, out } = await doctor({}, config)
    expect({ exitCode, wrong }, out).toEqual({ exitCode: 1, wrong: [expect.stringMatching(what)] })
  })

  test('reports a database that is not bound as DB, which SeatLedger needs', async () => {
    const config = { d1_databases: [{ ...CONFIGURATION.d1_databases[0], binding: 'MINE' }] }
    const { exitCode, out } = await doctor({}, config)
    expect(exitCode).toBe(1)
    expect(out).toMatch(/WRONG {2}SeatLedger looks for D1 under DB/)
  })

  test('notes an unused binding without failing', async () => {
    const { exitCode, out } = await doctor({}, { durable_objects: { bindings: [] }, queues: {} })
    expect(exitCode).toBe(0)
    expect(out.match(/^note/gm)).toHaveLength(2)
  })

  test('fails with a reason where wrangler is not installed, or cannot ask D1', async () => {
    const empty = await temporaryDirectory()
    const { exitCode, out } = await run(empty.path)
    await empty.remove()
    expect({ exitCode, out }).toEqual({
      exitCode: 1,
      out: expect.stringContaining('wrangler is not installed in this project'),
    })
    const file = join(directory.path, 'node_modules/wrangler/bin/wrangler.js')
    await writeFile(file, 'console.error("no such account"); process.exit(1)')
    const broken = await doctor({})
    expect(broken).toMatchObject({ exitCode: 1, out: expect.stringContaining('no such account') })
  })

  test('reads the configuration and the local database of this project with its own wrangler', async () => {
    const { out } = await run(root, '--persist-to', directory.path)
    expect(out).toContain('D1 is bound as DB')
    expect(out).toContain('SeatLedger is bound as SEATS')
    expect(out).toMatch(/WRONG {2}the database has none of the tables/)
    expect(await readdir(directory.path)).toContain('v3')
  })
})
