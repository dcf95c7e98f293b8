import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { SourceMap, type SourceMapPayload } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const root = fileURLToPath(new URL('../..', import.meta.url))

// No questions, no look-up of the newest version, no fetch of sample request data, no log files.
export const QUIET = {
  CI: '1',
  WRANGLER_HIDE_BANNER: 'true',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
  CLOUDFLARE_CF_FETCH_ENABLED: 'false',
}

const COMPILER_OPTIONS = {
  target: 'ES2023',
  lib: ['ES2024'],
  module: 'ESNext',
  moduleResolution: 'bundler',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  skipLibCheck: false,
  noEmit: true,
  types: ['@cloudflare/workers-types'],
}

interface Manifest {
  readonly version: string
  readonly dependencies: Readonly<Record<string, string>>
  readonly peerDependencies: Readonly<Record<string, string>>
}

interface Locked {
  readonly version: string
  readonly dev?: boolean
}

export interface Packed {
  readonly tarball: string
  readonly integrity: string
  /** Every path in the tarball. */
  readonly paths: readonly string[]
}

/** Packs the package as it would be published. */
export async function pack(directory: string): Promise<Packed> {
  // `prepack` builds what is packed. A build that is there is the one that the other tests use.
  const built = existsSync(join(root, 'dist/index.js')) ? ['--ignore-scripts'] : []
  const options = ['--json', '--pack-destination', directory, ...built]
  const { stdout } = await run('npm', ['pack', ...options], root)
  const [{ filename, integrity, files }] = JSON.parse(stdout) as [NpmPacked]
  return { tarball: join(directory, filename), integrity, paths: files.map(({ path }) => path) }
}

interface NpmPacked {
  readonly filename: string
  readonly integrity: string
  readonly files: readonly { readonly path: string }[]
}

// Everybody who asks for something in the tests, each with an address of their own.
const PEOPLE = ['founder', 'ann', 'ben', 'cleo', 'dora', 'stranger']
for (let index = 0; index < 15; index++) PEOPLE.push(`person-${index}`)

const USERS = `INSERT INTO users (id, email) VALUES ${PEOPLE.map((id) => `('${id}', '${id}@example.com')`).join(', ')};
`

/**
 * Creates an empty host that has the package and its peers installed, with the files that
 * docs/getting-started.md shows, and in `minimal/` those of the README. The tools are those of this
 * repository.
 */
export async function makeHost(directory: string, packed: Packed): Promise<void> {
  const file = (name: string, text: string) => writeFile(join(directory, name), text)
  const { manifest, lock } = await lockedWith(packed)
  await file('package.json', JSON.stringify(manifest))
  await file('package-lock.json', JSON.stringify(lock))
  await run('npm', ['ci', '--prefer-offline', '--no-audit', '--no-fund'], directory)
  // Fails if something that the package or a peer wants is not there, or in another version.
  await run('npm', ['ls', '--all'], directory)

  const types = 'node_modules/@cloudflare/workers-types'
  await mkdir(dirname(join(directory, types)), { recursive: true })
  await symlink(join(root, types), join(directory, types))

  await mkdir(join(directory, 'src'))
  await mkdir(join(directory, 'test'))
  await mkdir(join(directory, 'migrations'))
  for (const [name, text] of await filesOf('docs/getting-started.md')) await file(name, text)
  await mkdir(join(directory, 'minimal'))
  const readme = await blocksOf('README.md')
  await file('minimal/worker.ts', readme.get('ts') ?? '')
  const minimal = readme.get('toml') ?? ''
  await file('minimal/wrangler.toml', minimal.replace('"node_modules', '"../node_modules'))
  await file('migrations/0002_people.sql', USERS)
  const seatgate = join(directory, 'node_modules/seatgate/bin/seatgate.js')
  await run(process.execPath, [seatgate, 'migrations', 'migrations'], directory)
  const include = ['src', 'minimal', 'worker-configuration.d.ts']
  await file('tsconfig.json', JSON.stringify({ compilerOptions: COMPILER_OPTIONS, include }))
  const wrangler = join(root, 'node_modules/wrangler/bin/wrangler.js')
  await run(process.execPath, [wrangler, 'types', '--include-runtime=false'], directory)
}

/**
 * The host's manifest and its lockfile: the tarball, and its peers and dependencies as they are
 * locked here. What `npm ci` has fetched once is then installed without the registry.
 */
async function lockedWith({ tarball, integrity }: Packed) {
  const json = async (name: string) => JSON.parse(await readFile(join(root, name), 'utf8'))
  const { version, dependencies, peerDependencies } = (await json('package.json')) as Manifest
  const { packages } = (await json('package-lock.json')) as { packages: Record<string, Locked> }
  const locked = (name: string) => packages[`node_modules/${name}`]!

  const resolved = `file:${tarball}`
  const peers = Object.keys(peerDependencies).map((name) => [name, locked(name).version] as const)
  const manifest = {
    name: 'host',
    private: true,
    type: 'module',
    dependencies: { seatgate: resolved, ...Object.fromEntries(peers) },
  }
  const entries = Object.keys({ ...dependencies, ...peerDependencies }).map((name) => {
    const { dev: _dev, ...entry } = locked(name)
    return [`node_modules/${name}`, entry] as const
  })
  const lock = {
    name: manifest.name,
    lockfileVersion: 3,
    packages: {
      '': manifest,
      'node_modules/seatgate': { version, resolved, integrity, dependencies, peerDependencies },
      ...Object.fromEntries(entries),
    },
  }
  return { manifest, lock }
}

/** The blocks of a page by their language: the first one of each. */
export async function blocksOf(page: string): Promise<Map<string, string>> {
  return new Map((await allBlocks(page)).reverse())
}

/** The blocks of a page that name their file in a comment on the first line, by that file. */
export async function filesOf(page: string): Promise<Map<string, string>> {
  const named = (await allBlocks(page)).flatMap(([, text]) => {
    const [, name] = /^(?:\/\/|#|--) ([\w/.-]+\.(?:ts|toml|json|sql|vars))\n/.exec(text) ?? []
    return name === undefined ? [] : [[name, text] as const]
  })
  return new Map(named)
}

async function allBlocks(page: string): Promise<[string, string][]> {
  const text = await readFile(join(root, page), 'utf8')
  return [...text.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].map(([, language = '', block = '']) => [
    language,
    block,
  ])
}

/** Checks the host's types. Answers what is wrong, line by line. */
export async function typeErrors(directory: string): Promise<string[]> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { stdout } = await run(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], directory, {
    mayFail: true,
  })
  return stdout.split('\n').filter((line) => /: error TS\d+: /.test(line))
}

/** Imports a module in plain Node from the host, and answers what it exports. */
export async function exportsInNode(directory: string, name: string): Promise<string[]> {
  const script = `console.log(JSON.stringify(Object.keys(await import('${name}'))))`
  const flags = ['--input-type=module', '--eval', script]
  const { stdout } = await run(process.execPath, flags, directory)
  return JSON.parse(stdout) as string[]
}

interface SourceMapFile {
  readonly sources: readonly string[]
  readonly mappings: string
}

/** The source map beside a file. */
export async function mapOf(path: string): Promise<SourceMapFile> {
  return JSON.parse(await readFile(`${path}.map`, 'utf8')) as SourceMapFile
}

/** Where "go to definition" ends for each function that a declaration file declares: the line there. */
export async function definitionsOf(path: string): Promise<{ name: string; line: string }[]> {
  const map = new SourceMap((await mapOf(path)) as unknown as SourceMapPayload)
  const lines = (await readFile(path, 'utf8')).split('\n')
  const declared = lines.flatMap((text, index) => {
    const name = /^export declare function (\w+)/.exec(text)?.[1]
    return name === undefined ? [] : [{ name, line: index, column: text.indexOf(` ${name}`) + 1 }]
  })
  return Promise.all(
    declared.map(async ({ name, line, column }) => {
      const entry = map.findEntry(line, column)
      if (!('originalSource' in entry)) return { name, line: '' }
      const source = await readFile(join(dirname(path), entry.originalSource), 'utf8')
      return { name, line: source.split('\n')[entry.originalLine] ?? '' }
    })
  )
}

/** A bearer token as the host of docs/getting-started.md takes it, of a sign-in so many seconds ago. */
export async function tokenOf(userId: string, secondsAgo = 0): Promise<string> {
  const { sign } = await import('hono/jwt')
  const iat = Math.floor(Date.now() / 1000) - secondsAgo
  const secrets = (await filesOf('docs/getting-started.md')).get('.dev.vars') ?? ''
  const [, secret = ''] = /^JWT_SECRET=(.+)$/m.exec(secrets) ?? []
  return sign({ sub: userId, iat }, secret, 'HS256')
}

/** Runs a command to its end. */
export async function run(command: string, args: string[], cwd: string, { mayFail = false } = {}) {
  const options = { cwd, timeout: 90_000, maxBuffer: 2 ** 26, env: { ...process.env, ...QUIET } }
  try {
    return await promisify(execFile)(command, args, options)
  } catch (error) {
    const { stdout, stderr, code } = error as { stdout: string; stderr: string; code?: unknown }
    if (mayFail && typeof code === 'number') return { stdout, stderr }
    throw new Error(`${command} ${args.join(' ')} failed\n\n${stdout}\n${stderr}`, { cause: error })
  }
}
