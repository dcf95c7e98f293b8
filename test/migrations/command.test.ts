import { exec, execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createTestHarness } from 'wrangler'
import { root } from '../../scripts/run-wrangler.ts'
import { migrationNames } from '../../scripts/schema.ts'
import { SCHEMA_VERSION } from '../../src/database/check-schema.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { THOROUGH } from '../kit/scale.ts'

const COUNT = migrationNames().length

let directory: TemporaryDirectory
let host: string
let seatgate: string

// A host that has everything its own way, under names that Seatgate uses behind its prefix.
const OWN = {
  '0001_users.sql': 'CREATE TABLE users (id TEXT PRIMARY KEY, name TEXT NOT NULL);\n',
  '0002_work.sql':
    'CREATE TABLE organizations (title TEXT);\nCREATE TABLE sessions (cookie TEXT);\n' +
    "CREATE TABLE operations (id INTEGER, kind TEXT);\nINSERT INTO operations VALUES (1, 'mine');\n",
}

beforeEach(async () => {
  directory = await temporaryDirectory()
  host = join(directory.path, 'host')
  seatgate = join(directory.path, 'seatgate')
  await mkdir(join(host, 'migrations'), { recursive: true })
  for (const [name, text] of Object.entries(OWN)) await write(name, text)
  for (const part of ['bin', 'migrations', 'package.json']) {
    await cp(join(root, part), join(seatgate, part), { recursive: true })
  }
})

afterEach(() => directory.remove())

const write = (name: string, text: string) => writeFile(join(host, 'migrations', name), text)
const read = (name: string) => readFile(join(host, 'migrations', name), 'utf8')
const names = async () => (await readdir(join(host, 'migrations'))).sort()

/** Runs the command in the host's project. */
async function migrations(...args: string[]) {
  const command = [join(seatgate, 'bin/seatgate.js'), 'migrations', ...args]
  const done = await promisify(execFile)(process.execPath, ['--no-warnings', ...command], {
    cwd: host,
  }).then(
    ({ stdout, stderr }) => ({ exitCode: 0, stdout, stderr }),
    (failed: { code: number; stdout: string; stderr: string }) => ({
      ...failed,
      exitCode: failed.code,
    })
  )
  const fresh = done.stdout
    .split('\n')
    .filter((line) => line.startsWith('new '))
    .map((line) => line.replace(/^new +migrations\//, ''))
  return { exitCode: done.exitCode, fresh, out: done.stdout, error: done.stderr }
}

const numbered = (number: number, name: string) =>
  `${String(number).padStart(4, '0')}_seatgate_${name.slice(5)}`

/** Makes the package the next version: with a column more, and so another last file. */
async function nextVersion() {
  const at = (name: string) => join(seatgate, 'migrations', name)
  const [last, next] = [COUNT, COUNT + 1].map((number) => String(number).padStart(4, '0'))
  await rename(at(`${last}_schema.sql`), at(`${next}_schema.sql`))
  const text = await readFile(at(`${next}_schema.sql`), 'utf8')
  const row = `VALUES (1, ${COUNT}, `
  expect(text).toContain(row)
  await writeFile(at(`${next}_schema.sql`), text.replace(row, `VALUES (1, ${COUNT + 1}, `))
  await writeFile(
    at(`${last}_more.sql`),
    'ALTER TABLE seatgate_memberships ADD COLUMN more INTEGER;\n'
  )
  const manifest = join(seatgate, 'package.json')
  const { version, ...others } = JSON.parse(await readFile(manifest, 'utf8')) as {
    version: string
  }
  expect(version).not.toBe('0.9.9')
  await writeFile(manifest, JSON.stringify({ ...others, version: '0.9.9' }))
}

describe('seatgate migrations', () => {
  test('writes all of them behind the host’s own, once', async () => {
    const first = await migrations('migrations')
    expect(first, first.error).toMatchObject({ exitCode: 0 })
    const written = migrationNames().map((name, index) => numbered(index + 3, name))
    expect(first.fresh).toEqual(written)
    expect(first.out).toContain('npx wrangler d1 migrations apply DB --remote')
    expect(await names()).toEqual([...Object.keys(OWN), ...written])

    const again = await migrations('migrations')
    expect(again).toMatchObject({ exitCode: 0, fresh: [] })
    expect(again.out).toContain('Nothing is new')
    expect(await names()).toEqual([...Object.keys(OWN), ...written])
  })

  test('at the next version writes the new files behind the host’s later ones', async () => {
    await migrations('migrations')
    await write(`0099_later.sql`, 'CREATE TABLE later (id TEXT);\n')
    await nextVersion()
    const { fresh } = await migrations('migrations')
    expect(fresh).toEqual(['0100_seatgate_more.sql', '0101_seatgate_schema.sql'])
    expect((await read('0100_seatgate_more.sql')).split('\n')[0]).toMatch(/^-- seatgate 0\.9\.9: /)
    expect((await migrations('migrations')).fresh).toEqual([])
  })

  test('makes the directory, continues its width, and begins at --from', async () => {
    expect((await migrations('elsewhere')).out).toContain('elsewhere/0001_seatgate_organizations')
    await mkdir(join(host, 'wide'))
    await writeFile(join(host, 'wide/20260101000000_first.sql'), 'SELECT 1;\n')
    expect((await migrations('wide')).out).toContain('wide/20260101000001_seatgate_organizations')
    expect((await migrations('migrations', '--from', '0500')).fresh[0]).toBe(
      '0500_seatgate_organizations.sql'
    )
  })

  test('counts numbers of a time in milliseconds, and passes over a directory', async () => {
    await mkdir(join(host, 'times/0001_old.sql'), { recursive: true })
    await writeFile(join(host, 'times/20260101120000123_first.sql'), 'SELECT 1;\n')
    const { exitCode, out } = await migrations('times')
    expect(exitCode).toBe(0)
    const numbers = [...out.matchAll(/times\/(\d+)_/g)].map(([, number = '']) => BigInt(number))
    expect(numbers).toEqual(numbers.map((_, index) => 20260101120000124n + BigInt(index)))
  })

  test('begins with four digits in an empty directory, also behind --from 1', async () => {
    expect((await migrations('fresh', '--from', '1')).out).toContain('fresh/0001_seatgate_')
  })

  test('ends quietly if its reader closes the pipe', async () => {
    const command = `"${process.execPath}" "${join(seatgate, 'bin/seatgate.js')}" migrations piped | true`
    const { stderr } = await promisify(exec)(command, { cwd: host })
    expect(stderr).toBe('')
    expect(await readdir(join(host, 'piped'))).toHaveLength(COUNT)
  })

  test('recognizes copies that were made by hand, with other ends of lines', async () => {
    for (const name of migrationNames()) {
      const text = await readFile(join(root, 'migrations', name), 'utf8')
      await write(`1${name}`, text.replaceAll('\n', '\r\n'))
    }
    expect(await migrations('migrations')).toMatchObject({ exitCode: 0, fresh: [] })
  })

  test.each<[string, (text: string) => string]>([
    ['its SQL', (text) => text.replace('CREATE TABLE', 'CREATE TEMP TABLE')],
    ['its first line and its SQL', (text) => `${text.split('\n').slice(1).join('\n')}-- more\n`],
  ])(
    'names a file with a changed %s, and leaves the directory unchanged',
    async (_what, change) => {
      await migrations('migrations')
      const file = '0004_seatgate_seats.sql'
      await write(file, change(await read(file)))
      await nextVersion()
      const before = await names()
      const { exitCode, error } = await migrations('migrations')
      expect(exitCode).toBe(1)
      expect(error).toMatch(/migrations\/0004_seatgate_seats\.sql was changed.*Restore the file/)
      expect(await names()).toEqual(before)
    }
  )

  test('names a file for which this version has another text', async () => {
    await migrations('migrations')
    const path = join(seatgate, 'migrations/0002_seats.sql')
    await writeFile(path, `${await readFile(path, 'utf8')}-- edited\n`)
    const { exitCode, error } = await migrations('migrations')
    expect(exitCode).toBe(1)
    expect(error).toMatch(/0004_seatgate_seats\.sql was written by seatgate .* another text/)
  })

  test.each<[string[], RegExp]>([
    [[], /DIR is missing/],
    [['migrations', '--from', 'ten'], /--from is a number, such as 0042, not "ten"/],
    [['migrations', '--from', '0001'], /the number 0001 is taken.*--from 3/],
    [
      ['migrations', '--from', '9990'],
      /not enough numbers of 4 digits: 10000 is sorted before 9999/,
    ],
    [['migrations/0001_users.sql'], /ENOTDIR/],
  ])('with %j prints the fault, and keeps the directory as it is', async (args, message) => {
    const { exitCode, error } = await migrations(...args)
    expect(exitCode).toBe(1)
    expect(error).toMatch(message)
    expect(await names()).toEqual(Object.keys(OWN))
  })

  test('refuses numbers before those that it has given', async () => {
    await migrations('migrations', '--from', '0500')
    await nextVersion()
    const { exitCode, error } = await migrations('migrations', '--from', '0100')
    expect(exitCode).toBe(1)
    expect(error).toMatch(new RegExp(`above ${499 + COUNT}`))
  })

  test('--help says how', async () => {
    const { exitCode, out } = await migrations('--help')
    expect(exitCode).toBe(0)
    expect(out).toContain('seatgate migrations DIR [--from NNNN]')
  })
})

describe('a host with tables of its own', () => {
  test.runIf(THOROUGH)(
    'has both sets of tables in one database, and those of the next version',
    async () => {
      await writeFile(
        join(host, 'worker.js'),
        `export default {
        fetch: async (request, env) =>
          Response.json((await env.DB.prepare(await request.text()).all()).results)
      }`
      )
      await writeFile(
        join(host, 'wrangler.toml'),
        `name = "host"
main = "worker.js"
compatibility_date = "2026-10-01"
[[d1_databases]]
binding = "DB"
database_name = "host"
database_id = "00000000-0000-0000-0000-000000000000"
migrations_dir = "migrations"
`
      )
      await migrations('migrations')
      const harness = createTestHarness({ workers: [{ configPath: join(host, 'wrangler.toml') }] })
      await harness.listen()
      try {
        const worker = harness.getWorker()
        const ask = async (sql: string) => {
          const answer = await harness.fetch('/', { method: 'POST', body: sql })
          expect(answer.status, sql).toBe(200)
          return (await answer.json()) as unknown[]
        }
        await worker.applyD1Migrations('DB')
        expect(await ask('SELECT version FROM seatgate_schema')).toEqual([
          { version: SCHEMA_VERSION },
        ])
        expect(await ask('SELECT id, kind FROM operations')).toEqual([{ id: 1, kind: 'mine' }])
        expect(await ask('SELECT title FROM organizations')).toEqual([])
        expect(await ask('SELECT slug FROM seatgate_organizations')).toEqual([])

        await nextVersion()
        await migrations('migrations')
        await worker.applyD1Migrations('DB')
        expect(await ask('SELECT version FROM seatgate_schema')).toEqual([
          { version: SCHEMA_VERSION + 1 },
        ])
        expect(await ask('SELECT more FROM seatgate_memberships')).toEqual([])
        expect(await ask('SELECT count(*) AS n FROM d1_migrations')).toEqual([
          { n: Object.keys(OWN).length + COUNT + 2 },
        ])
      } finally {
        await harness.close()
        await rm(join(host, '.wrangler'), { recursive: true, force: true })
      }
    }
  )
})
