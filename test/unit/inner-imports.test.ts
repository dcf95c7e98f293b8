import { describe, expect, it } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { importsOf } from './floors/floors.ts'
import { KNOWN_INNER_IMPORTS } from './known-inner-imports.ts'

const found = import.meta.glob(['../**/*.ts'], { query: '?raw', import: 'default', eager: true })

/** The files that a subpath of the package names: every test may import these. */
const EXPORTED = new Set(
  Object.values(packageJson.exports).flatMap((entry) =>
    typeof entry === 'object'
      ? [entry.default.replace('./dist/', 'src/').replace(/\.js$/, '.ts')]
      : []
  )
)

/** How many files import more. This number may only shrink. */
const MORE_THAN_FIVE_IMPORTS = 26

/** The imports that break the rule, as `test file → inner file`, sorted. */
function innerImports(tests: Readonly<Record<string, string>>): string[] {
  const broken = Object.entries(tests).flatMap(([file, text]) =>
    importsOf(`test/${file}`, text)
      .filter((imported) => imported.startsWith('src/') && !EXPORTED.has(imported))
      .filter((imported) => folderOf(`test/${file}`) !== `test/unit/${folderOf(imported).slice(4)}`)
      .map((imported) => `${file} → ${imported.split('/').at(-1)}`)
  )
  return [...new Set(broken)].sort()
}

function folderOf(file: string): string {
  return file.split('/').slice(0, -1).join('/')
}

describe('an inner file of src', () => {
  const tests = Object.fromEntries(
    Object.entries(found).map(([path, text]) => [
      path.replace(/^\.\.\//, '').replace(/^\.\//, 'unit/'),
      text,
    ])
  )

  it('is imported only by the unit tests of its folder, and by the known tests', () => {
    expect(Object.keys(tests).length).toBeGreaterThan(300)
    const known = new Set(KNOWN_INNER_IMPORTS)
    expect(innerImports(tests).filter((line) => !known.has(line))).toEqual([])
  })

  it('is removed from the list of known imports when the import is removed', () => {
    const broken = new Set(innerImports(tests))
    expect(KNOWN_INNER_IMPORTS.filter((line) => !broken.has(line))).toEqual([])
    expect(new Set(KNOWN_INNER_IMPORTS).size).toBe(KNOWN_INNER_IMPORTS.length)
  })
})

describe('a test of the real runtime', () => {
  it('has at most five imports above its first test, but for a number of files that may only shrink', () => {
    const long = Object.entries(found).filter(
      ([path, text]) =>
        path.startsWith('../workers/') && (text.match(/^import /gm) ?? []).length > 5
    )
    expect(long.length).toBeLessThanOrEqual(MORE_THAN_FIVE_IMPORTS)
  })
})

describe('the rule of inner imports', () => {
  it('lets a unit test import the files of the folder that it mirrors', () => {
    const text = "import { a } from '../../../src/base/a.ts'"
    expect(innerImports({ 'unit/base/a.test.ts': text })).toEqual([])
    expect(innerImports({ 'unit/hono/a.test.ts': text })).toEqual(['unit/hono/a.test.ts → a.ts'])
  })

  it('lets every test import the exports of the package', () => {
    const text = "import { a } from '../../src/index.ts'\nimport '../../src/worker/seat-ledger.ts'"
    expect(innerImports({ 'workers/a.test.ts': text })).toEqual([])
  })
})
