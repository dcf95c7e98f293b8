import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryDirectory, type TemporaryDirectory } from '../end-to-end/temporary-directory.ts'
import { pack } from './host.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const examples = join(root, 'examples')
const names = (await readdir(examples, { withFileTypes: true }))
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
  readonly scripts: Readonly<Record<string, string>>
}

let directory: TemporaryDirectory

// Outside of the repository, with the tarball and, of the rest, only what its manifest names.
beforeAll(async () => {
  directory = await temporaryDirectory()
  const { tarball } = await pack(directory.path)
  const library = join(directory.path, 'library')
  await mkdir(library)
  await promisify(execFile)('tar', ['-xzf', tarball, '--strip-components=1', '-C', library])
  for (const name of names) {
    const example = join(directory.path, name)
    await cp(join(examples, name), example, { recursive: true })
    const { dependencies } = await manifestOf(name)
    const modules = join(example, 'node_modules')
    await cp(library, join(modules, 'seatgate'), { recursive: true })
    // `better-auth` finds its own dependencies from its real place, and so do the others.
    for (const dependency of [...Object.keys(dependencies), '@noble/hashes']) {
      if (dependency === 'seatgate') continue
      const place = join(modules, dependency)
      await mkdir(dirname(place), { recursive: true })
      await symlink(join(root, 'node_modules', dependency), place)
    }
  }
}, 120_000)

afterAll(() => directory.remove())

async function manifestOf(name: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(examples, name, 'package.json'), 'utf8')) as Manifest
}

describe.each(names)('examples/%s, copied alone', (name) => {
  test('is deployed by a dry run', async () => {
    const env = { ...process.env, CI: '1', WRANGLER_SEND_METRICS: 'false' }
    const run = (script: string, ...parameters: string[]) =>
      promisify(execFile)(process.execPath, [join(root, 'node_modules', script), ...parameters], {
        cwd: join(directory.path, name),
        env,
        timeout: 120_000,
      })
    const { devDependencies } = await manifestOf(name)
    if ('vite' in devDependencies) await run('vite/bin/vite.js', 'build')
    const { stdout } = await run('wrangler/bin/wrangler.js', 'deploy', '--dry-run')
    expect(stdout).toContain('--dry-run: exiting now')
    expect(stdout).toContain('env.DB')
  })

  test('has a page, the scripts that it names, and 20 to 80 lines of code', async () => {
    const page = await readFile(join(examples, name, 'README.md'), 'utf8')
    const { scripts } = await manifestOf(name)
    const named = [...page.matchAll(/npm run (\w+)/g)].map(([, script = '']) => script)
    expect(named.length).toBeGreaterThan(0)
    expect(named.filter((script) => !(script in scripts))).toEqual([])
    const files = (await readdir(join(examples, name))).filter((file) => /\.tsx?$/.test(file))
    for (const file of files) {
      const lines = (await readFile(join(examples, name, file), 'utf8')).split('\n').length
      expect(lines, file).toBeGreaterThan(20)
      expect(lines, file).toBeLessThanOrEqual(80)
    }
  })
})
