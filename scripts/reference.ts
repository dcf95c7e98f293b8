/**
 * `npm run reference` writes `docs/reference` from the docstrings and declarations of what `package.json`
 * exports: a page for each subpath. `test/package/reference.test.ts` compares the pages with the code.
 *
 * It reads the declarations that the build emits, not the sources: they have the inferred types, and they
 * do not depend on where a file stands.
 *
 * @module
 */
import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { takeNone } from './arguments.ts'
import { exportsOf, type Exported } from './reference/exports.ts'
import { indexPage, pageOf, type ReferencePage } from './reference/page.ts'
import { root } from './run-wrangler.ts'

export const FOLDER = 'docs/reference'

/** The pages as they should be, by their path in the repository. */
export async function referencePages(built?: string): Promise<Map<string, string>> {
  const pages = [...(await declaredExports(built))].map(([name, exports]): ReferencePage => ({
    name,
    exports,
  }))
  const texts = pages.map((page) => [`${fileOf(page.name)}.md`, pageOf(page)] as const)
  const index = indexPage(pages.map((page) => ({ ...page, file: `${fileOf(page.name)}.md` })))
  return formatted([['README.md', index] as const, ...texts])
}

/** What each subpath exports, as the compiler declares it. Declarations that are not given are emitted. */
export async function declaredExports(built?: string): Promise<Map<string, readonly Exported[]>> {
  if (built !== undefined) return exportsIn(built)
  const declarations = await mkdtemp(join(tmpdir(), 'seatgate-reference-'))
  try {
    await emitDeclarations(declarations)
    return await exportsIn(declarations)
  } finally {
    await rm(declarations, { recursive: true })
  }
}

async function exportsIn(declarations: string): Promise<Map<string, readonly Exported[]>> {
  const subpaths = await exportedSubpaths()
  return new Map(
    subpaths.map(([name, path]) => [
      name,
      exportsOf(join(declarations, path.replace(/^\.\/dist\//, ''))),
    ])
  )
}

function fileOf(subpath: string): string {
  return subpath.replace('/', '-')
}

async function emitDeclarations(outDir: string): Promise<void> {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const project = ['-p', join(root, 'tsconfig.build.json')]
  const flags = ['--emitDeclarationOnly', '--outDir', outDir]
  await promisify(execFile)(process.execPath, [tsc, ...project, ...flags])
}

async function exportedSubpaths(): Promise<[name: string, path: string][]> {
  const manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    exports: Record<string, string | { types: string }>
  }
  return Object.entries(manifest.exports).flatMap(([subpath, target]) =>
    typeof target === 'string'
      ? []
      : [[subpath.replace(/^\./, 'seatgate'), target.types] satisfies [string, string]]
  )
}

// The formatter of the project has the last word on tables and blocks.
async function formatted(
  pages: readonly (readonly [name: string, text: string])[]
): Promise<Map<string, string>> {
  const folder = await mkdtemp(join(tmpdir(), 'seatgate-pages-'))
  try {
    const paths = pages.map(([name]) => join(folder, name))
    await Promise.all(pages.map(([, text], index) => writeFile(paths[index] ?? '', text)))
    const oxfmt = join(root, 'node_modules/oxfmt/bin/oxfmt')
    const config = ['-c', join(root, '.oxfmtrc.json')]
    await promisify(execFile)(process.execPath, [oxfmt, ...config, ...paths], { cwd: folder })
    const texts = await Promise.all(paths.map((path) => readFile(path, 'utf8')))
    return new Map(pages.map(([name], index) => [`${FOLDER}/${name}`, texts[index] ?? '']))
  } finally {
    await rm(folder, { recursive: true })
  }
}

// `import.meta.main` is not there in Node 22.
if (process.argv[1] === import.meta.filename) {
  takeNone('npm run reference')
  const pages = await referencePages()
  await rm(join(root, FOLDER), { recursive: true, force: true })
  await mkdir(join(root, FOLDER), { recursive: true })
  await Promise.all([...pages].map(([path, text]) => writeFile(join(root, path), text)))
  console.log(`${pages.size} pages in ${FOLDER}`)
}
