import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../../scripts/local-worker.ts'
import { startGroup, type ProcessGroup } from '../../scripts/process-group.ts'
import { waitFor } from '../../scripts/wait-for.ts'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { filesOf, makeHost, pack, QUIET, run, tokenOf, typeErrors } from './host.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const WRANGLER = join(root, 'node_modules/wrangler/bin/wrangler.js')
// What step 7 installs.
const TOOLS = ['vitest', '@cloudflare/vitest-plugin', 'wrangler']
const LONGEST_MINUTES = 10

let directory: TemporaryDirectory
let server: ProcessGroup | undefined
let output = ''
const took: string[] = []
const began = performance.now()

beforeAll(async () => {
  directory = await temporaryDirectory()
})

afterAll(async () => {
  await server?.stop(1.5)
  await directory.remove()
})

/** One step of the walk: those that follow need it. */
function step(name: string, take: () => Promise<void>): void {
  test(name, async () => {
    expect(directory.path.startsWith(root), 'outside the repository').toBe(false)
    const start = performance.now()
    await take()
    took.push(`${seconds(start).padStart(6)} s  ${name}`)
  })
}

const seconds = (since: number) => ((performance.now() - since) / 1000).toFixed(1)

const node = (...args: string[]) => run(process.execPath, args, directory.path)

step('install the tarball and its peers, and copy the files of the page', async () => {
  await makeHost(directory.path, await pack(directory.path))
})

step(
  'generate the type of the environment, and compile with the configuration of the page',
  async () => {
    const config = (await filesOf('docs/getting-started.md')).get('tsconfig.json') ?? ''
    await writeFile(join(directory.path, 'tsconfig.json'), config)
    await node(WRANGLER, 'types')
    expect(await typeErrors(directory.path)).toEqual([])
  }
)

step('install the tools of the tests, and compile', async () => {
  for (const tool of TOOLS) {
    const to = join(directory.path, 'node_modules', tool)
    await mkdir(dirname(to), { recursive: true })
    await symlink(join(root, 'node_modules', tool), to)
  }
  const testing = await filesOf('docs/testing.md')
  const setup = testing.get('vitest.config.ts') ?? ''
  const files: Record<string, string> = {
    'test/setup.ts': testing.get('test/setup.ts') ?? '',
    'vitest.config.ts': setup.replace("'node_modules/seatgate/migrations'", "'migrations'"),
  }
  const config = (await filesOf('docs/getting-started.md')).get('tsconfig.json') ?? ''
  files['tsconfig.json'] = config
    .replace('["src"]', '["src", "test"]')
    .replace('configuration.d.ts"', 'configuration.d.ts", "@cloudflare/vitest-plugin/types"')
  for (const [name, text] of Object.entries(files))
    await writeFile(join(directory.path, name), text)
  expect(await typeErrors(directory.path)).toEqual([])
})

step('apply the migrations', async () => {
  const { stdout } = await node(WRANGLER, 'd1', 'migrations', 'apply', 'DB', '--local')
  expect(stdout).toContain('0001_application.sql')
  expect(stdout).toContain('_seatgate_organizations.sql')
})

let url: string

step('create the first organization over HTTP', async () => {
  const port = String(await freePort())
  url = `http://127.0.0.1:${port}`
  const flags = ['--ip', '127.0.0.1', '--port', port, '--inspector-port', '0']
  server = startGroup([WRANGLER, 'dev', ...flags, '--show-interactive-dev-session=false'], {
    cwd: directory.path,
    env: { ...process.env, ...QUIET },
    onOutput: (text) => (output += text),
  })
  const stranger = () => fetch(`${url}/organizations`, { signal: AbortSignal.timeout(5000) })
  const { status } = await waitFor('an answer', 60, stranger, () => output)
  expect(status, output).toBe(401)

  const founded = await fetch(`${url}/organizations`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await tokenOf('founder')}`,
      'content-type': 'application/json',
    },
    body: JSON.stringify({ name: 'Acme' }),
  })
  expect(founded.status, output).toBe(201)
  expect(await founded.json()).toMatchObject({ slug: 'acme', name: 'Acme' })
})

step('add members with the typed client until the seats are taken', async () => {
  const script = `
    import { connect } from './src/client.ts'
    const client = connect('${url}', '${await tokenOf('founder')}')
    const param = { org: 'acme' }
    const answers = []
    for (let index = 0; index < 10; index++) {
      const json = { userId: \`person-\${index}\`, role: 'member' }
      const added = await client.post('/organizations/:org/members', { param, json })
      answers.push(added.ok ? 'added' : added.error)
    }
    console.log(JSON.stringify(answers))`
  const { stdout } = await node('--input-type=module', '--eval', script)
  const answers = JSON.parse(stdout) as unknown[]
  expect(answers.slice(0, 9)).toEqual(Array.from({ length: 9 }, () => 'added'))
  expect(answers[9]).toMatchObject({ code: 'seat_limit_reached', limit: 10, used: 10 })
})

step('run a test of its own', async () => {
  const { stdout } = await node('node_modules/vitest/vitest.mjs', 'run', '--no-color')
  expect(stdout).toMatch(/Tests +1 passed \(1\)/)
})

step('deploy, without an account', async () => {
  const { stdout } = await node(WRANGLER, 'deploy', '--dry-run', '--outdir', 'bundle')
  for (const binding of ['env.SEATS', 'env.DB', 'env.AUDIT_QUEUE']) {
    expect(stdout).toContain(binding)
  }
})

test('takes minutes', () => {
  console.log(
    `docs/getting-started.md:\n${took.join('\n')}\n${seconds(began).padStart(6)} s  in all`
  )
  expect(took).toHaveLength(8)
  expect(Number(seconds(began))).toBeLessThan(LONGEST_MINUTES * 60)
})
