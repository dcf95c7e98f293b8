import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { pack } from './host.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const PAGE = join(root, 'docs/testing.md')

const WRANGLER = `name = "app"
main = "src/worker.ts"
compatibility_date = "2026-10-01"

[[d1_databases]]
binding = "DB"
database_name = "app"
database_id = "00000000-0000-0000-0000-000000000000"
migrations_dir = "node_modules/seatgate/migrations"

[[durable_objects.bindings]]
name = "SEATS"
class_name = "SeatLedger"

[[migrations]]
tag = "v1"
new_sqlite_classes = ["SeatLedger"]
`

const WORKER = `export { SeatLedger } from 'seatgate/durable-object'
export default { fetch: () => new Response() }
`

const ENVIRONMENT = `declare namespace Cloudflare {
  interface Env {
    readonly DB: D1Database
    readonly SEATS: DurableObjectNamespace<import('seatgate/durable-object').SeatLedger>
  }
}
`

// Of the host, at its own paths: whatever the project needs beside the package.
const TOOLS = [
  'vitest',
  '@cloudflare/vitest-plugin',
  '@cloudflare/workers-types',
  'wrangler',
  'drizzle-orm',
  'hono',
  'valibot',
  '@noble/hashes',
]

const COMPILER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2024'],
  module: 'ESNext',
  moduleResolution: 'bundler',
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  skipLibCheck: true,
  noEmit: true,
  types: ['@cloudflare/workers-types', '@cloudflare/vitest-plugin/types'],
}

let directory: TemporaryDirectory

beforeAll(async () => {
  directory = await temporaryDirectory()
  const file = async (name: string, text: string) => {
    await mkdir(dirname(join(directory.path, name)), { recursive: true })
    await writeFile(join(directory.path, name), text)
  }
  const { tarball } = await pack(directory.path)
  const installed = join(directory.path, 'node_modules/seatgate')
  await mkdir(installed, { recursive: true })
  await promisify(execFile)('tar', ['-xzf', tarball, '--strip-components=1', '-C', installed])
  for (const tool of TOOLS) {
    const to = join(directory.path, 'node_modules', tool)
    await mkdir(dirname(to), { recursive: true })
    await symlink(join(root, 'node_modules', tool), to)
  }
  await file('package.json', JSON.stringify({ name: 'app', private: true, type: 'module' }))
  await file('wrangler.toml', WRANGLER)
  await file('src/worker.ts', WORKER)
  await file('env.d.ts', ENVIRONMENT)
  const include = ['src', 'test', 'env.d.ts']
  await file('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include }))
  for (const [name, text] of await filesOfPage()) await file(name, text)
}, 120_000)

afterAll(() => directory.remove())

// The blocks that name their file in a comment on the first line.
async function filesOfPage(): Promise<[string, string][]> {
  const page = await readFile(PAGE, 'utf8')
  return [...page.matchAll(/^```ts\n\/\/ ([\w/.-]+\.ts)\n([^]*?)^```$/gm)].map(
    ([, name = '', text = '']) => [name, text]
  )
}

async function run(tool: string, ...args: string[]) {
  const env = { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: '1' }
  const options = { cwd: directory.path, env, timeout: 180_000 }
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [tool, ...args], options)
    return { exitCode: 0, output: stdout + stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { exitCode: code, output: stdout + stderr }
  }
}

const vitest = () => run(join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--no-color')

describe('the project of docs/testing.md, outside the repository', () => {
  test('has the files of the page', async () => {
    expect((await filesOfPage()).map(([name]) => name).sort()).toEqual([
      'src/seatgate.ts',
      'test/seats.test.ts',
      'test/setup.ts',
      'vitest.config.ts',
    ])
  })

  test('compiles', async () => {
    const tsc = join(root, 'node_modules/typescript/bin/tsc')
    expect(await run(tsc, '-p', '.', '--pretty', 'false')).toEqual({ exitCode: 0, output: '' })
  })

  test('passes its test on the tarball', async () => {
    const { exitCode, output } = await vitest()
    expect(output).toContain('1 passed')
    expect(exitCode).toBe(0)
  })

  test('fails when the stores are not sound, and reports why', async () => {
    const path = join(directory.path, 'test/unsound.test.ts')
    const [, text = ''] =
      (await filesOfPage()).find(([name]) => name === 'test/seats.test.ts') ?? []
    const broken = text.replace(
      'expect(answers.filter',
      `await env.DB.prepare("UPDATE seatgate_memberships SET role = 'admin' WHERE role = 'member'").run()\n  expect(answers.filter`
    )
    expect(broken).not.toBe(text)
    await writeFile(path, broken)
    const { exitCode, output } = await vitest()
    await rm(path)
    expect(output).toContain('The stores are not sound')
    expect(exitCode).not.toBe(0)
  })
})
