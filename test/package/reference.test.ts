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
