/**
 * `npm run build:console` bundles the scripts and styles of the console's pages into
 * `dist/console/assets.js`, a module with their texts.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { build, transform } from 'esbuild'
import { root } from './run-wrangler.ts'

const CLIENT = join(root, 'src/console/client')
const TARGET = join(root, 'dist/console/assets.js')

/** The scripts, each with the file that it begins at. */
const SCRIPTS = ['verify-worker.ts', 'invitation-link.ts', 'islands.ts']

/** Bundles the assets. Returns the bytes of each, by its name with the hash. */
export async function buildConsole(): Promise<Readonly<Record<string, number>>> {
  const files: Record<string, { type: string; text: string }> = {}
  const names: Record<string, string> = {}
  const add = (name: string, extension: string, type: string, text: string) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
    names[`${name}.${extension}`] = `${name}-${hash}.${extension}`
    files[`${name}-${hash}.${extension}`] = { type, text }
  }
  const css = await readFile(join(CLIENT, 'console.css'), 'utf8')
  const styles = await transform(css, { loader: 'css', minify: true })
  add('console', 'css', 'text/css; charset=utf-8', styles.code)
  const icon = await readFile(join(CLIENT, 'icon.svg'), 'utf8')
  add('icon', 'svg', 'image/svg+xml', icon.trim())
  for (const file of SCRIPTS) {
    const bundle = await build({
      entryPoints: [join(CLIENT, file)],
      bundle: true,
      minify: true,
      write: false,
      // A page that was saved starts no worker that is a module.
      format: 'iife',
      target: 'es2023',
      legalComments: 'none',
      tsconfigRaw: '{}',
    })
    const [output] = bundle.outputFiles
    const name = file.replace(/\.ts$/, '')
    add(name, 'js', 'text/javascript; charset=utf-8', output?.text ?? '')
  }
  const module = [
    `export const files = ${JSON.stringify(files)}`,
    `export const names = ${JSON.stringify(names)}`,
    '',
  ].join('\n')
  await mkdir(dirname(TARGET), { recursive: true })
  // Unchanged, it stays as it is: a server that watches it does not restart.
  const present = await readFile(TARGET, 'utf8').catch(() => null)
  if (present !== module) await writeFile(TARGET, module)
  return Object.fromEntries(Object.entries(files).map(([name, { text }]) => [name, text.length]))
}

if (import.meta.main) await buildConsole()
