/**
 * `npm run build:console` bundles the scripts and styles of the console's pages into
 * `dist/console/assets.js`, a module with their texts, and into `dist/console/files`, a directory for a binding
 * of static assets. `dist/console/jsx.js` makes the elements of the pages.
 *
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { build, transform } from 'esbuild'
import { root } from './run-wrangler.ts'

const CLIENT = join(root, 'src/console/client')
const MODULE = join(root, 'dist/console/assets.js')
const DIRECTORY = join(root, 'dist/console/files')
const JSX = join(root, 'dist/console/jsx.js')

// One function for elements with one child and with several, in development as well.
const ELEMENTS = `export { Fragment, jsx, jsx as jsxs, jsx as jsxDEV } from 'hono/jsx/jsx-runtime'\n`

/** The scripts, each with the file that it begins at. */
const SCRIPTS = ['verify-worker.ts', 'invitation-link.ts', 'islands.ts']

// What the types of the pages name is of another runtime.
const english = '../src/console/texts/en.ts'

/** Bundles the assets, as a module and as files of a directory. */
export async function buildConsole(): Promise<void> {
  const files: Record<string, string> = {}
  const names: Record<string, string> = {}
  const hashed = (name: string, text: string) => {
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 12)
    const extension = extname(name)
    names[name] = `${basename(name, extension)}-${hash}${extension}`
    return names[name]
  }
  const add = (name: string, text: string) => {
    files[hashed(name, text)] = text
  }
  const css = await readFile(join(CLIENT, 'console.css'), 'utf8')
  add('console.css', (await transform(css, { loader: 'css', minify: true })).code)
  add('icon.svg', (await readFile(join(CLIENT, 'icon.svg'), 'utf8')).trim())
  const saved = await readFile(join(CLIENT, 'verification.template'), 'utf8')
  add('verification.html', saved.replaceAll(/\n\s*/g, '\n'))
  for (const file of SCRIPTS) add(file.replace(/\.ts$/, '.js'), await bundled(file))
  // The module has no texts: a Worker with the module has those of the source.
  const texts = JSON.stringify(((await import(english)) as { english: object }).english)
  const all = { ...files, [hashed('english.json', texts)]: texts }
  const module = [
    `export const files = ${JSON.stringify(files)}`,
    `export const names = ${JSON.stringify(names)}`,
    '',
  ].join('\n')
  if (!(await isThere(MODULE, module))) {
    await rm(DIRECTORY, { recursive: true, force: true })
    await mkdir(DIRECTORY, { recursive: true })
    for (const [name, text] of Object.entries(all)) await writeFile(join(DIRECTORY, name), text)
    await writeFile(MODULE, module)
  }
  if (!(await isThere(JSX, ELEMENTS))) await writeFile(JSX, ELEMENTS)
}

// Unchanged, a file stays as it is: a server that watches it does not restart.
async function isThere(path: string, text: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => null)) === text
}

async function bundled(file: string): Promise<string> {
  const { outputFiles } = await build({
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
  return outputFiles[0]?.text ?? ''
}

if (import.meta.main) await buildConsole()
