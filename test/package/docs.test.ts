/** The pages agree with the package: the index, the commands and the imports that they show. */
import { globSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../../scripts/run-wrangler.ts'

const textOf = (path: string) => readFile(join(root, path), 'utf8')
const { exports, scripts } = JSON.parse(await textOf('package.json')) as {
  readonly exports: Readonly<Record<string, { readonly types?: string }>>
  readonly scripts: Readonly<Record<string, string>>
}

const PAGES = globSync(['*.md', 'docs/*.md', 'examples/*.md'], { cwd: root }).filter(
  (page) => page !== 'CHANGELOG.md'
)

test('docs/README.md links to every page of its folder', async () => {
  const index = await textOf('docs/README.md')
  const pages = globSync('*.md', { cwd: join(root, 'docs') }).filter((page) => page !== 'README.md')
  expect(pages.filter((page) => !index.includes(`](${page}`))).toEqual([])
})

test.each(PAGES)('%s names only npm scripts that exist', async (page) => {
  const named = (await textOf(page)).matchAll(/\bnpm run (?:--silent )?([\w:]+)/g)
  const projects = page.startsWith('examples/') ? await scriptsOfExamples() : [scripts]
  const missing = [...named]
    .map(([, name = '']) => name)
    .filter((name) => !projects.every((each) => name in each))
  expect(missing).toEqual([])
})

/** The scripts of each example, which is a project of its own. */
function scriptsOfExamples() {
  return Promise.all(
    globSync('examples/*/package.json', { cwd: root }).map(
      async (path) => (JSON.parse(await textOf(path)) as { readonly scripts: object }).scripts
    )
  )
}

/** The names that a subpath exports. */
async function exportsOf(subpath: string): Promise<string> {
  const types = exports[subpath]?.types ?? ''
  const source = types.replace('./dist/', 'src/').replace(/\.d\.ts$/, '.ts')
  return types === '' ? '' : textOf(source)
}

test.each(PAGES)('%s imports only names that the package exports', async (page) => {
  const imports = (await textOf(page)).matchAll(
    /^import (?:type )?\{([^}]*)\} from '(seatgate(?:\/[\w-]+)?)'/gm
  )
  const missing: string[] = []
  for (const [, names = '', from = ''] of imports) {
    const source = await exportsOf(from.replace('seatgate', '.'))
    for (const each of names.split(',')) {
      const name = each
        .trim()
        .replace(/^type /, '')
        .replace(/ as .*$/, '')
      if (name === '' || new RegExp(`\\b${name}\\b`).test(source)) continue
      missing.push(`${name} of ${from}`)
    }
  }
  expect(missing).toEqual([])
})
