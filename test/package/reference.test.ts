import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { FOLDER, referencePages } from '../../scripts/reference.ts'
import { root } from '../../scripts/run-wrangler.ts'

// `npm test` has built the package.
test('docs/reference agrees with the docstrings: `npm run reference` writes it', async () => {
  const pages = await referencePages(join(root, 'dist'))
  const names = (await readdir(join(root, FOLDER))).map((name) => `${FOLDER}/${name}`)
  expect(names.sort()).toEqual([...pages.keys()].sort())
  const stale: string[] = []
  for (const [path, text] of pages) {
    if ((await readFile(join(root, path), 'utf8')) !== text) stale.push(path)
  }
  expect(stale).toEqual([])
})

// The invariants of `seatgate/testing` are shown together, in docs/testing.md.
const WITHOUT_EXAMPLES = ['seatgate-testing.md', 'seatgate-schema.md']

test('docs/reference shows an example of each function', async () => {
  const names = await readdir(join(root, FOLDER))
  const missing: string[] = []
  for (const name of names.filter((each) => !WITHOUT_EXAMPLES.includes(each))) {
    const page = await readFile(join(root, FOLDER, name), 'utf8')
    const [, functions = ''] = /^## Functions\n([^]*?)(?=^## |$(?![^]))/m.exec(page) ?? []
    for (const section of functions.split(/^### /m).slice(1)) {
      // The first block is the signature.
      const blocks = section.match(/^```tsx?$/gm) ?? []
      if (blocks.length < 2) missing.push(`${name} ${section.split('\n')[0]}`)
    }
  }
  expect(missing).toEqual([])
})
